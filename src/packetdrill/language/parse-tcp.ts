/** A TCP segment: flags, sequence numbers, window, urgent pointer, options. */
import {
  TCP_ACK,
  TCP_AE,
  TCP_CWR,
  TCP_ECE,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
} from "../../packet/types";
import type { Lexer } from "./lexer";
import { parseTcpOptions } from "./parse-tcp-options";
import type { TcpBody } from "./script";

const flagBits: Readonly<Record<string, number>> = {
  F: TCP_FIN,
  S: TCP_SYN,
  R: TCP_RST,
  P: TCP_PSH,
  ".": TCP_ACK,
  U: TCP_URG,
  E: TCP_ECE,
  W: TCP_CWR,
  A: TCP_AE,
};

const flagsPattern = /-|[A-Za-z.]+[0-9]?|[0-9](?=\s+[0-9]+:)/y;

/** `S.`, `PW.`, `-`, `.5` */
export function parseFlags(lexer: Lexer): { flags: number; ace?: number } {
  const start = lexer.mark();
  const text = lexer.match(flagsPattern)?.[0];
  if (text === undefined) return lexer.failExpected("TCP flags, e.g. S. (or a system call)");
  if (text === "-") return { flags: 0 };
  let flags = 0;
  for (const [index, letter] of [...text.replace(/\d$/, "")].entries()) {
    const bit = flagBits[letter];
    if (bit === undefined) {
      return lexer.fail(`“${letter}” is no TCP flag: they are F S R P . U E W A`, start + index);
    }
    if ((flags & bit) !== 0) lexer.fail(`the flag “${letter}” is given twice`, start + index);
    flags |= bit;
  }
  const digit = /\d$/.exec(text)?.[0];
  if (digit === undefined) return { flags };
  if (Number(digit) > 7) lexer.fail(`the ACE counter is 0 to 7, not ${digit}`, start);
  if ((flags & (TCP_AE | TCP_CWR | TCP_ECE)) !== 0) {
    lexer.fail("the ACE counter is made of A, W and E: give one or the other", start);
  }
  return { flags, ace: Number(digit) };
}

/** `1:1001(1000)`, start and end relative to the initial sequence number. */
export function parseSequence(lexer: Lexer): { sequence: number; length: number } {
  const start = lexer.mark();
  const sequence = lexer.integer("a sequence number and length, e.g. 1:1001(1000)");
  lexer.expect(":", "and the end of the segment, e.g. 1:1001(1000)");
  const end = lexer.integer("the end of the segment, e.g. 1:1001(1000)");
  lexer.expect("(", "and the length of the segment, e.g. 1:1001(1000)");
  const length = lexer.integer("the length of the segment, e.g. 1:1001(1000)", 0xffff);
  lexer.expect(")", "behind the length of the segment");
  const right = (sequence + length) >>> 0;
  if (end !== right) {
    lexer.fail(
      `${sequence} and ${length} bytes end at ${right}, not ${end}: ` +
        `should it be ${sequence}:${right}(${length}) or ` +
        `${sequence}:${end}(${(end - sequence) >>> 0})?`,
      start,
    );
  }
  return { sequence, length };
}

/** What follows flags and sequence numbers in every dialect. */
export function parseTcpRest(
  lexer: Lexer,
): Omit<TcpBody, "kind" | "flags" | "sequence" | "length"> {
  const rest: { -readonly [Key in "acknowledgment" | "window" | "urgentPointer"]?: number } = {};
  if (lexer.acceptWord("ack")) rest.acknowledgment = lexer.integer("the number acknowledged");
  if (lexer.acceptWord("win")) rest.window = lexer.integer("the window", 0xffff);
  if (lexer.acceptWord("urg")) rest.urgentPointer = lexer.integer("the urgent pointer", 0xffff);
  return { ...rest, options: parseTcpOptions(lexer) };
}

/** The segment behind direction, IP fields and ports. */
export function parseTcp(lexer: Lexer): TcpBody {
  const flags = parseFlags(lexer);
  const sequence = parseSequence(lexer);
  return { kind: "tcp", ...flags, ...sequence, ...parseTcpRest(lexer) };
}
