/** TCP options (RFC 9293 section 3.1 and the RFCs named at each kind in types.ts). */
import {
  FASTOPEN_MAGIC,
  TCP_OPTION_ACCECN0,
  TCP_OPTION_ACCECN1,
  TCP_OPTION_EOL,
  TCP_OPTION_EXPERIMENT,
  TCP_OPTION_FASTOPEN,
  TCP_OPTION_MD5,
  TCP_OPTION_MSS,
  TCP_OPTION_NOP,
  TCP_OPTION_SACK,
  TCP_OPTION_SACK_OK,
  TCP_OPTION_TIMESTAMP,
  TCP_OPTION_WSCALE,
} from "./protocols";
import type { SackBlock, TcpOption } from "./types";

/** Lengths that an option may have, for those with rules; what has another one reads as unknown. */
const rightLength: Readonly<Record<number, (length: number) => boolean>> = {
  [TCP_OPTION_MSS]: (length) => length === 4,
  [TCP_OPTION_WSCALE]: (length) => length === 3,
  [TCP_OPTION_SACK_OK]: (length) => length === 2,
  [TCP_OPTION_SACK]: (length) => length >= 10 && length % 8 === 2,
  [TCP_OPTION_TIMESTAMP]: (length) => length === 10,
  [TCP_OPTION_MD5]: (length) => length === 18,
  [TCP_OPTION_ACCECN0]: (length) => length <= 11 && length % 3 === 2,
  [TCP_OPTION_ACCECN1]: (length) => length <= 11 && length % 3 === 2,
};

/** Reads the options in [start, end) up to the end of the list or the first that has no end. */
export function parseTcpOptions(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  options: TcpOption[],
  problems: string[],
): void {
  let at = start;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === TCP_OPTION_EOL) {
      options.push({ kind: "eol" });
      checkPadding(view, at + 1, end, problems);
      return;
    }
    if (kind === TCP_OPTION_NOP) {
      options.push({ kind: "nop" });
      at++;
      continue;
    }
    if (at + 1 === end) {
      problems.push(`TCP option ${kind} has no length`);
      return;
    }
    const length = view.getUint8(at + 1);
    if (length < 2) {
      problems.push(`TCP option ${kind} has length ${length}`);
      return;
    }
    if (at + length > end) {
      problems.push(`TCP option ${kind} of ${length} bytes reaches behind the header`);
      return;
    }
    options.push(readOption(bytes, view, at, kind, length, problems));
    at += length;
  }
}

/** RFC 9293 MUST-69. */
function checkPadding(view: DataView, start: number, end: number, problems: string[]): void {
  for (let at = start; at < end; at++) {
    if (view.getUint8(at) === 0) continue;
    problems.push("TCP options are padded with other bytes than zeros");
    return;
  }
}

function readOption(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  kind: number,
  length: number,
  problems: string[],
): TcpOption {
  const end = at + length;
  if (rightLength[kind]?.(length) === false) {
    problems.push(`TCP option ${kind} has length ${length}`);
    return { kind: "unknown", number: kind, bytes: bytes.subarray(at + 2, end) };
  }
  switch (kind) {
    case TCP_OPTION_MSS:
      return { kind: "mss", mss: view.getUint16(at + 2) };
    case TCP_OPTION_WSCALE:
      return { kind: "wscale", shift: view.getUint8(at + 2) };
    case TCP_OPTION_SACK_OK:
      return { kind: "sackOK" };
    case TCP_OPTION_SACK:
      return { kind: "sack", blocks: readBlocks(view, at + 2, end) };
    case TCP_OPTION_TIMESTAMP: {
      const value = view.getUint32(at + 2);
      return { kind: "timestamp", value, echo: view.getUint32(at + 6) };
    }
    case TCP_OPTION_MD5:
      return { kind: "md5", digest: bytes.subarray(at + 2, end) };
    case TCP_OPTION_ACCECN0:
    case TCP_OPTION_ACCECN1:
      return {
        kind: "accecn",
        order: kind === TCP_OPTION_ACCECN0 ? 0 : 1,
        counters: readCounters(view, at + 2, end),
      };
    case TCP_OPTION_FASTOPEN:
      return readFastopen(bytes.subarray(at + 2, end), false, problems);
    case TCP_OPTION_EXPERIMENT:
      if (length >= 4 && view.getUint16(at + 2) === FASTOPEN_MAGIC) {
        return readFastopen(bytes.subarray(at + 4, end), true, problems);
      }
  }
  return { kind: "unknown", number: kind, bytes: bytes.subarray(at + 2, end) };
}

function readBlocks(view: DataView, start: number, end: number): SackBlock[] {
  const blocks: SackBlock[] = [];
  for (let at = start; at < end; at += 8) {
    blocks.push({ left: view.getUint32(at), right: view.getUint32(at + 4) });
  }
  return blocks;
}

/** RFC 9768 section 3.2.3: 24-bit counters. */
function readCounters(view: DataView, start: number, end: number): number[] {
  const counters: number[] = [];
  for (let at = start; at < end; at += 3) {
    counters.push((view.getUint16(at) << 8) | view.getUint8(at + 2));
  }
  return counters;
}

/** RFC 7413 section 4.1.1: no cookie at all, or 4 to 16 bytes and an even number of them. */
function readFastopen(cookie: Uint8Array, experimental: boolean, problems: string[]): TcpOption {
  const { length } = cookie;
  if (length !== 0 && (length < 4 || length > 16 || length % 2 === 1)) {
    problems.push(`TCP Fast Open cookie has ${length} bytes`);
  }
  return { kind: "fastopen", cookie, experimental };
}
