/** Prints assembly/layout.ts as shims/include/layout.h, so that C shims share its numbers. */
import { readFileSync } from "node:fs";
import * as layout from "../assembly/layout";
import { writeWhole } from "./output";

export const layoutHeader = "shims/include/layout.h";
const source = "assembly/layout.ts";

/** C literal of the constant; the suffix follows the type it is declared with. */
function literal(value: number | bigint, type: string): string {
  if (type === "i32") return value < 0 ? `(${value})` : `${value}`;
  return type === "u64" ? `${value}ull` : `${value}u`;
}

/** Rewrites the header when it would change; its time stays otherwise, so shims stay fresh. */
export async function writeLayoutHeader(): Promise<void> {
  const types = new Map<string, string>();
  for (const [, name, type] of readFileSync(source, "utf8").matchAll(
    /^export const (\w+): (\w+) =/gm,
  )) {
    types.set(name as string, type as string);
  }
  const lines = Object.entries(layout)
    .filter(([, value]) => typeof value === "number" || typeof value === "bigint")
    .map(([name, value]) => `#define DEMI_${name} ${literal(value, types.get(name) ?? "u32")}`);
  const text = `/* Printed by build/layout-header.ts from ${source}. */\n#pragma once\n${lines.join("\n")}\n`;
  const file = Bun.file(layoutHeader);
  if ((await file.exists()) && (await file.text()) === text) return;
  writeWhole(layoutHeader, text);
}
