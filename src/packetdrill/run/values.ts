/** Expressions of calls as values, in the layout of Linux on x86-64 where they are bytes. */
import { constants } from "../language/constants";
import { printExpression } from "../language/print-expression";
import type { Expression, Field } from "../language/script";

/** An argument that cannot be used where it stands. */
export class ArgumentError extends Error {}

export function isEllipsis(expression: Expression | undefined): boolean {
  return expression === undefined || expression.kind === "ellipsis";
}

/** A number; names are looked up, `a | b` joined, htons and its kin are the number in them. */
export function numberOf(expression: Expression | undefined): number {
  return Number(integerOf(expression));
}

export function integerOf(expression: Expression | undefined): number | bigint {
  switch (expression?.kind) {
    case "integer":
      return expression.value;
    case "name": {
      const value = constants.get(expression.name);
      if (value !== undefined) return value;
      break;
    }
    case "or":
      return expression.operands.reduce((bits, operand) => (bits | numberOf(operand)) >>> 0, 0);
    case "named":
      return integerOf(expression.value);
    case "list":
      if (expression.items.length === 1) return integerOf(expression.items[0]);
      break;
    case "call":
      if (/^(?:hton|ntoh)[sl]$/.test(expression.name)) return integerOf(expression.arguments[0]);
      break;
  }
  const text =
    expression === undefined ? "an argument that is missing" : printExpression(expression);
  throw new ArgumentError(`${text} is not a number`);
}

/** A number, or what is usual where the script leaves it to us. */
export function numberOr(expression: Expression | undefined, usual: number): number {
  return expression === undefined || expression.kind === "ellipsis" ? usual : numberOf(expression);
}

/** The value of a structure's member; undefined when it is not there or `...`. */
export function member(
  fields: readonly Field[],
  ...names: readonly string[]
): Expression | undefined {
  const found = fields.find(({ name }) => name !== undefined && names.includes(name));
  return found === undefined || found.value.kind === "ellipsis" ? undefined : found.value;
}

/** The structure in an argument, which may stand in a list of one. */
export function structureOf(
  expression: Expression | undefined,
): Extract<Expression, { kind: "structure" }> | undefined {
  if (expression?.kind === "structure") return expression;
  if (expression?.kind === "list" && expression.items.length === 1) {
    return structureOf(expression.items[0]);
  }
  return undefined;
}

export function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value | 0, true);
  return bytes;
}

export function readInt32(bytes: Uint8Array, at = 0): number | undefined {
  if (bytes.length < at + 4) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getInt32(at, true);
}

/** Characters 0–255 as bytes. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 255);
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
