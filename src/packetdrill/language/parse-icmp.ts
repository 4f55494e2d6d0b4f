/** An ICMP message of either version: `icmp unreachable frag_needed mtu 1200 [1:1001(1000)]`. */
import { icmpCodeNames, icmpTypeNames } from "./icmp-names";
import type { Lexer } from "./lexer";
import { parseSequence } from "./parse-tcp";
import type { EchoedHeader, IcmpBody } from "./script";
import { unknownName } from "./suggest";

/** `(N)`: payload bytes. */
export function parseLength(lexer: Lexer, what: string): number {
  lexer.expect("(", `and ${what}, e.g. (1000)`);
  const length = lexer.integer(what, 0xffff);
  lexer.expect(")", `behind ${what}`);
  return length;
}

/** A `sport > dport`, if that is what follows. */
export function parsePorts(lexer: Lexer): { source: number; destination: number } | undefined {
  if (!lexer.looksAtPattern(/\w+\s*>/y) || !lexer.looksAtInteger()) return undefined;
  const source = lexer.integer("the source port", 0xffff);
  lexer.expect(">", "and the destination port");
  return { source, destination: lexer.integer("the destination port", 0xffff) };
}

function parseEchoed(lexer: Lexer): EchoedHeader | undefined {
  if (!lexer.accept("[")) return undefined;
  let echoed: EchoedHeader;
  if (lexer.acceptWord("udp")) {
    const ports = parsePorts(lexer);
    const length = parseLength(lexer, "the length of the echoed datagram");
    echoed = ports === undefined ? { kind: "udp", length } : { kind: "udp", ports, length };
  } else if (lexer.acceptWord("raw")) {
    echoed = { kind: "raw", length: parseLength(lexer, "the length of the echoed packet") };
  } else echoed = { kind: "tcp", ...parseSequence(lexer) };
  lexer.expect("]", "and the end of the event");
  return echoed;
}

function parseCode(lexer: Lexer, type: string): string | undefined {
  if (lexer.looksAtPattern(/\d+(?=[\s[]|$)(?!\s*[~<>`])/y) && /^\d+$/.test(type)) {
    return `${lexer.integer("the code of ICMP", 0xff)}`;
  }
  const next = lexer.peekWord();
  if (next === undefined || next === "mtu" || next === "id") return undefined;
  const start = lexer.mark();
  const code = lexer.word("a code of ICMP");
  const known = icmpCodeNames(type);
  if (!/^\d+$/.test(code) && !known.includes(code)) {
    if (known.length === 0) lexer.fail(`the ICMP type “${type}” has no codes`, start);
    lexer.fail(unknownName(`code of the ICMP type “${type}”`, code, known), start);
  }
  return code;
}

/** The message behind the word `icmp`. */
export function parseIcmp(lexer: Lexer): IcmpBody {
  const start = lexer.mark();
  let type: string;
  if (lexer.looksAtInteger()) type = `${lexer.integer("the type of ICMP", 0xff)}`;
  else type = lexer.word("a type of ICMP, e.g. unreachable");
  if (!/^\d+$/.test(type) && !icmpTypeNames.includes(type)) {
    lexer.fail(unknownName("type of ICMP", type, icmpTypeNames), start);
  }
  const body: { -readonly [Key in keyof IcmpBody]: IcmpBody[Key] } = { kind: "icmp", type };
  const code = parseCode(lexer, type);
  if (code !== undefined) body.code = code;
  if (lexer.acceptWord("mtu")) body.mtu = lexer.integer("the MTU");
  if (lexer.acceptWord("id")) body.identifier = lexer.integer("the identifier", 0xffff);
  const echoed = parseEchoed(lexer);
  if (echoed !== undefined) body.echoed = echoed;
  return body;
}
