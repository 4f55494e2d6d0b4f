/** The head of a report, and lists of names and values. */
import { element } from "./dom";

export function verdictHeader(
  passed: boolean,
  title: string,
  children: readonly (HTMLElement | undefined)[],
): HTMLElement {
  return element(
    "header",
    { class: passed ? "passed" : "failed" },
    // Shape and word say what the colour says.
    element("span", { class: "verdict" }, passed ? "✓ passed" : "✕ failed"),
    element("h1", {}, title),
    ...children,
  );
}

/** Pairs of a name and a value; those without a value are left out. */
export function facts(
  pairs: readonly (readonly [name: string, value: string | undefined])[],
): HTMLElement {
  const list = element("dl", {});
  for (const [name, value] of pairs) {
    if (value === undefined || value === "") continue;
    list.append(element("div", {}, element("dt", {}, name), element("dd", {}, value)));
  }
  return list;
}
