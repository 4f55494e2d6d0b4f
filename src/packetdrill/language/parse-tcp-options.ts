/** A segment's options: `<mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>`. */
import type { Lexer } from "./lexer";
import type { ScriptTcpOption } from "./script";
import { unknownName } from "./suggest";

const hexPattern = /(?:0x)?([0-9a-fA-F]+)(?!\w)/y;

/** Bytes from hexadecimal digits, two a byte; undefined when none follow. */
function parseHexBytes(lexer: Lexer): Uint8Array | undefined {
  const start = lexer.mark();
  const symbol = lexer.symbol();
  const digits = symbol?.replace(/^0x/, "") ?? lexer.match(hexPattern)?.[1];
  if (digits === undefined) return undefined;
  if (!/^[0-9a-fA-F]*$/.test(digits)) lexer.fail(`“${digits}” are no hexadecimal digits`, start);
  if (digits.length % 2 !== 0)
    lexer.fail("two hexadecimal digits make a byte: one is missing", start);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function parseSack(lexer: Lexer): ScriptTcpOption {
  const blocks: { left: number; right: number }[] = [];
  while (lexer.looksAtInteger()) {
    const left = lexer.integer("the left edge of a SACK block");
    lexer.expect(":", "and the right edge of the SACK block, e.g. sack 1001:2001");
    blocks.push({ left, right: lexer.integer("the right edge of a SACK block") });
  }
  if (blocks.length === 0) lexer.failExpected("a SACK block, e.g. sack 1001:2001");
  return { kind: "sack", blocks };
}

function parseTimestampPart(lexer: Lexer, what: string): number | "any" {
  return lexer.accept("...") ? "any" : lexer.integer(what);
}

function parseTimestamp(lexer: Lexer): ScriptTcpOption {
  lexer.expectWord("val", "and the timestamp, e.g. TS val 100 ecr 0");
  const value = parseTimestampPart(lexer, "the timestamp value");
  lexer.expectWord("ecr", "and the timestamp's echo, e.g. TS val 100 ecr 0");
  return { kind: "timestamp", value, echo: parseTimestampPart(lexer, "the timestamp's echo") };
}

/** RFC 9768: counters in the order of the bytes, the later ones may be left out. */
function parseAccurateEcn(lexer: Lexer): ScriptTcpOption {
  const order = lexer.peekWord() === "e1b" ? 1 : 0;
  const names = order === 0 ? ["e0b", "ceb", "e1b"] : ["e1b", "ceb", "e0b"];
  const counters: number[] = [];
  for (const [index, name] of names.entries()) {
    if (index === 0) lexer.expectWord(name, "or “e1b” and a counter of AccECN, e.g. ECN e0b 1");
    else if (!lexer.acceptWord(name)) break;
    // An option of two bytes has no counter at all (RFC 9768 section 3.2.3).
    if (index === 0 && !lexer.looksAtInteger()) break;
    counters.push(lexer.integer(`the counter ${name}`, 0xffffff));
  }
  return { kind: "accecn", order, counters };
}

function parseDigest(lexer: Lexer): ScriptTcpOption {
  const digest = parseHexBytes(lexer);
  if (digest === undefined) return lexer.failExpected("an MD5 digest in hexadecimal digits");
  return { kind: "md5", digest };
}

/** `option 253 f989`: a kind that has no word. */
function parseUnknown(lexer: Lexer): ScriptTcpOption {
  const number = lexer.integer("the kind of a TCP option", 0xff);
  return { kind: "unknown", number, bytes: parseHexBytes(lexer) ?? new Uint8Array() };
}

const readers: Readonly<Record<string, (lexer: Lexer) => ScriptTcpOption>> = {
  nop: () => ({ kind: "nop" }),
  eol: () => ({ kind: "eol" }),
  mss: (lexer) => ({ kind: "mss", mss: lexer.integer("the maximum segment size", 0xffff) }),
  wscale: (lexer) => ({ kind: "wscale", shift: lexer.integer("the window scale", 0xff) }),
  sackOK: () => ({ kind: "sackOK" }),
  sack: parseSack,
  TS: parseTimestamp,
  FO: (lexer) => fastOpen(lexer, false),
  FOEXP: (lexer) => fastOpen(lexer, true),
  md5: parseDigest,
  ECN: parseAccurateEcn,
  option: parseUnknown,
};

function fastOpen(lexer: Lexer, experimental: boolean): ScriptTcpOption {
  return { kind: "fastopen", cookie: parseHexBytes(lexer) ?? new Uint8Array(), experimental };
}

function parseOption(lexer: Lexer): ScriptTcpOption {
  const start = lexer.mark();
  const name = lexer.word("a TCP option, e.g. mss 1460");
  const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
  if (reader === undefined) {
    return lexer.fail(unknownName("TCP option", name, Object.keys(readers)), start);
  }
  return reader(lexer);
}

/** The options in angle brackets; none at all when there are no brackets. */
export function parseTcpOptions(lexer: Lexer): ScriptTcpOption[] | "any" {
  if (!lexer.accept("<")) return [];
  if (lexer.accept("...")) {
    lexer.expect(">", "and the end of the options");
    return "any";
  }
  const options: ScriptTcpOption[] = [];
  if (lexer.accept(">")) return options;
  do options.push(parseOption(lexer));
  while (lexer.accept(","));
  lexer.expect(">", "or “,” and the next TCP option");
  return options;
}
