/** docs/conformance.md, made of the rules and the tests. */
import { type RfcRules, type Rule, readRules, type Status } from "./conformance-rules";
import { type ProvingTest, readTests } from "./conformance-tests";

const intro = `# Conformance

Which rule of which RFC is followed, and which tests prove it. \`npm run conformance\` writes this page from
the rules in [conformance/](conformance) and from what scripts and tests say of themselves; a rule that no
test proves is not done. Rules are told in our own words; labels such as MUST-1 are those of RFC 9293's
appendix B. Scripts marked ° pass against Linux as well.
`;

function plainText(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>|]/g, "\\$&");
}

function link(test: ProvingTest): string {
  const title = test.title.replace(/ \([^)]*\)$/, "");
  return `[${plainText(title)}${test.isLive ? " °" : ""}](../${test.path})`;
}

function counted(rules: readonly Rule[], status: Status): number {
  return rules.filter((rule) => rule.status === status).length;
}

function summary(documents: readonly RfcRules[]): string[] {
  const statuses: readonly Status[] = ["done", "partly", "not done", "does not apply"];
  return documents.map(({ rfc, title, rules }) => {
    const counts = statuses.map((status) => [counted(rules, status), status] as const);
    const told = counts
      .filter(([count]) => count > 0)
      .map(([count, status]) => `${count} ${status}`);
    return `- [RFC ${rfc}](#rfc-${rfc}), ${title}: ${told.join(", ")}`;
  });
}

function named(rule: Rule): string {
  return rule.id === rule.section ? `**${rule.id}**` : `**${rule.id}** (${rule.section})`;
}

function lineOf(rule: Rule): string {
  const level = /^\d/.test(rule.id) && rule.level !== "must" ? `, ${rule.level}` : "";
  const reason = rule.reason === undefined ? "" : ` _${rule.reason}_`;
  const tests = rule.tests.length === 0 ? "" : ` ${rule.tests.map(link).join(", ")}`;
  return `- ${named(rule)}${level}, ${rule.status}: ${rule.rule}${reason}${tests}`;
}

/** What a reader should know first: the rules of MUST and SHOULD that are not followed whole. */
function shortcomings(documents: readonly RfcRules[]): string[] {
  const lines: string[] = [];
  for (const { rfc, rules } of documents) {
    const open = rules.filter(
      ({ status, level }) => level !== "may" && (status === "partly" || status === "not done"),
    );
    if (open.length === 0) continue;
    lines.push("", `RFC ${rfc}:`, "");
    for (const rule of open) {
      const status = rule.status === "partly" ? "partly: " : "";
      lines.push(`- ${named(rule)} ${rule.rule} _${status}${rule.reason}_`);
    }
  }
  return lines;
}

/** Tests that name a section of `rfc` and that none of its rules has. */
function further(document: RfcRules, tests: readonly ProvingTest[]): string[] {
  const known = new Set(document.rules.flatMap((rule) => rule.tests));
  const own = `${document.rfc} `;
  const bySection = new Map<string, ProvingTest[]>();
  for (const test of tests) {
    if (known.has(test)) continue;
    for (const section of test.sections) {
      if (section !== String(document.rfc) && !section.startsWith(own)) continue;
      const place = section.slice(own.length) || "no section";
      bySection.set(place, [...(bySection.get(place) ?? []), test]);
    }
  }
  if (bySection.size === 0) return [];
  const places = [...bySection].sort(([left], [right]) =>
    left.localeCompare(right, "en", { numeric: true }),
  );
  const lines = places.map(([place, found]) => `- ${place}: ${found.map(link).join(", ")}`);
  return ["", "Further tests, by the section that they name:", "", ...lines];
}

function chapter(document: RfcRules, tests: readonly ProvingTest[]): string[] {
  const { rfc, title, note, rules } = document;
  return [
    "",
    `## RFC ${rfc}`,
    "",
    `[${title}](https://www.rfc-editor.org/rfc/rfc${rfc}).${note === undefined ? "" : ` ${note}`}`,
    "",
    ...rules.map(lineOf),
    ...further(document, tests),
  ];
}

/** Sections of RFCs that have no rules of their own here, with the tests that name them. */
function elsewhere(documents: readonly RfcRules[], tests: readonly ProvingTest[]): string[] {
  const listed = new Set(documents.map(({ rfc }) => String(rfc)));
  const byRfc = new Map<string, ProvingTest[]>();
  for (const test of tests) {
    const others = [...test.sections].map((section) => section.split(" ")[0] as string);
    for (const rfc of new Set(others)) {
      if (!listed.has(rfc)) byRfc.set(rfc, [...(byRfc.get(rfc) ?? []), test]);
    }
  }
  const rfcs = [...byRfc].sort(([left], [right]) => Number(left) - Number(right));
  const lines = rfcs.map(([rfc, found]) => `- RFC ${rfc}: ${found.map(link).join(", ")}`);
  return lines.length === 0 ? [] : ["", "## Other RFCs that tests name", "", ...lines];
}

export function conformancePage(): string {
  const tests = readTests();
  const documents = readRules(tests);
  return [
    intro,
    ...summary(documents),
    "",
    "## Not done",
    ...shortcomings(documents),
    ...documents.flatMap((document) => chapter(document, tests)),
    ...elsewhere(documents, tests),
    "",
  ].join("\n");
}
