/** The repository's scripts and unit tests, with the rules that each of them names. */
import { readFileSync } from "node:fs";

const root = new URL("../", import.meta.url).pathname;
const scripts = "test/packetdrill/scripts/";

export interface ProvingTest {
  /** Path from the root. */
  readonly path: string;
  /** What rules choose it by: the path within its folder, without extension. */
  readonly name: string;
  /** What the page calls it. */
  readonly title: string;
  /** Everything it says of its rule. */
  readonly text: string;
  /** Labels of RFC 9293's appendix B. */
  readonly labels: ReadonlySet<string>;
  /** `"5961 3.2"`, or `"768"` where no section is named. */
  readonly sections: ReadonlySet<string>;
  /** Linux is held to the script as well. */
  readonly isLive: boolean;
}

function pathsOf(pattern: string): string[] {
  return [...new Bun.Glob(pattern).scanSync({ cwd: root })].sort();
}

function labelsIn(text: string): Set<string> {
  return new Set(text.match(/\b(?:MUST|SHLD|MAY|REC)-\d+\b/g));
}

/** Sections that a text names: "RFC 5961 section 3.2", "RFC 5961 3.2", and "3.10.7.4" of `ownRfc`. */
function sectionsIn(text: string, ownRfc: string | undefined): Set<string> {
  const found = new Set<string>();
  let rfc = ownRfc;
  const pattern =
    /RFC (\d+)(?:,? sections? (\d+(?:\.\d+)*)| (\d+(?:\.\d+)*))?|(?<![\w.-])(\d+(?:\.\d+)+)(?![\w-])/g;
  for (const [, named, after, bare, alone] of text.matchAll(pattern)) {
    rfc = named ?? rfc;
    const section = after ?? bare ?? alone;
    if (rfc === undefined) continue;
    found.add(section === undefined ? rfc : `${rfc} ${section}`);
  }
  return found;
}

function readScript(path: string): ProvingTest {
  const name = path.slice(scripts.length).replace(/\.pkt$/, "");
  const lines = readFileSync(root + path, "utf8").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  const comments = lines.slice(0, end).map((line) => line.slice(2).trim());
  const header = comments.filter((line) => line !== "live").join(" ");
  const title = name.split("/").at(-1) as string;
  const sections = sectionsIn(header.replaceAll(/[\d.]+ (?:seconds?|ms|bytes)/g, ""), undefined);
  const [, rfc, section] = /^rfc(\d+)\/(\d+(?:\.\d+)*)-/.exec(name) ?? [];
  if (rfc !== undefined) sections.add(`${rfc} ${section}`);
  return {
    path,
    name,
    title,
    text: `${title.replaceAll("-", " ")} ${header}`,
    labels: labelsIn(header),
    sections,
    isLive: comments.includes("live"),
  };
}

/** The tests of one file; a bare section number means the RFC that the file's first lines name. */
function readUnitTests(path: string): ProvingTest[] {
  const text = readFileSync(root + path, "utf8");
  const header = /^\/\*\*[\s\S]*?\*\//.exec(text)?.[0] ?? "";
  const ownRfc =
    /RFC (\d+)/.exec(header)?.[1] ?? (path.startsWith("test/stack/tcp/") ? "9293" : undefined);
  const name = path.slice("test/".length).replace(/\.test\.ts$/, "");
  const pattern =
    /\btest(?:\.each\([\s\S]*?\)(?=\())?\(\s*(?:"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`)\s*,/g;
  return [...text.matchAll(pattern)].map(([, plain, template]) => {
    const title = (plain ?? template ?? "").replaceAll(/\$\{[^}]*\}/g, "…");
    const cited = [...title.matchAll(/\(([^)]*)\)/g)].map((match) => match[1]).join("; ");
    return {
      path,
      name,
      title,
      text: title,
      labels: labelsIn(cited),
      sections: sectionsIn(cited, ownRfc),
      isLive: false,
    };
  });
}

export function readTests(): ProvingTest[] {
  const units = pathsOf("test/**/*.test.ts").filter((path) => !path.startsWith("test/house/"));
  return [
    ...pathsOf(`${scripts}**/*.pkt`).map(readScript),
    ...units.flatMap((path) => readUnitTests(path)),
  ];
}
