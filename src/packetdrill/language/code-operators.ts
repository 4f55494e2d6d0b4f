/** What the operators of a script's code do, as Python has it; a wrong use throws an `Error`. */
import { formatText, show } from "./code-format";
import type {
  ArithmeticOperator,
  CodeValue,
  ComparisonOperator,
  UnaryOperator,
} from "./code-syntax";

type Numeric = number | bigint;

/** Results beyond these are mistakes, and would take the memory of the whole run. */
const bitsMax = 65_536;
const charactersMax = 65_536;

/** The number that a value counts as; truth values count as 0 and 1. */
export function toNumeric(value: CodeValue): Numeric | undefined {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" || typeof value === "bigint" ? value : undefined;
}

export function isTrue(value: CodeValue): boolean {
  if (value === null) return false;
  if (typeof value === "object") return value.length > 0;
  return Boolean(value);
}

/** As a number where no digit is lost by it. */
function normalize(value: bigint): Numeric {
  const safe = BigInt(Number.MAX_SAFE_INTEGER);
  return value <= safe && value >= -safe ? Number(value) : value;
}

function isInteger(value: Numeric): boolean {
  return typeof value === "bigint" || Number.isInteger(value);
}

function bitLength(value: Numeric): number {
  return BigInt(value).toString(2).length;
}

function power(left: Numeric, right: Numeric): Numeric {
  if (!isInteger(left) || !isInteger(right) || right < 0) return Number(left) ** Number(right);
  if (bitLength(left) * Number(right) > bitsMax) throw new Error("the power is too large");
  return normalize(BigInt(left) ** BigInt(right));
}

function shift(operator: "<<" | ">>", left: bigint, right: bigint): bigint {
  if (right < 0n) throw new Error("a negative shift");
  if (operator === "<<" && right > BigInt(bitsMax)) throw new Error("the shift is too large");
  return operator === "<<" ? left << right : left >> right;
}

function bitwise(operator: ArithmeticOperator, left: Numeric, right: Numeric): Numeric {
  if (!isInteger(left) || !isInteger(right)) throw new Error(`“${operator}” takes integers`);
  const a = BigInt(left);
  const b = BigInt(right);
  if (operator === "&") return normalize(a & b);
  if (operator === "|") return normalize(a | b);
  if (operator === "^") return normalize(a ^ b);
  return normalize(shift(operator as "<<" | ">>", a, b));
}

/** Floored towards minus infinity, so that the remainder has the divisor's sign. */
function divide(operator: "/" | "//" | "%", left: Numeric, right: Numeric): Numeric {
  if (Number(right) === 0) throw new Error("division by zero");
  if (operator === "/") return Number(left) / Number(right);
  if (!isInteger(left) || !isInteger(right)) {
    const quotient = Math.floor(Number(left) / Number(right));
    return operator === "//" ? quotient : Number(left) - quotient * Number(right);
  }
  const a = BigInt(left);
  const b = BigInt(right);
  const remainder = ((a % b) + b) % b;
  return normalize(operator === "%" ? remainder : (a - remainder) / b);
}

function sum(operator: "+" | "-" | "*", left: Numeric, right: Numeric): Numeric {
  if (typeof left === "number" && typeof right === "number") {
    const result = operator === "+" ? left + right : operator === "-" ? left - right : left * right;
    if (Number.isSafeInteger(result) || !isInteger(left) || !isInteger(right)) return result;
  }
  if (!isInteger(left) || !isInteger(right)) {
    return sum(operator, Number(left), Number(right));
  }
  const a = BigInt(left);
  const b = BigInt(right);
  return normalize(operator === "+" ? a + b : operator === "-" ? a - b : a * b);
}

function onNumbers(operator: ArithmeticOperator, left: Numeric, right: Numeric): Numeric {
  switch (operator) {
    case "+":
    case "-":
    case "*":
      return sum(operator, left, right);
    case "/":
    case "//":
    case "%":
      return divide(operator, left, right);
    case "**":
      return power(left, right);
    default:
      return bitwise(operator, left, right);
  }
}

function repeat(text: string, count: Numeric): string {
  const times = Math.max(0, Number(count));
  if (text.length * times > charactersMax) throw new Error("the string is too long");
  return text.repeat(times);
}

export function arithmetic(
  operator: ArithmeticOperator,
  left: CodeValue,
  right: CodeValue,
): CodeValue {
  if (typeof left === "string") {
    const count = toNumeric(right);
    if (operator === "%") return formatText(left, Array.isArray(right) ? right : [right]);
    if (operator === "+" && typeof right === "string") return repeat(left + right, 1);
    if (operator === "*" && count !== undefined) return repeat(left, count);
  }
  if (operator === "+" && Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
  const a = toNumeric(left);
  const b = toNumeric(right);
  if (a === undefined || b === undefined) {
    throw new Error(`“${operator}” does not take ${show(left)} and ${show(right)}`);
  }
  return onNumbers(operator, a, b);
}

export function unary(operator: UnaryOperator, value: CodeValue): CodeValue {
  if (operator === "not") return !isTrue(value);
  const number = toNumeric(value);
  if (number === undefined) throw new Error(`“${operator}” does not take ${show(value)}`);
  if (operator === "+") return number;
  if (operator === "-") return typeof number === "bigint" ? normalize(-number) : 0 - number;
  return sum("-", bitwise("^", number, -1), 0);
}

function equal(left: CodeValue, right: CodeValue): boolean {
  const a = toNumeric(left);
  const b = toNumeric(right);
  if (a !== undefined && b !== undefined) return a <= b && a >= b;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => equal(item, right[index]));
  }
  return left === right;
}

function less(operator: ComparisonOperator, left: CodeValue, right: CodeValue): boolean {
  const text = typeof left === "string" && typeof right === "string";
  const a = text ? left : toNumeric(left);
  const b = text ? right : toNumeric(right);
  if (a === undefined || b === undefined) {
    throw new Error(`${show(left)} and ${show(right)} have no order`);
  }
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  return operator === ">" ? a > b : a >= b;
}

function contains(list: CodeValue, value: CodeValue): boolean {
  if (typeof list === "string" && typeof value === "string") return list.includes(value);
  if (!Array.isArray(list)) throw new Error(`nothing is in ${show(list)}: it is no list`);
  return list.some((item) => equal(item, value));
}

export function compare(operator: ComparisonOperator, left: CodeValue, right: CodeValue): boolean {
  switch (operator) {
    case "==":
    case "is":
      return equal(left, right);
    case "!=":
    case "is not":
      return !equal(left, right);
    case "in":
      return contains(right, left);
    case "not in":
      return !contains(right, left);
    default:
      return less(operator, left, right);
  }
}
