/**
 * The kinds of value a configuration key may have. Each carries, as metadata, what the error for a
 * bad value says is expected and an example to write; the JSON schema shows the same texts.
 */
import ipaddr from "ipaddr.js";
import * as v from "valibot";
import { isFastOpenKeys } from "./fast-open-key";

export interface FieldTexts {
  /** Completes "expected …". */
  readonly expected: string;
  /** A value that would be accepted, as it is written in YAML. */
  readonly example: string;
}

function texts<Input>(
  expected: string,
  example: string,
): v.MetadataAction<Input, { readonly expected: string; readonly example: string }> {
  return v.metadata({ expected, example });
}

/** True for four decimal numbers with dots; ipaddr.js alone would also take "10.1" and "0x7f". */
export function isIpv4Address(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text);
}

const linkAddressPattern = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

/** Six hexadecimal bytes; the words for it serve keys and values alike. */
export function isLinkAddress(text: string): boolean {
  return linkAddressPattern.test(text);
}

function whole(minimum: number, maximum: number, example: number, description: string) {
  return v.pipe(
    v.number(),
    v.integer(),
    v.minValue(minimum),
    v.maxValue(maximum),
    v.description(description),
    texts(`a whole number from ${minimum} to ${maximum}`, `${example}`),
  );
}

/** A whole number that may be left out. */
export function integer(minimum: number, maximum: number, example: number, description: string) {
  return v.optional(whole(minimum, maximum, example, description));
}

/** A whole number that is `fallback` where the file does not say. */
export function size(minimum: number, maximum: number, fallback: number, description: string) {
  return v.optional(whole(minimum, maximum, fallback, description), fallback);
}

export function flag(fallback: boolean, description: string) {
  const schema = v.pipe(
    v.boolean(),
    v.description(description),
    texts("true or false", `${fallback}`),
  );
  return v.optional(schema, fallback);
}

const keysText = texts<string>(
  "one key or two with a comma between them, each four hexadecimal words with dashes",
  "00112233-44556677-8899aabb-ccddeeff",
);

/** Keys as Linux's tcp_fastopen_key has them. */
export function fastOpenKeys(description: string) {
  return v.optional(
    v.pipe(v.string(), v.check(isFastOpenKeys), v.description(description), keysText),
  );
}

export function word(example: string, description: string) {
  return v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.description(description),
      texts("a name", JSON.stringify(example)),
    ),
  );
}

export function choice<const Names extends readonly string[]>(names: Names, description: string) {
  return v.optional(
    v.pipe(
      v.picklist(names),
      v.description(description),
      texts(`one of ${names.join(", ")}`, names[0] as string),
    ),
  );
}

const ipv4Text = texts<string>("an IPv4 address of four decimal numbers", "10.0.0.2");

export function ipv4Address(description: string) {
  return v.optional(
    v.pipe(v.string(), v.check(isIpv4Address), v.description(description), ipv4Text),
  );
}

const linkText = texts<string>(
  "six hexadecimal bytes with colons, in quotes",
  '"02:00:00:00:00:01"',
);

export function linkAddress(description: string) {
  return v.optional(
    v.pipe(v.string(), v.check(isLinkAddress), v.description(description), linkText),
  );
}

/** Static neighbours, written as Demikernel does: link address → IPv4 address. */
export function neighbourTable(description: string) {
  return v.optional(
    v.pipe(
      v.record(
        v.pipe(v.string(), v.check(isLinkAddress), linkText),
        v.pipe(v.string(), v.check(isIpv4Address), ipv4Text),
      ),
      v.description(description),
      texts("link addresses, each with its IPv4 address", '{ "02:00:00:00:00:02": "10.0.0.3" }'),
    ),
  );
}

export function words(description: string) {
  return v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), texts("text; put numbers in quotes", '"4"'))),
      v.description(description),
      texts("a list of texts", '["", "-c", "0x1", "-n", "4"]'),
    ),
  );
}

export function ports(description: string) {
  return v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.number(),
          v.integer(),
          v.minValue(0),
          v.maxValue(65535),
          texts("a port from 0 to 65535", "80"),
        ),
      ),
      v.description(description),
      texts("a list of ports", "[80, 443]"),
    ),
  );
}

/** A section of keys; a key that is not listed is an error. Wrap it in `optional`. */
export function section<const Entries extends v.ObjectEntries>(
  entries: Entries,
  description: string,
) {
  return v.pipe(
    v.strictObject(entries),
    v.description(description),
    texts("a section of keys", "{}"),
  );
}
