/**
 * Demikernel's dialect: `TCP < S seq 0(0) win 65535 <mss 1450>`, `UDP > len 64`, every event on a
 * line of its own, and calls that only begin what a later `wait` completes.
 */
import type { Lexer } from "./lexer";
import { parseDirection } from "./parse-packet";
import { parseFlags, parseTcpRest } from "./parse-tcp";
import type { PacketAction } from "./script";

/** Words that only this dialect has at these places. */
const dialectPattern =
  /^[ \t]*\+?[\d.]+[ \t]+(?:(?:TCP|UDP)[ \t]*[<>]|(?:wait|push|pushto|pop)[ \t]*\()/m;

/** Whether a script without `--dialect` reads like Demikernel's; comments do not count. */
export function looksLikeDemikernel(text: string): boolean {
  return dialectPattern.test(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ""));
}

function direction(lexer: Lexer): PacketAction["direction"] {
  return parseDirection(lexer) ?? lexer.failExpected("“<” (to the stack) or “>” (from the stack)");
}

/** A packet of this dialect; undefined when something else stands there. */
export function parseDemikernelPacket(lexer: Lexer): PacketAction | undefined {
  const common = { kind: "packet" as const, outerHeaders: [], ip: {} };
  if (lexer.acceptWord("UDP")) {
    const way = direction(lexer);
    lexer.expectWord("len", "and the length of the datagram, e.g. UDP > len 64");
    const length = lexer.integer("the length of the datagram's payload", 0xffff);
    return { ...common, direction: way, body: { kind: "udp", length } };
  }
  if (!lexer.acceptWord("TCP")) return undefined;
  const way = direction(lexer);
  const flags = parseFlags(lexer);
  lexer.expectWord("seq", "and the sequence number, e.g. seq 1(1000)");
  const sequence = lexer.integer("the sequence number, e.g. seq 1(1000)");
  lexer.expect("(", "and the length of the segment, e.g. seq 1(1000)");
  const length = lexer.integer("the length of the segment, e.g. seq 1(1000)", 0xffff);
  lexer.expect(")", "behind the length of the segment");
  const rest = parseTcpRest(lexer);
  return { ...common, direction: way, body: { kind: "tcp", ...flags, sequence, length, ...rest } };
}
