/**
 * IPv4 reassembly (RFC 791 section 3.2, RFC 1122 section 3.3.2) within bounds: so many sets, so many
 * frames a set and an eighth of the pool in all, the oldest set giving way. Fragments that overlap
 * or contradict each other condemn their whole set (RFC 5722 section 4 does so for IPv6).
 */
import { COUNTER_DROP_FRAGMENT, COUNTER_IP_REASSEMBLED, REASSEMBLY_SIZE } from "../layout";
import { count } from "../counters";
import { FRAME_BROADCAST } from "../link/ethernet";
import { lastFrame, skipHeader, addHeader } from "../memory/chain";
import { Frame, framesTotal, release } from "../memory/frame";
import { carve } from "../memory/region";
import { tickAfter } from "../time/clock";
import { TIMER_REASSEMBLY } from "../time/expire";
import { armTimer, forgetTimer, Timer } from "../time/wheel";
import { sumBytes } from "../wire/checksum";
import { Icmpv4 } from "../wire/icmpv4";
import { Ipv4 } from "../wire/ipv4";
import { MAPPED_PREFIX } from "./address";
import { icmpSendError } from "./icmp";
import { countFrames } from "./ipv4-send";

const TIMEOUT_US: u32 = 30_000_000;
/** A datagram of 64 KiB in packets of 576 bytes has 119 fragments. */
const FRAMES_MAX: u16 = 128;
/** No codepoint: fragments of one datagram cannot be both. */
const ECN_CONTRADICTION: u32 = 4;

@unmanaged
class FragmentSet extends Timer {
  /** IPv4-mapped addresses, network byte order. */
  sourceHigh: u64;
  sourceMapped: u32;
  source: u32;
  destinationHigh: u64;
  destinationMapped: u32;
  destination: u32;
  identification: u32;
  /**
   * Fragments in order, held by `link`: each begins at its payload, `sequence` is its offset in
   * bytes, `mark` is 1 when more fragments follow, `detail` the length of its header.
   */
  head: Frame | null;
  tail: Frame | null;
  frames: u16;
  protocol: u8;
  inUse: u8;
}

if (offsetof<FragmentSet>() != REASSEMBLY_SIZE) ERROR("FragmentSet drifted from layout.ts");

let sets: usize = 0;
let setCount: u32 = 0;
let framesHeld: u32 = 0;

export function openReassembly(limit: u32): void {
  setCount = limit;
  framesHeld = 0;
  sets = carve(limit * REASSEMBLY_SIZE, 64);
}

function setAt(index: u32): FragmentSet {
  return changetype<FragmentSet>(sets + <usize>index * REASSEMBLY_SIZE);
}

/**
 * Takes a fragment that begins with its IP header. Returns the whole datagram, its header made that
 * of an unfragmented one, when this was the last piece missing; null otherwise.
 */
export function reassemble(fragment: Frame): Frame | null {
  const at = fragment.data;
  const set = findSet(at);
  if (set === null) {
    drop(fragment);
    return null;
  }
  describe(fragment, at);
  if (!insert(set, fragment) || !isWithinBounds(set)) {
    condemn(set);
    return null;
  }
  return isComplete(set) ? assembled(set) : null;
}

/** Reads the header into the frame's record and moves its start to the payload. */
function describe(fragment: Frame, at: usize): void {
  const headerLength = Ipv4.headerLength(at);
  const field = Ipv4.fragment(at);
  fragment.sequence = (field & Ipv4.FRAGMENT_OFFSET) << 3;
  fragment.mark = (field & Ipv4.MORE_FRAGMENTS) != 0 ? 1 : 0;
  fragment.detail = headerLength;
  fragment.link = null;
  skipHeader(fragment, headerLength);
}

/** No fragment is empty, ends off an 8-byte border before the last, or lies beyond 65,535 bytes. */
function isPlausible(fragment: Frame): bool {
  if (fragment.total == 0) return false;
  if (fragment.sequence + fragment.total > Ipv4.LENGTH_MAX - fragment.detail) return false;
  return fragment.mark == 0 || (fragment.total & 7) == 0;
}

/** The set that a header belongs to, new when there is none; null when the stack has no sets. */
function findSet(at: usize): FragmentSet | null {
  const source = Ipv4.source(at);
  const destination = Ipv4.destination(at);
  const identification = Ipv4.identification(at);
  const protocol = Ipv4.protocol(at);
  let free: FragmentSet | null = null;
  for (let index: u32 = 0; index < setCount; index++) {
    const set = setAt(index);
    if (set.inUse == 0) {
      free = set;
    } else if (
      set.identification == identification &&
      set.source == source &&
      set.destination == destination &&
      set.protocol == protocol
    ) {
      return set;
    }
  }
  const set = free !== null ? free : evictOldest();
  if (set === null) return null;
  set.sourceMapped = MAPPED_PREFIX;
  set.source = source;
  set.destinationMapped = MAPPED_PREFIX;
  set.destination = destination;
  set.identification = identification;
  set.protocol = <u8>protocol;
  set.inUse = 1;
  set.kind = TIMER_REASSEMBLY;
  armTimer(set, tickAfter(TIMEOUT_US));
  return set;
}

/** Gives up the set that has waited longest; null when none is in use. */
function evictOldest(): FragmentSet | null {
  let oldest: FragmentSet | null = null;
  for (let index: u32 = 0; index < setCount; index++) {
    const set = setAt(index);
    if (set.inUse == 0) continue;
    if (oldest === null || <i32>(set.deadline - oldest.deadline) < 0) oldest = set;
  }
  if (oldest !== null) condemn(oldest);
  return oldest;
}

