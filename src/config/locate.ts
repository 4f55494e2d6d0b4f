/** From a path of keys to line and column in the YAML text. */
import { type Document, isMap, isNode, isScalar, isSeq, type LineCounter, type Node } from "yaml";
import type { Position } from "./problem";

interface Found {
  key: Node | undefined;
  value: Node | undefined;
}

function step(container: Node | undefined, key: string): Found | undefined {
  if (isMap(container)) {
    for (const pair of container.items) {
      if (isScalar(pair.key) && String(pair.key.value) === key) {
        return { key: pair.key, value: isNode(pair.value) ? pair.value : undefined };
      }
    }
  }
  if (isSeq(container)) {
    const item = container.items[Number(key)];
    return { key: undefined, value: isNode(item) ? item : undefined };
  }
  return undefined;
}

/**
 * Position of the value at `path`, of its key when `which` says so, or, where the file does not go
 * that deep, of the deepest key it has on the way; undefined when it has none.
 */
export function locate(
  document: Document,
  lines: LineCounter,
  path: readonly string[],
  which: "key" | "value",
): Position | undefined {
  let value: Node | undefined = document.contents as Node | undefined;
  let marked: Node | undefined;
  for (const [depth, part] of path.entries()) {
    const found = step(value, part);
    if (found === undefined) break;
    value = found.value;
    const wantsValue = which === "value" && depth === path.length - 1;
    marked = (wantsValue ? found.value : found.key) ?? found.key ?? found.value;
  }
  if (marked?.range == null) return undefined;
  const [start, end] = marked.range;
  const { line, col } = lines.linePos(start);
  return { line, column: col, length: end - start };
}
