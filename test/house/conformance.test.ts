/** docs/conformance.md says what the tests say, and the tests say which rules they prove. */
import { expect, test } from "bun:test";
import { conformancePage } from "../../build/conformance-page";
import { readRules } from "../../build/conformance-rules";
import { readTests } from "../../build/conformance-tests";
import { read } from "./sources";

const tests = readTests();
const documents = readRules(tests);
const rules = documents.flatMap((document) =>
  document.rules.map((rule) => ({ ...rule, name: `RFC ${document.rfc} ${rule.id}` })),
);

test("docs/conformance.md is up to date (npm run conformance writes it)", () => {
  expect(read("docs/conformance.md") === conformancePage()).toBe(true);
});

test("no rule counts on a test that is gone", () => {
  expect(rules.filter(({ stale }) => stale.length > 0)).toEqual([]);
});

test("no rule stands twice", () => {
  const names = rules.map(({ name }) => name);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});

test("every script names the RFC of its rule", () => {
  const silent = tests.filter(({ path, sections }) => path.endsWith(".pkt") && sections.size === 0);
  // It is about the language, not about a protocol.
  expect(silent.map(({ name }) => name)).toEqual(["demikernel-dialect"]);
});

test("every label that a test names is one of RFC 9293's", () => {
  const known = new Set(rules.map(({ id }) => id));
  const unknown = tests.flatMap(({ path, labels }) =>
    [...labels].filter((label) => !known.has(label)).map((label) => `${path}: ${label}`),
  );
  expect(unknown).toEqual([]);
});
