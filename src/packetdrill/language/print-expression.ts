/** Arguments and results of system calls in the language's own words. */
import type { Expression, Field, MplsLabel } from "./script";

const escaped: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  '"': '\\"',
  "\\": "\\\\",
};

/** Printable ASCII stays; every other byte becomes an escape of fixed length. */
function printString(value: string): string {
  const inside = value.replace(
    /[^\x20-\x7e]|["\\]/g,
    (character) =>
      escaped[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${inside}"`;
}

export function printMplsLabels(labels: readonly MplsLabel[]): string {
  const texts = labels.map(({ label, trafficClass, bottomOfStack, ttl }) => {
    const bottom = bottomOfStack ? "[S], " : "";
    return `(label ${label}, tc ${trafficClass}, ${bottom}ttl ${ttl})`;
  });
  return texts.join(" ");
}

function printField({ name, size, value }: Field): string {
  if (name === undefined) return printExpression(value);
  const sized = size === undefined ? "" : `(${printExpression(size)})`;
  return `${name}${sized}=${printExpression(value)}`;
}

function printList(items: readonly Expression[]): string {
  return items.map(printExpression).join(", ");
}

export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "ellipsis":
      return "...";
    case "integer":
      return `${expression.value}`;
    case "name":
      return expression.name;
    case "string":
      return `${printString(expression.value)}${expression.open ? "..." : ""}`;
    case "or":
      return expression.operands.map(printExpression).join("|");
    case "list":
      return `[${printList(expression.items)}]`;
    case "call":
      return `${expression.name}(${printList(expression.arguments)})`;
    case "named":
      return `${expression.name}=${printExpression(expression.value)}`;
    case "mpls":
      return `{${printMplsLabels(expression.labels)}}`;
    case "structure":
      return `{${expression.fields.map(printField).join(", ")}}`;
  }
}
