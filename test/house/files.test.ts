/** Names, lengths and words of the files. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { read, root, sourceFiles } from "./sources";

const linesMax = 450;
const linesUsual = 300;
const files = sourceFiles("ts,c,h");

function lineCount(path: string): number {
  return read(path).split("\n").length - 1;
}

test("no file is longer than a reader's patience", () => {
  const long = files.filter((path) => !path.endsWith("layout.ts") && lineCount(path) > linesUsual);
  for (const path of long) {
    const count = lineCount(path);
    if (count <= linesMax) console.warn(`${path}: ${count} lines; is it still one noun?`);
  }
  expect(long.filter((path) => lineCount(path) > linesMax)).toEqual([]);
});

test("file names are kebab-case", () => {
  const name = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|d))?\.(ts|c|h)$/;
  expect(files.filter((path) => !name.test(path.split("/").at(-1) as string))).toEqual([]);
});

test("nothing is left for later and no machine's own paths are named", () => {
  // Spelt in pieces, so that this file does not find itself.
  const words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].map((word) => `\\b${word}\\b`);
  const paths = ["/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/\\w"];
  const pattern = new RegExp([...words, ...paths].join("|"));
  expect(files.filter((path) => pattern.test(read(path)))).toEqual([]);
});

test("decorators stand only inside class bodies or on a class", () => {
  const wrong: string[] = [];
  for (const path of files.filter((file) => file.startsWith("assembly/"))) {
    if (/^@\w+(\([^)]*\))?\s*(export\s+)?(declare\s+)?(function|const|let)\b/m.test(read(path))) {
      wrong.push(path);
    }
  }
  expect(wrong).toEqual([]);
});

test("AssemblyScript uses no broken or slow atomics", () => {
  const pattern = /atomic\.fence\(|atomic\.load</;
  const assembly = files.filter((path) => path.startsWith("assembly/"));
  expect(assembly.filter((path) => pattern.test(withoutComments(read(path))))).toEqual([]);
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
}

test("every path that docs/walk.md names exists", () => {
  const walk = read("docs/walk.md");
  const named = [...walk.matchAll(/`((?:assembly|src|shims|build|test|examples)\/[\w./-]*)`/g)];
  expect(named.length).toBeGreaterThan(5);
  const missing = named
    .map((match) => match[1] as string)
    .filter((path) => !existsSync(root + path));
  expect(missing).toEqual([]);
});
