/** TCP options to bytes. */
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
import type { TcpOption } from "./types";

/** The options one behind the other; nothing is padded or put in order. */
export function tcpOptionBytes(options: readonly TcpOption[]): Uint8Array {
  return Uint8Array.from(options.flatMap(bytesOf));
}

function bytesOf(option: TcpOption): number[] {
  switch (option.kind) {
    case "eol":
      return [TCP_OPTION_EOL];
    case "nop":
      return [TCP_OPTION_NOP];
    case "mss":
      return withLength(TCP_OPTION_MSS, u16(option.mss));
    case "wscale":
      return withLength(TCP_OPTION_WSCALE, [option.shift]);
    case "sackOK":
      return withLength(TCP_OPTION_SACK_OK, []);
    case "sack": {
      const edges = option.blocks.flatMap(({ left, right }) => [...u32(left), ...u32(right)]);
      return withLength(TCP_OPTION_SACK, edges);
    }
    case "timestamp":
      return withLength(TCP_OPTION_TIMESTAMP, [...u32(option.value), ...u32(option.echo)]);
    case "fastopen":
      return option.experimental
        ? withLength(TCP_OPTION_EXPERIMENT, [...u16(FASTOPEN_MAGIC), ...option.cookie])
        : withLength(TCP_OPTION_FASTOPEN, [...option.cookie]);
    case "md5":
      return withLength(TCP_OPTION_MD5, [...option.digest]);
    case "accecn": {
      const kind = option.order === 0 ? TCP_OPTION_ACCECN0 : TCP_OPTION_ACCECN1;
      return withLength(kind, option.counters.flatMap(u24));
    }
    case "unknown":
      return withLength(option.number, [...option.bytes]);
  }
}

/** The length counts the kind's and its own byte. */
function withLength(kind: number, data: readonly number[]): number[] {
  return [kind, data.length + 2, ...data];
}

function u16(value: number): number[] {
  return [(value >>> 8) & 255, value & 255];
}

function u24(value: number): number[] {
  return [(value >>> 16) & 255, ...u16(value)];
}

function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value)];
}
