/** Values of a script's code as text. */
import type { CodeValue } from "./code-syntax";

/** As `repr` writes it: strings in quotes. */
export function show(value: CodeValue): string {
  if (typeof value === "string") return `'${value.replace(/[\\']/g, "\\$&")}'`;
  return toText(value);
}

/** As `print` writes it. */
export function toText(value: CodeValue): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "object") return `[${value.map(show).join(", ")}]`;
  return `${value}`;
}

const directivePattern = /%([-0+ #]*)(\d{0,3})(?:\.(\d{1,2}))?([a-zA-Z%])/g;

function integer(value: CodeValue): bigint {
  const numeric = typeof value === "boolean" ? Number(value) : value;
  if (typeof numeric === "bigint") return numeric;
  if (typeof numeric === "number" && Number.isFinite(numeric)) return BigInt(Math.trunc(numeric));
  throw new Error(`${show(value)} is no number`);
}

function formatOne(letter: string, value: CodeValue, digits: number | undefined): string {
  switch (letter) {
    case "d":
    case "i":
    case "u":
      return `${integer(value)}`;
    case "x":
      return integer(value).toString(16);
    case "X":
      return integer(value).toString(16).toUpperCase();
    case "f":
    case "F":
      integer(value);
      return Number(value).toFixed(digits ?? 6);
    case "g":
      integer(value);
      return `${Number(Number(value).toPrecision(digits ?? 6))}`;
    case "s":
      return toText(value);
    case "r":
      return show(value);
    default:
      throw new Error(`“%${letter}” is no directive of a format`);
  }
}

/** `'%d of %s' % (…)` */
export function formatText(format: string, values: readonly CodeValue[]): string {
  let used = 0;
  const text = format.replace(
    directivePattern,
    (_, flags: string, width: string, digits: string | undefined, letter: string) => {
      if (letter === "%") return "%";
      if (used >= values.length) throw new Error("the format takes more values than there are");
      const one = formatOne(
        letter,
        values[used++] as CodeValue,
        digits === undefined ? undefined : Number(digits),
      );
      if (flags.includes("-")) return one.padEnd(Number(width));
      return one.padStart(Number(width), flags.includes("0") ? "0" : " ");
    },
  );
  if (used < values.length) throw new Error("the format takes fewer values than there are");
  return text;
}
