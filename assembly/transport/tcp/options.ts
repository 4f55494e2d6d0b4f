/** TCP options (RFC 9293 section 3.2, RFC 7323). Unknown kinds are skipped by their length. */
import { segmentHeader } from "./segment";
import { Tcp } from "../../wire/tcp";

const KIND_END: u32 = 0;
const KIND_NO_OPERATION: u32 = 1;
const KIND_MSS: u32 = 2;
const KIND_WINDOW_SCALE: u32 = 3;

/** RFC 9293 section 3.7.1: what a peer without the option takes. */
export const MSS_DEFAULT: u32 = 536;
/** Below this an MSS is an attack (CVE-2019-11477 class), not a link. */
export const MSS_FLOOR: u32 = 64;
/** RFC 7323 section 2.3: larger shifts are taken as 14. */
export const SCALE_MAX: u32 = 14;
/** Says that the SYN had no window scale option. */
export const SCALE_NONE: u32 = 255;

/** The peer's MSS in bytes, from the SYN last parsed. */
export let peerMss: u32 = MSS_DEFAULT;
/** The peer's window shift, or SCALE_NONE. */
export let peerScale: u32 = SCALE_NONE;

/** Parses the options of the SYN being processed. A length that lies ends the parsing. */
export function parseSynOptions(): void {
  peerMss = MSS_DEFAULT;
  peerScale = SCALE_NONE;
  let at = segmentHeader + Tcp.HEADER_LENGTH;
  const end = segmentHeader + Tcp.headerLength(segmentHeader);
  while (at < end) {
    const kind: u32 = load<u8>(at);
    if (kind == KIND_END) return;
    if (kind == KIND_NO_OPERATION) {
      at++;
      continue;
    }
    if (at + 1 >= end) return;
    const length: u32 = load<u8>(at, 1);
    if (length < 2 || at + length > end) return;
    if (kind == KIND_MSS && length == 4) {
      peerMss = max(MSS_FLOOR, <u32>bswap<u16>(load<u16>(at, 2)));
    } else if (kind == KIND_WINDOW_SCALE && length == 3) {
      peerScale = min(SCALE_MAX, <u32>load<u8>(at, 2));
    }
    at += length;
  }
}

/** Stands in for the options of a SYN that nobody kept: an MSS and no window scale. */
export function recallSynOptions(mss: u32): void {
  peerMss = mss;
  peerScale = SCALE_NONE;
}

/** Bytes of options a SYN of ours carries: MSS and, when asked, window scale with its padding. */
export function synOptionBytes(scaling: bool): u32 {
  return scaling ? 8 : 4;
}

/** Writes them at `at`. */
export function writeSynOptions(at: usize, mss: u32, scaling: bool, shift: u32): void {
  store<u16>(at, <u16>(KIND_MSS | (4 << 8)));
  store<u16>(at, bswap<u16>(<u16>mss), 2);
  if (!scaling) return;
  store<u32>(at, KIND_NO_OPERATION | (KIND_WINDOW_SCALE << 8) | (3 << 16) | (shift << 24), 4);
}
