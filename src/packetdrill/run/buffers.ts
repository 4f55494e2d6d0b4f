/** Buffers, messages and socket options that calls are given. */
import type { Expression } from "../language/script";
import { type ControlMessage, UnsupportedError } from "../targets/target";
import {
  ArgumentError,
  bytesOf,
  concat,
  int32,
  member,
  numberOf,
  numberOr,
  structureOf,
} from "./values";

/** `..., 1000` or `"text", 4`: the bytes of a buffer to send; zeros where none are told. */
export function contents(
  buffer: Expression | undefined,
  length: Expression | undefined,
): Uint8Array {
  const text = buffer?.kind === "string" ? bytesOf(buffer.value) : new Uint8Array(0);
  const bytes = new Uint8Array(numberOr(length, text.length));
  bytes.set(text.subarray(0, bytes.length));
  return bytes;
}

/** The buffers of an iovec list. */
export function vectors(list: Expression | undefined): { base: Expression; length: Expression }[] {
  if (list?.kind !== "list") throw new ArgumentError("buffers are a list [{..., N}, …]");
  return list.items.map((item) => {
    const fields = structureOf(item)?.fields;
    const base = fields?.[0]?.value;
    const length = fields?.[1]?.value;
    if (base === undefined || length === undefined) {
      throw new ArgumentError("a buffer is {..., N}");
    }
    return { base, length };
  });
}

export function message(expression: Expression | undefined) {
  const structure = structureOf(expression);
  if (structure === undefined) throw new ArgumentError("a message is {msg_name(...)=..., …}");
  return structure.fields;
}

function controlData(expression: Expression | undefined): Uint8Array {
  if (expression === undefined) return new Uint8Array(0);
  if (expression.kind === "string") return bytesOf(expression.value);
  return int32(numberOf(expression));
}

export function controlMessages(expression: Expression | undefined): ControlMessage[] {
  if (expression?.kind !== "list") return [];
  return expression.items.map((item) => {
    const fields = structureOf(item)?.fields ?? [];
    return {
      level: numberOf(member(fields, "cmsg_level")),
      type: numberOf(member(fields, "cmsg_type")),
      data: controlData(member(fields, "cmsg_data")),
    };
  });
}

/** The bytes of a socket option to set. */
export function optionBytes(
  value: Expression | undefined,
  length: Expression | undefined,
): Uint8Array {
  const structure = structureOf(value);
  if (structure?.type === "linger") {
    const onoff = numberOr(member(structure.fields, "onoff", "l_onoff"), 0);
    const seconds = numberOr(member(structure.fields, "linger", "l_linger"), 0);
    return concat([int32(onoff), int32(seconds)]);
  }
  if (structure !== undefined) {
    throw new UnsupportedError(`socket options in a ${structure.type} are not supported`);
  }
  if (value?.kind === "string") return bytesOf(value.value);
  const bytes = int32(numberOf(value));
  return bytes.subarray(0, Math.max(0, Math.min(4, numberOr(length, 4))));
}
