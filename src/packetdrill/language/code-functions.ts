/** The functions that a script's code may call; a wrong use throws an `Error`. */
import { show, toText } from "./code-format";
import { compare, isTrue, toNumeric } from "./code-operators";
import type { CodeValue } from "./code-syntax";

type CodeFunction = (values: readonly CodeValue[]) => CodeValue;

function single(name: string, values: readonly CodeValue[]): CodeValue {
  if (values.length !== 1) throw new Error(`${name} takes one argument`);
  return values[0] as CodeValue;
}

function number(name: string, value: CodeValue): number | bigint {
  const numeric = toNumeric(value);
  if (numeric === undefined) throw new Error(`${name} takes a number, not ${show(value)}`);
  return numeric;
}

/** The one of several arguments, or of one list's items, that stands before all others. */
function extreme(name: string, operator: "<" | ">", values: readonly CodeValue[]): CodeValue {
  const [only] = values;
  const items = values.length === 1 && Array.isArray(only) ? (only as CodeValue[]) : values;
  const [first, ...rest] = items;
  if (first === undefined) throw new Error(`${name} takes at least one argument`);
  return rest.reduce((best, value) => (compare(operator, value, best) ? value : best), first);
}

function toInteger(value: CodeValue): CodeValue {
  if (typeof value === "string") {
    if (!/^\s*[-+]?\d{1,40}\s*$/.test(value)) throw new Error(`${show(value)} is no integer`);
    const parsed = Number(value);
    return Number.isSafeInteger(parsed) ? parsed : BigInt(value.trim());
  }
  const numeric = number("int", value);
  if (typeof numeric === "number" && !Number.isFinite(numeric)) {
    throw new Error(`${numeric} is no integer`);
  }
  return typeof numeric === "bigint" ? numeric : Math.trunc(numeric);
}

function toFloat(value: CodeValue): number {
  const result = typeof value === "string" ? Number(value) : Number(number("float", value));
  if (Number.isNaN(result)) throw new Error(`${show(value)} is no number`);
  return result;
}

/** To the even neighbour when halfway, as Python 3 does. */
function round(values: readonly CodeValue[]): CodeValue {
  if (values.length < 1 || values.length > 2) throw new Error("round takes one or two arguments");
  const value = number("round", values[0] as CodeValue);
  if (typeof value === "bigint") return value;
  const digits = Number(number("round", values[1] ?? 0));
  const scaled = value * 10 ** digits;
  const floor = Math.floor(scaled);
  const halfway = scaled - floor === 0.5;
  const nearest = halfway ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(scaled);
  return nearest / 10 ** digits;
}

function absolute(value: CodeValue): CodeValue {
  const numeric = number("abs", value);
  return numeric < 0 ? -numeric : numeric;
}

function length(value: CodeValue): number {
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  throw new Error(`len takes a string or a list, not ${show(value)}`);
}

/** All but `print`, whose lines are the evaluator's. */
export const codeFunctions: ReadonlyMap<string, CodeFunction> = new Map<string, CodeFunction>([
  ["abs", (values) => absolute(single("abs", values))],
  ["min", (values) => extreme("min", "<", values)],
  ["max", (values) => extreme("max", ">", values)],
  ["int", (values) => toInteger(single("int", values))],
  ["float", (values) => toFloat(single("float", values))],
  ["round", round],
  ["len", (values) => length(single("len", values))],
  ["str", (values) => toText(single("str", values))],
  ["bool", (values) => isTrue(single("bool", values))],
]);
