/** Tables that a person has reviewed: a change in them is a change in how the stack behaves. */
import { expect } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const UPDATE = process.env.UPDATE_GOLDENS === "1";

/** Compares with `test/sim/goldens/NAME.txt`; UPDATE_GOLDENS=1 writes it instead, to be reviewed. */
export function expectGolden(name: string, text: string): void {
  const path = new URL(`${name}.txt`, import.meta.url).pathname;
  if (UPDATE) writeFileSync(path, text);
  const golden = existsSync(path) ? readFileSync(path, "utf8") : "";
  expect(text).toBe(golden);
}

/** Columns aligned to the right, the first to the left. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
      )
      .join("  ")
      .trimEnd();
  return `${rows.map(line).join("\n")}\n`;
}
