/**
 * The rules of docs/conformance/*.yaml and what the tests say of them. A rule is done when tests prove
 * it: those that name its label, and those that its `tests` choose. Each of these is
 *
 * - `rfc5961/3.2-rst-*`: scripts by path, or `stack/arp`: unit tests by file;
 * - `RFC 2018 4`: whatever names that section; `RFC 2018*`: the RFC;
 * - either of them with ` > words`: of these, the tests whose text has the words (a pattern).
 */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { ProvingTest } from "./conformance-tests";

const root = new URL("../", import.meta.url).pathname;

export type Status = "done" | "partly" | "not done" | "does not apply";

/** As it stands in a file; one of the four reasons at most. */
interface RuleText {
  /** A label of RFC 9293's appendix B, or the section. */
  readonly id: string;
  readonly section?: string;
  readonly level?: "must" | "should" | "may";
  readonly rule: string;
  readonly tests?: string | readonly string[];
  /** Tests prove a part; this is missing. */
  readonly partly?: string;
  /** Not built, or left out on purpose. */
  readonly undone?: string;
  /**
   * Not built until tests name the label. Those that `tests` choose make it "partly" only, until
   * somebody who has read them takes this away.
   */
  readonly awaits?: string;
  /** There is nothing that could follow the rule. */
  readonly apart?: string;
}

interface DocumentText {
  readonly rfc: number;
  readonly title: string;
  readonly note?: string;
  readonly rules: readonly RuleText[];
}

export interface Rule {
  readonly id: string;
  readonly section: string;
  readonly level: "must" | "should" | "may";
  readonly rule: string;
  readonly status: Status;
  readonly reason: string | undefined;
  readonly tests: readonly ProvingTest[];
  /** Choices of `tests` that no test fits although the rule is said to be proved. */
  readonly stale: readonly string[];
}

export interface RfcRules {
  readonly rfc: number;
  readonly title: string;
  readonly note: string | undefined;
  readonly rules: readonly Rule[];
}

const levels = { MUST: "must", SHLD: "should", REC: "should", MAY: "may" } as const;

function levelOf({ id, level }: RuleText): Rule["level"] {
  const prefix = /^[A-Z]+/.exec(id)?.[0] as keyof typeof levels | undefined;
  return level ?? (prefix === undefined ? "must" : levels[prefix]);
}

function choose(choice: string, tests: readonly ProvingTest[]): ProvingTest[] {
  const [where = "", words] = choice.split(" > ");
  const cited = /^RFC (.+)$/.exec(where)?.[1];
  const glob = new Bun.Glob(cited ?? where);
  const pattern = words === undefined ? undefined : new RegExp(words, "i");
  return tests.filter(
    (test) =>
      (cited === undefined ? [test.name] : [...test.sections]).some((name) => glob.match(name)) &&
      (pattern?.test(test.text) ?? true),
  );
}

function judge(text: RuleText, isProved: boolean, isNamed: boolean): [Status, string | undefined] {
  if (text.apart !== undefined) return ["does not apply", text.apart];
  if (text.undone !== undefined) return ["not done", text.undone];
  if (!isProved) return ["not done", text.partly ?? text.awaits ?? "no test proves it"];
  if (text.partly !== undefined) return ["partly", text.partly];
  if (text.awaits === undefined || isNamed) return ["done", undefined];
  return ["partly", "tests name its section; nobody has said yet that they prove the rule"];
}

function readRule(text: RuleText, tests: readonly ProvingTest[]): Rule {
  const choices = typeof text.tests === "string" ? [text.tests] : (text.tests ?? []);
  const isLabel = /^[A-Z]+-\d+$/.test(text.id);
  const naming = isLabel ? tests.filter((test) => test.labels.has(text.id)) : [];
  const proving = new Set(naming);
  const missing: string[] = [];
  for (const choice of choices) {
    const chosen = choose(choice, tests);
    if (chosen.length === 0) missing.push(choice);
    for (const test of chosen) proving.add(test);
  }
  const [status, reason] = judge(text, proving.size > 0, naming.length > 0);
  return {
    id: text.id,
    section: text.section ?? text.id,
    level: levelOf(text),
    rule: text.rule,
    status,
    reason,
    tests: tests.filter((test) => proving.has(test)),
    stale: text.awaits === undefined ? missing : [],
  };
}

const keys = ["id", "section", "level", "rule", "tests", "partly", "undone", "awaits", "apart"];

/** A comma that should have been quoted makes keys of its own: better told than lost. */
function readDocument(path: string): DocumentText {
  const document = parse(readFileSync(path, "utf8")) as DocumentText;
  for (const rule of document.rules) {
    const unknown = Object.keys(rule).filter((key) => !keys.includes(key));
    if (unknown.length > 0) throw new Error(`${path}: ${rule.id}: "${unknown[0]}" is no key`);
  }
  return document;
}

/** RFC 9293 first, the others by their numbers. */
export function readRules(tests: readonly ProvingTest[]): RfcRules[] {
  const folder = `${root}docs/conformance/`;
  const files = [...new Bun.Glob("*.yaml").scanSync({ cwd: folder })];
  const documents = files.map((file) => readDocument(folder + file));
  const place = ({ rfc }: DocumentText) => (rfc === 9293 ? 0 : rfc);
  return documents
    .sort((left, right) => place(left) - place(right))
    .map(({ rfc, title, note, rules }) => ({
      rfc,
      title,
      note,
      rules: rules.map((rule) => readRule(rule, tests)),
    }));
}
