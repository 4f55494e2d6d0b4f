/** A packet while it is being read. */
import type { Packet } from "./types";

export type Draft = { -readonly [Key in keyof Packet]: Packet[Key] } & { problems: string[] };

/** What parsers share about the frame they read; all offsets are in `bytes`. */
export interface Reading {
  readonly bytes: Uint8Array;
  /** Over `bytes`. */
  readonly view: DataView;
  /** Where the IP header starts. */
  readonly start: number;
  /** Verify checksums. */
  readonly checksums: boolean;
  /** An ICMP error's quotation: cut off anywhere is no problem (RFC 792, RFC 1812). */
  readonly quoted: boolean;
}

/** What the IP header says about the bytes behind it. */
export interface Transport {
  readonly protocol: number;
  readonly version: 4 | 6;
  readonly start: number;
  /** By the IP header, or where the bytes end when that is earlier. */
  readonly end: number;
  /** Sum of both addresses for the pseudo-header; undefined when the final one is not known. */
  readonly addressesSum: number | undefined;
  /** Everything is here: neither cut off nor a fragment. */
  readonly isWhole: boolean;
}

/** Four hexadecimal digits. */
export function hex16(value: number): string {
  return `0x${value.toString(16).padStart(4, "0")}`;
}
