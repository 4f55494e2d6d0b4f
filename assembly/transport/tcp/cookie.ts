/**
 * SYN cookies (RFC 4987 section 3.6): an initial sequence number that holds what a half-open
 * connection would have to remember, so that a SYN costs no memory until its sender has answered.
 *
 *   cookie = MAC(4-tuple) + SEG.SEQ + (period << 27 | class << 24 | MAC(4-tuple, period, class))
 *
 * The period is a clock of 67 s, the class one of eight sizes of segment, the second MAC has 24 bits.
 * The first hides all three, so a number that was not made here passes for a cookie with probability
 * 2 periods × 8 classes / 2^32.
 */
import { sipHash24 } from "../../crypto/siphash";
import { KEY_SEQUENCES, secretKey } from "../../random";
import { nowUs } from "../../time/clock";
import { segmentLocal, segmentPorts, segmentRemote } from "./segment";

/** A period lasts 2^26 µs. */
const PERIOD_SHIFT: u64 = 26;
/** A cookie is good in the period it was made in and in the next: for 67 to 134 s. */
const PERIODS: u32 = 2;
/** No cookie lives longer: two periods in milliseconds, rounded up. */
export const COOKIE_LIFE_MS: u32 = 134_218;
const PERIOD_BITS: u32 = 5;
const CLASS_BITS: u32 = 3;
const MAC_BITS: u32 = 24;
const CLASS_MASK: u32 = (1 << CLASS_BITS) - 1;
/** Growing; the first is the floor of what a peer may ask for (options.ts). */
const CLASS_SIZES: usize = memory.data<u16>([64, 536, 1220, 1300, 1400, 1440, 1460, 8960]);

/** Marks a message that is no RFC 6528 one, which has 0 above the local address. */
const TUPLE_MARK: u64 = (<u64>1) << 63;
const PERIOD_MARK: u64 = (<u64>1) << 62;
const MESSAGE_MASK: u64 = PERIOD_MARK - 1;
const PERIOD_MASK: u32 = (1 << PERIOD_BITS) - 1;

const USED_SHIFT: u32 = 9;
const USED_SIZE: u32 = 4096;
/** The last connections that cookies opened, by a digest of their segment; 0 is a free place. */
const used: usize = memory.data(4096, 8);

export function openCookies(): void {
  memory.fill(used, 0, USED_SIZE);
}

/** MAC of the segment's 4-tuple together with `message`, which lies above the local address. */
function mac(message: u64): u64 {
  const tuple = ((<u64>segmentRemote) << 32) | segmentPorts;
  const keyed = message | segmentLocal;
  return sipHash24(secretKey(KEY_SEQUENCES), secretKey(KEY_SEQUENCES + 1), tuple, keyed);
}

/** Period, class and the MAC of both. */
function sealed(period: u32, index: u32): u32 {
  const clear = ((period & PERIOD_MASK) << CLASS_BITS) | index;
  const message = ((<u64>((period << CLASS_BITS) | index)) << 32) & MESSAGE_MASK;
  return (clear << MAC_BITS) | ((<u32>mac(PERIOD_MARK | message)) & ((1 << MAC_BITS) - 1));
}

function sizeOf(index: u32): u32 {
  return load<u16>(CLASS_SIZES + ((<usize>index) << 1));
}

function periodNow(): u32 {
  return <u32>(nowUs >> PERIOD_SHIFT);
}

/** The cookie for the SYN being processed, whose sender takes segments of `mss` bytes. */
export function makeCookie(sequence: u32, mss: u32): u32 {
  let index = CLASS_MASK;
  while (index > 0 && sizeOf(index) > mss) index--;
  return <u32>mac(TUPLE_MARK) + sequence + sealed(periodNow(), index);
}

/**
 * The segment size that `cookie` holds, if it was made for the 4-tuple of the segment being processed
 * and a SYN of number `sequence`, not too long ago, and has opened no connection yet; 0 otherwise.
 */
export function readCookie(cookie: u32, sequence: u32): u32 {
  const tuple = mac(TUPLE_MARK);
  const rest = cookie - <u32>tuple - sequence;
  const index = (rest >> MAC_BITS) & CLASS_MASK;
  const now = periodNow();
  const age = (now - (rest >> (MAC_BITS + CLASS_BITS))) & PERIOD_MASK;
  if (age >= PERIODS || rest != sealed(now - age, index)) return 0;
  return isUsed(digest(tuple, cookie, sequence)) ? 0 : sizeOf(index);
}

/** A cookie opens once: a copy of its segment that comes when the connection is over opens nothing. */
export function useCookie(cookie: u32, sequence: u32): void {
  const entry = digest(mac(TUPLE_MARK), cookie, sequence);
  store<u64>(place(entry), entry);
}

function digest(tuple: u64, cookie: u32, sequence: u32): u64 {
  return tuple ^ (((<u64>cookie) << 32) | sequence);
}

function place(entry: u64): usize {
  return used + ((<usize>((entry * 0x9e3779b97f4a7c15) >> (<u64>(64 - USED_SHIFT)))) << 3);
}

function isUsed(entry: u64): bool {
  return load<u64>(place(entry)) == entry;
}