/**
 * Puts a fragment in its place; the set owns it then. A duplicate is released. False, the fragment
 * released, when it cannot be true, overlaps another one or lies beyond the datagram's end.
 */
function insert(set: FragmentSet, fragment: Frame): bool {
  const tail = set.tail;
  let before: Frame | null = null;
  let after: Frame | null = null;
  if (tail !== null && fragment.sequence >= tail.sequence + tail.total) {
    before = tail;
  } else {
    after = set.head;
    while (after !== null && after.sequence < fragment.sequence) {
      before = after;
      after = after.link;
    }
  }
  if (after !== null && isSameRange(after, fragment)) {
    drop(fragment);
    return true;
  }
  if (!isPlausible(fragment) || !fits(before, fragment, after)) {
    drop(fragment);
    return false;
  }
  fragment.link = after;
  if (before === null) set.head = fragment;
  else before.link = fragment;
  if (after === null) set.tail = fragment;
  const frames = countFrames(fragment);
  set.frames += <u16>frames;
  framesHeld += frames;
  return true;
}

function isSameRange(one: Frame, other: Frame): bool {
  return one.sequence == other.sequence && one.total == other.total && one.mark == other.mark;
}

/** Says whether neighbours in order neither overlap nor follow the datagram's last fragment. */
function fits(before: Frame | null, fragment: Frame, after: Frame | null): bool {
  if (before !== null) {
    if (before.mark == 0 || before.sequence + before.total > fragment.sequence) return false;
  }
  if (after === null) return true;
  return fragment.mark != 0 && fragment.sequence + fragment.total <= after.sequence;
}

/** Keeps a set's and all sets' frames within their limits; older sets give way to this one. */
function isWithinBounds(set: FragmentSet): bool {
  if (set.frames > FRAMES_MAX) return false;
  while (framesHeld > framesTotal() >> 3) {
    if (evictOldest() == set) return false;
  }
  return true;
}

function isComplete(set: FragmentSet): bool {
  const tail = set.tail;
  if (tail === null || tail.mark != 0) return false;
  let fragment = set.head;
  let expected: u32 = 0;
  while (fragment !== null) {
    if (fragment.sequence != expected) return false;
    expected += fragment.total;
    fragment = fragment.link;
  }
  return true;
}

/** Joins the fragments of a complete set under the first one's header, and frees the set. */
function assembled(set: FragmentSet): Frame | null {
  const head = <Frame>set.head;
  const total = (<Frame>set.tail).sequence + (<Frame>set.tail).total;
  if (total + head.detail > Ipv4.LENGTH_MAX) {
    condemn(set);
    return null;
  }
  const codepoint = ecnOf(head);
  if (codepoint == ECN_CONTRADICTION) {
    condemn(set);
    return null;
  }
  let fragment = head;
  let next = fragment.link;
  while (next !== null) {
    lastFrame(fragment).next = next;
    fragment.link = null;
    fragment = next;
    next = fragment.link;
  }
  set.head = null;
  freeSet(set);
  head.total = total;
  // What the device said of one fragment's checksum says nothing of the whole.
  head.flags &= FRAME_BROADCAST;
  addHeader(head, head.detail);
  const at = head.data;
  Ipv4.setEcn(at, codepoint);
  Ipv4.setTotalLength(at, head.total);
  Ipv4.setFragment(at, 0);
  Ipv4.setChecksum(at, 0);
  Ipv4.setChecksum(at, ~sumBytes(at, head.detail));
  count(COUNTER_IP_REASSEMBLED);
  return head;
}

/**
 * The ECN field of a whole datagram: its fragments', or that one of them met congestion, if all were
 * capable of ECN; where some were not, nobody could be told but by a loss (RFC 3168 section 5.3).
 */
function ecnOf(head: Frame): u32 {
  const own = fragmentEcn(head);
  let experienced = own == Ipv4.CE;
  let incapable = own == Ipv4.NOT_ECT;
  let fragment = head.link;
  while (fragment !== null) {
    const codepoint = fragmentEcn(fragment);
    if (codepoint == Ipv4.CE) experienced = true;
    else if (codepoint == Ipv4.NOT_ECT) incapable = true;
    const next: Frame | null = fragment.link;
    fragment = next;
  }
  if (!experienced) return own;
  return incapable ? ECN_CONTRADICTION : Ipv4.CE;
}

/** Of the header that still stands before a fragment's payload. */
function fragmentEcn(fragment: Frame): u32 {
  return Ipv4.ecn(fragment.data - fragment.detail);
}

/** Drops a whole set. */
function condemn(set: FragmentSet): void {
  let fragment = set.head;
  while (fragment !== null) {
    const next = fragment.link;
    drop(fragment);
    fragment = next;
  }
  freeSet(set);
}

function freeSet(set: FragmentSet): void {
  framesHeld -= set.frames;
  set.frames = 0;
  set.head = null;
  set.tail = null;
  set.inUse = 0;
  forgetTimer(set);
}

/** A set's time is up; the sender is told when it can be named (RFC 1122 section 3.3.2). */
export function reassemblyTimer(record: usize): void {
  const set = changetype<FragmentSet>(record);
  const first = set.head;
  if (first !== null && first.sequence == 0) {
    addHeader(first, first.detail);
    icmpSendError(first, Icmpv4.TYPE_TIME_EXCEEDED, Icmpv4.CODE_REASSEMBLY_TIMEOUT);
  }
  condemn(set);
}

function drop(fragment: Frame): void {
  count(COUNTER_DROP_FRAGMENT);
  release(fragment);
}
