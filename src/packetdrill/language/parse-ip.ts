/** What a packet says of IP: the headers around it and the fields of its own. */
import ipaddr from "ipaddr.js";
import type { Lexer } from "./lexer";
import type { EcnCodepoint, GreHeader, IpFields, MplsLabel, OuterHeader } from "./script";
import { unknownName } from "./suggest";

const codepoints: ReadonlySet<string> = new Set(["noecn", "ect0", "ect1", "ce", "ect01"]);
const fieldNames = [...codepoints, "tos", "flowlabel", "ttl"];

const ipv4Pattern = /\d{1,3}(?:\.\d{1,3}){3}(?![\w.])/y;
// Finds an address's end only; whether it is one is asked afterwards.
const ipv6Pattern = /[0-9a-fA-F]*:[0-9a-fA-F:]*[0-9a-fA-F:](?:\.\d{1,3}){0,3}/y;

/** Whether the text is four decimal bytes. */
export function isIpv4(text: string): boolean {
  return (
    /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split(".").every((part) => Number(part) < 256)
  );
}

export function isIpv6(text: string): boolean {
  return text.includes(":") && ipaddr.IPv6.isValid(text) && !text.includes("%");
}

function parseField(lexer: Lexer): IpFields {
  const start = lexer.mark();
  const name = lexer.word(`a field of IP (${fieldNames.join(", ")})`);
  if (codepoints.has(name)) return { ecn: name as EcnCodepoint };
  if (name === "tos") return { tos: lexer.integer("the TOS byte, e.g. tos 0x04", 0xff) };
  if (name === "ttl") return { ttl: lexer.integer("the time to live, e.g. ttl 64", 0xff) };
  if (name === "flowlabel") {
    return { flowLabel: lexer.integer("the flow label, e.g. flowlabel 0x12345", 0xfffff) };
  }
  return lexer.fail(unknownName("field of IP", name, fieldNames), start);
}

/** `(ect0)`, `[tos 0x1, flowlabel 0x2]`, or nothing. */
export function parseIpFields(lexer: Lexer): IpFields {
  const close = lexer.accept("(") ? ")" : lexer.accept("[") ? "]" : undefined;
  if (close === undefined) return {};
  let fields: IpFields = {};
  do {
    const start = lexer.mark();
    const field = parseField(lexer);
    const twice = Object.keys(field).find((key) => key in fields);
    if (twice !== undefined) lexer.fail("this field of IP is given twice", start);
    fields = { ...fields, ...field };
    if (fields.ecn !== undefined && fields.tos !== undefined) {
      lexer.fail("the TOS byte holds the ECN codepoint: give one of them", start);
    }
  } while (lexer.accept(","));
  lexer.expect(close, "and the rest of the packet");
  return fields;
}

function parseAddress(lexer: Lexer, kind: "ipv4" | "ipv6"): string {
  const start = lexer.mark();
  const what = kind === "ipv4" ? "an IPv4 address, e.g. 192.0.2.1" : "an IPv6 address";
  let text = lexer.match(kind === "ipv4" ? ipv4Pattern : ipv6Pattern)?.[0];
  if (text === undefined) return lexer.failExpected(what);
  if (/[^:]:$/.test(text)) {
    // The colon that ends the header, not one of the address.
    text = text.slice(0, -1);
    lexer.offset -= 1;
  }
  if (!(kind === "ipv4" ? isIpv4(text) : isIpv6(text)))
    lexer.fail(`“${text}” is not ${what}`, start);
  return text;
}

function parseIpHeader(lexer: Lexer, kind: "ipv4" | "ipv6"): OuterHeader {
  const ip = parseIpFields(lexer);
  const source = parseAddress(lexer, kind);
  lexer.expect(">", "and the destination address");
  const destination = parseAddress(lexer, kind);
  lexer.expect(":", "and the header inside");
  return { kind, ip, source, destination };
}

const greFlagBits: Readonly<Record<string, number>> = {
  none: 0,
  checksum: 0x8000,
  key: 0x2000,
  sequence: 0x1000,
};

function parseGreFlags(lexer: Lexer): number {
  if (!lexer.accept("[")) return lexer.integer("the flags of GRE, e.g. flags 0x2000", 0xffff);
  let flags = 0;
  do {
    const start = lexer.mark();
    const name = lexer.word("none, checksum, key or sequence");
    lexer.accept("#");
    const bit = greFlagBits[name];
    if (bit === undefined) {
      return lexer.fail(unknownName("flag of GRE", name, Object.keys(greFlagBits)), start);
    }
    if (bit !== 0) lexer.expectWord("present");
    flags |= bit;
  } while (lexer.accept(","));
  lexer.expect("]", "and the fields of GRE");
  return flags;
}

function parseGreHeader(lexer: Lexer): GreHeader {
  lexer.expectWord("flags");
  const flags = parseGreFlags(lexer);
  lexer.accept(",");
  lexer.expectWord("sum");
  const checksum = lexer.integer("the checksum", 0xffff);
  lexer.accept(",");
  lexer.expectWord("off");
  const offset = lexer.integer("the offset", 0xffff);
  lexer.accept(",");
  lexer.expectWord("key");
  lexer.accept("=");
  const key = lexer.integer("the key");
  lexer.accept(",");
  lexer.expectWord("seq");
  return { flags, checksum, offset, key, sequence: lexer.integer("the sequence number") };
}

/** `(label 5, tc 0, [S], ttl 64)` once or more. */
export function parseMplsLabels(lexer: Lexer): MplsLabel[] {
  const labels: MplsLabel[] = [];
  while (lexer.accept("(")) {
    lexer.expectWord("label", "of MPLS, e.g. (label 5, tc 0, [S], ttl 64)");
    const label = lexer.integer("a label", 0xfffff);
    lexer.expect(",");
    lexer.expectWord("tc");
    const trafficClass = lexer.integer("a traffic class", 7);
    lexer.expect(",");
    const bottomOfStack = lexer.accept("[");
    if (bottomOfStack) {
      lexer.expectWord("S");
      lexer.expect("]");
      lexer.expect(",");
    }
    lexer.expectWord("ttl");
    const ttl = lexer.integer("a time to live", 0xff);
    lexer.expect(")");
    labels.push({ label, trafficClass, bottomOfStack, ttl });
  }
  if (labels.length === 0) lexer.failExpected("a label of MPLS, e.g. (label 5, tc 0, [S], ttl 64)");
  return labels;
}

/** The headers between the direction and the packet proper. */
export function parseOuterHeaders(lexer: Lexer): OuterHeader[] {
  const headers: OuterHeader[] = [];
  for (;;) {
    if (lexer.acceptWord("ipv4")) headers.push(parseIpHeader(lexer, "ipv4"));
    else if (lexer.acceptWord("ipv6")) headers.push(parseIpHeader(lexer, "ipv6"));
    else if (lexer.acceptWord("gre") || lexer.acceptWord("GREv0")) {
      lexer.accept(",");
      const bare = lexer.looksAt(":");
      headers.push(bare ? { kind: "gre" } : { kind: "gre", header: parseGreHeader(lexer) });
      lexer.expect(":", "and the header inside");
    } else if (lexer.acceptWord("mpls")) {
      headers.push({ kind: "mpls", labels: parseMplsLabels(lexer) });
      lexer.expect(":", "and the header inside");
    } else return headers;
  }
}
