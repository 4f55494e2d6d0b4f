/**
 * TCP options (RFC 9293 section 3.2, RFC 7323, RFC 2018). Unknown kinds are skipped by their length.
 * What was read of the segment under way stands in globals, like the segment itself.
 */
import { Tcp } from "../../wire/tcp";
import { SACK_PERMITTED, TIMESTAMPS } from "./record";
import { segmentHeader } from "./segment";

const KIND_END: u32 = 0;
const KIND_NO_OPERATION: u32 = 1;
const KIND_MSS: u32 = 2;
const KIND_WINDOW_SCALE: u32 = 3;
const KIND_SACK_PERMITTED: u32 = 4;
const KIND_TIMESTAMPS: u32 = 8;
const KIND_FAST_OPEN: u32 = 34;
/** RFC 6994: shared by experiments, told apart by the number that follows the length. */
const KIND_EXPERIMENT: u32 = 254;
/** Fast Open's number before it had a kind of its own, as memory holds it. */
const FAST_OPEN_EXPERIMENT: u16 = 0x89f9;
const COOKIE_MIN: u32 = 4;
export const COOKIE_MAX: u32 = 16;

const TIMESTAMPS_LENGTH: u32 = 10;
/** Two words of it are the timestamps; the first aligns them. */
export const TIMESTAMPS_BYTES: u32 = 12;
/** First word of the layout that RFC 7323 appendix A asks for: two no-operations, kind, length. */
export const TIMESTAMPS_WORD: u32 =
  KIND_NO_OPERATION |
  (KIND_NO_OPERATION << 8) |
  (KIND_TIMESTAMPS << 16) |
  (TIMESTAMPS_LENGTH << 24);

/** RFC 9293 section 3.7.1: what a peer without the option takes. */
export const MSS_DEFAULT: u32 = 536;
/** Below this an MSS is an attack (CVE-2019-11477 class), not a link. */
export const MSS_FLOOR: u32 = 64;
/** RFC 7323 section 2.3: larger shifts are taken as 14. */
export const SCALE_MAX: u32 = 14;
/** Says that the SYN had no Fast Open option, or none that counts. */
export const COOKIE_NONE: u32 = u32.MAX_VALUE;
/** Says that the SYN had no window scale option. */
export const SCALE_NONE: u32 = 255;

/** The peer's MSS in bytes, from the SYN last parsed. */
export let peerMss: u32 = MSS_DEFAULT;
/** The peer's window shift, or SCALE_NONE. */
export let peerScale: u32 = SCALE_NONE;
/** Bytes of the Fast Open cookie that the segment last read brings; 0: it asks for one; or COOKIE_NONE. */
export let peerCookieBytes: u32 = COOKIE_NONE;
/** Where those bytes are; valid while the packet is. */
export let peerCookie: usize = 0;
/** The option stood in its experimental form. */
export let isCookieExperimental: bool = false;
/** Bits of `agreed` whose options the segment last read has. */
export let peerOptions: u8 = 0;
/** SEG.TSval and SEG.TSecr, when `peerOptions` has TIMESTAMPS. */
export let segmentTimestamp: u32 = 0;
export let segmentEcho: u32 = 0;

/** Parses the options of the segment being processed. A length that lies ends the parsing. */
export function parseOptions(): void {
  peerMss = MSS_DEFAULT;
  peerScale = SCALE_NONE;
  peerOptions = 0;
  peerCookieBytes = COOKIE_NONE;
  isCookieExperimental = false;
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
    takeOption(at, kind, length);
    at += length;
  }
}

/** Stands in for the options of a SYN that nobody kept: an MSS and nothing else. */
export function recallSynOptions(mss: u32): void {
  peerMss = mss;
  peerScale = SCALE_NONE;
  peerOptions = 0;
  peerCookieBytes = COOKIE_NONE;
}

function takeOption(at: usize, kind: u32, length: u32): void {
  if (kind == KIND_MSS && length == 4) {
    peerMss = max(MSS_FLOOR, <u32>bswap<u16>(load<u16>(at, 2)));
  } else if (kind == KIND_WINDOW_SCALE && length == 3) {
    peerScale = min(SCALE_MAX, <u32>load<u8>(at, 2));
  } else if (kind == KIND_SACK_PERMITTED && length == 2) {
    peerOptions |= SACK_PERMITTED;
  } else if (kind == KIND_TIMESTAMPS && length == TIMESTAMPS_LENGTH) {
    takeTimestamps(at + 2);
  } else if (kind == KIND_FAST_OPEN) {
    takeCookie(at + 2, length - 2, false);
  } else if (kind == KIND_EXPERIMENT && length >= 4 && load<u16>(at, 2) == FAST_OPEN_EXPERIMENT) {
    takeCookie(at + 4, length - 4, true);
  }
}

