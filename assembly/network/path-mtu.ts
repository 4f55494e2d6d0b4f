/**
 * What routers have said about the MTU of the paths to other hosts (RFC 1191): a table of fixed size,
 * an entry a destination and transport, so that nothing that is learnt in one way (a segment in
 * flight was quoted) mixes with what is learnt in another (a port was).
 */
import { PATHS_BYTES } from "../memory/plan";
import { carve } from "../memory/region";
import { KEY_NETWORK, secretKey } from "../random";
import { nowUs } from "../time/clock";

/**
 * Packets of up to this many bytes are sent whatever is said of the path, as in Linux (its min_pmtu).
 * Where less passes, they may be fragmented: RFC 1191 section 3 leaves that way open, and nobody can
 * make us send tiny segments (RFC 5927 section 7.1).
 */
export const PATH_MTU_FLOOR: u32 = 552;
/** RFC 791 section 3.2: no link has less (RFC 1191 section 3). */
const LINK_MTU_MIN: u32 = 68;

const WAYS: u32 = 4;
const SETS_SHIFT: u32 = 6;
const ENTRY_SIZE: u32 = 16;
const ENTRY_TRANSPORT: usize = 4;
const ENTRY_MTU: usize = 8;
const ENTRY_UNTIL: usize = 12;
let entries: usize = 0;

if (PATHS_BYTES != (WAYS * ENTRY_SIZE) << SETS_SHIFT) ERROR("plan.ts: the table of paths");

/** Time is counted in units of 2^20 µs here; RFC 1191 section 6.3 recommends ten minutes. */
const UNIT_SHIFT: u64 = 20;
export const PATH_LIFETIME: u32 = 600_000_000 >> 20;

/** No entry holds beyond this time: most hosts never learn anything. */
let lastUntil: u32 = 0;

export function openPaths(): void {
  entries = carve(PATHS_BYTES, 64);
  lastUntil = 0;
}

/** The time in which `pathUntil` and PATH_LIFETIME count. */
export function pathTime(): u32 {
  return <u32>(nowUs >> UNIT_SHIFT);
}

/** Until when what the last `pathMtu` has answered holds. */
export let pathUntil: u32 = 0;

/**
 * Largest IP packet that the path to `destination` carries as far as `transport` was told; 0 when
 * nothing is known. May be below PATH_MTU_FLOOR.
 */
export function pathMtu(destination: u32, transport: u32): u32 {
  const now = pathTime();
  if (now >= lastUntil) return 0;
  const entry = find(destination, transport);
  if (entry == 0 || now >= load<u32>(entry, ENTRY_UNTIL)) return 0;
  pathUntil = load<u32>(entry, ENTRY_UNTIL);
  return load<u32>(entry, ENTRY_MTU);
}

/** Remembers it for PATH_LIFETIME, in the place of the oldest of its set. */
export function rememberPath(destination: u32, transport: u32, mtu: u32): void {
  let entry = find(destination, transport);
  if (entry == 0) entry = oldest(setOf(destination));
  lastUntil = pathTime() + PATH_LIFETIME;
  store<u32>(entry, destination);
  store<u32>(entry, transport, ENTRY_TRANSPORT);
  store<u32>(entry, mtu, ENTRY_MTU);
  store<u32>(entry, lastUntil, ENTRY_UNTIL);
}

export function forgetPath(destination: u32, transport: u32): void {
  const entry = find(destination, transport);
  if (entry != 0) store<u32>(entry, 0, ENTRY_UNTIL);
}

function setOf(destination: u32): usize {
  const set = (<u64>destination * (secretKey(KEY_NETWORK) | 1)) >> (64 - SETS_SHIFT);
  return entries + <usize>set * WAYS * ENTRY_SIZE;
}

function find(destination: u32, transport: u32): usize {
  const set = setOf(destination);
  for (let way: u32 = 0; way < WAYS; way++) {
    const entry = set + way * ENTRY_SIZE;
    if (load<u32>(entry) == destination && load<u32>(entry, ENTRY_TRANSPORT) == transport) {
      return entry;
    }
  }
  return 0;
}

function oldest(set: usize): usize {
  let found = set;
  for (let way: u32 = 1; way < WAYS; way++) {
    const entry = set + way * ENTRY_SIZE;
    if (load<u32>(entry, ENTRY_UNTIL) < load<u32>(found, ENTRY_UNTIL)) found = entry;
  }
  return found;
}

/**
 * The MTU that a "fragmentation needed" tells about a packet of `quotedBytes`, where packets of up to
 * `usedBytes` are sent: the router's word, or from one that does not know RFC 1191 the next plateau
 * below the packet (section 5; some old ones quote a larger length than they got).
 */
export function toldMtu(mtu: u32, quotedBytes: u32, usedBytes: u32): u32 {
  if (mtu == 0) return plateauBelow(min(quotedBytes, usedBytes));
  return max(mtu, LINK_MTU_MIN);
}

/** RFC 1191 section 7.1: the MTUs there are, common ones and the largest of each group. */
function plateauBelow(bytes: u32): u32 {
  if (bytes > 32000) return 32000;
  if (bytes > 17914) return 17914;
  if (bytes > 8166) return 8166;
  if (bytes > 4352) return 4352;
  if (bytes > 2002) return 2002;
  if (bytes > 1492) return 1492;
  if (bytes > 1006) return 1006;
  if (bytes > 508) return 508;
  return bytes > 296 ? 296 : LINK_MTU_MIN;
}