/** RFC 7413 section 4.1.1: an even number of bytes, 4 to 16; anything else is no cookie. */
function takeCookie(at: usize, bytes: u32, experimental: bool): void {
  if ((bytes & 1) != 0) return;
  const isCookie = bytes >= COOKIE_MIN && bytes <= COOKIE_MAX;
  peerCookieBytes = isCookie || bytes == 0 ? bytes : COOKIE_NONE;
  peerCookie = at;
  isCookieExperimental = experimental;
}

function takeTimestamps(at: usize): void {
  peerOptions |= TIMESTAMPS;
  segmentTimestamp = bswap<u32>(load<u32>(at));
  segmentEcho = bswap<u32>(load<u32>(at, 4));
}

/** Reads the timestamps of the segment being processed. False when it has none. */
export function readTimestamps(): bool {
  const options = segmentHeader + Tcp.HEADER_LENGTH;
  const length = Tcp.headerLength(segmentHeader);
  if (length == Tcp.HEADER_LENGTH + TIMESTAMPS_BYTES && load<u32>(options) == TIMESTAMPS_WORD) {
    takeTimestamps(options + 4);
    return true;
  }
  parseOptions();
  return (peerOptions & TIMESTAMPS) != 0;
}

/**
 * Bytes of options a SYN of ours carries: the MSS, then what of `offers` and window scale is asked
 * for, padded to words. SACK-permitted takes the place of the timestamps' padding.
 */
export function synOptionBytes(offers: u8, scaling: bool): u32 {
  let bytes: u32 = 4;
  if ((offers & TIMESTAMPS) != 0) bytes += TIMESTAMPS_BYTES;
  else if ((offers & SACK_PERMITTED) != 0) bytes += 4;
  return scaling ? bytes + 4 : bytes;
}

/** Writes them at `at`; `timestamp` and `echo` are TSval and TSecr. */
export function writeSynOptions(
  at: usize,
  mss: u32,
  offers: u8,
  timestamp: u32,
  echo: u32,
  scaling: bool,
  shift: u32,
): void {
  const permitted: u32 = KIND_SACK_PERMITTED | (2 << 8);
  store<u16>(at, <u16>(KIND_MSS | (4 << 8)));
  store<u16>(at, bswap<u16>(<u16>mss), 2);
  let place = at + 4;
  if ((offers & TIMESTAMPS) != 0) {
    store<u32>(place, TIMESTAMPS_WORD);
    if ((offers & SACK_PERMITTED) != 0) store<u16>(place, <u16>permitted);
    store<u32>(place, bswap<u32>(timestamp), 4);
    store<u32>(place, bswap<u32>(echo), 8);
    place += TIMESTAMPS_BYTES;
  } else if ((offers & SACK_PERMITTED) != 0) {
    store<u32>(place, KIND_NO_OPERATION | (KIND_NO_OPERATION << 8) | (permitted << 16));
    place += 4;
  }
  if (!scaling) return;
  store<u32>(place, KIND_NO_OPERATION | (KIND_WINDOW_SCALE << 8) | (3 << 16) | (shift << 24));
}

/** Bytes that a Fast Open option with a cookie of so many bytes takes, padded to words. */
export function cookieOptionBytes(cookieBytes: u32, experimental: bool): u32 {
  return (cookieBytes + (experimental ? 4 : 2) + 3) & ~3;
}

/** Writes that option; returns where the bytes of the cookie go. */
export function writeCookieOption(at: usize, cookieBytes: u32, experimental: bool): usize {
  const header: u32 = experimental ? 4 : 2;
  const end = at + cookieOptionBytes(cookieBytes, experimental);
  store<u32>(end - 4, KIND_NO_OPERATION * 0x01010101);
  store<u8>(at, <u8>(experimental ? KIND_EXPERIMENT : KIND_FAST_OPEN));
  store<u8>(at, <u8>(cookieBytes + header), 1);
  if (experimental) store<u16>(at, FAST_OPEN_EXPERIMENT, 2);
  return at + header;
}
