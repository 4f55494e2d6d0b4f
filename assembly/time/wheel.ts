/**
 * Hierarchical timing wheel (Varghese and Lauck, 1987): arming, disarming and expiry cost O(1).
 *
 * Level l has 64 slots of 64^l ticks; a tick is 128 µs, so five levels reach 38 hours. A timer is
 * sixteen bytes inside its owner's record. Arming a timer that already waits in an earlier slot only
 * moves its deadline: it is put further out when that slot comes up. So a retransmission timer that
 * every acknowledgement pushes back costs one store.
 */
import { WHEEL_LEVELS, WHEEL_SLOTS } from "../layout";
import { WHEEL_BYTES } from "../memory/plan";
import { carve } from "../memory/region";
import { expire } from "./expire";
import { nowTick } from "./clock";

@unmanaged
export class Timer {
  next: Timer | null;
  /** Address of the pointer that points to this timer; 0 while it waits in no slot. */
  from: usize;
  /** Tick at which it expires; meaningful while armed. */
  deadline: u32;
  /** TIMER_…: whom to tell. */
  kind: u8;
  armed: u8;
  /** Slot number (level × 64 + slot) while it waits in one. */
  slot: u16;
}

const SLOT_BITS: u32 = 6;
const SLOT_MASK: u32 = WHEEL_SLOTS - 1;
/** Ticks beyond which a deadline waits in the last slot of the top level and is put again. */
const REACH: u32 = 1 << (SLOT_BITS * WHEEL_LEVELS - 1);

let slots: usize = 0;
/** One u64 a level: which slots hold timers. */
let occupied: usize = 0;
/** Every tick up to and including this one has been served. */
let served: u32 = 0;
let armedCount: u32 = 0;

export function openWheel(): void {
  slots = carve(WHEEL_BYTES, 64);
  occupied = slots + WHEEL_LEVELS * WHEEL_SLOTS * 4;
  served = nowTick;
  armedCount = 0;
}

export function timersArmed(): u32 {
  return armedCount;
}

/** Arms `timer` for `deadline`, a tick from `tickAfter`; it may be armed already. */
export function armTimer(timer: Timer, deadline: u32): void {
  if (!timer.armed) {
    timer.armed = 1;
    armedCount++;
  }
  const before = timer.deadline;
  timer.deadline = deadline;
  if (timer.from != 0) {
    if (<i32>(deadline - before) >= 0) return;
    unlink(timer);
  }
  place(timer, deadline);
}

/** Disarms a timer; it may stay in its slot, so `forgetTimer` before its record is reused. */
export function disarmTimer(timer: Timer): void {
  if (!timer.armed) return;
  timer.armed = 0;
  armedCount--;
}

/** Disarms a timer and takes it out of the wheel. */
export function forgetTimer(timer: Timer): void {
  disarmTimer(timer);
  if (timer.from != 0) unlink(timer);
}

function place(timer: Timer, deadline: u32): void {
  // A deadline that has passed is served at the next tick.
  let delta = deadline - served;
  if (<i32>delta <= 0) delta = 1;
  if (delta > REACH) delta = REACH;
  const at = served + delta;
  // The level is where the tick's digits (base 64) first differ from those of the served tick.
  const difference = at ^ served;
  let level: u32 = (31 - clz(difference)) / SLOT_BITS;
  if (level >= WHEEL_LEVELS) level = WHEEL_LEVELS - 1;
  const slot = (at >> (SLOT_BITS * level)) & SLOT_MASK;
  const index = (level << SLOT_BITS) | slot;
  const head = slots + ((<usize>index) << 2);
  const first = load<u32>(head);
  timer.next = changetype<Timer>(first);
  timer.from = head;
  timer.slot = <u16>index;
  if (first != 0) changetype<Timer>(first).from = changetype<usize>(timer);
  store<u32>(head, <u32>changetype<usize>(timer));
  const bits = occupied + ((<usize>level) << 3);
  store<u64>(bits, load<u64>(bits) | ((<u64>1) << slot));
}

function unlink(timer: Timer): void {
  const next = timer.next;
  store<u32>(timer.from, <u32>changetype<usize>(next));
  if (next !== null) next.from = timer.from;
  timer.from = 0;
  const index: u32 = timer.slot;
  if (load<u32>(slots + ((<usize>index) << 2)) == 0) clearBit(index);
}

function clearBit(index: u32): void {
  const bits = occupied + ((<usize>(index >> SLOT_BITS)) << 3);
  store<u64>(bits, load<u64>(bits) & ~((<u64>1) << (index & SLOT_MASK)));
}

/** Serves every tick up to now: expires what is due, moves the rest inward. */
export function runTimers(): void {
  while (served != nowTick) {
    const step = nextOccupied();
    const left = nowTick - served;
    if (step > left) {
      served = nowTick;
      return;
    }
    served += step;
    serveTick();
  }
}

/** Ticks from `served` to the next tick at which any slot must be looked at; u32.MAX for never. */
function nextOccupied(): u32 {
  for (let level: u32 = 0; level < WHEEL_LEVELS; level++) {
    const bits = load<u64>(occupied + ((<usize>level) << 3));
    if (bits == 0) continue;
    const shift = SLOT_BITS * level;
    const current = (served >> shift) & SLOT_MASK;
    // Slots behind the current one of this level; a lower level always comes up before a higher one.
    const ahead = bits & ~(((<u64>2) << current) - 1);
    if (ahead != 0) {
      const slot = <u32>ctz(ahead);
      return ((((served >> shift) & ~SLOT_MASK) | slot) << shift) - served;
    }
    // Only the top level wraps: its slots at or below the current one lie in the next round.
    const slot = <u32>ctz(bits);
    const round = ((served >> shift) & ~SLOT_MASK) + WHEEL_SLOTS;
    return ((round | slot) << shift) - served;
  }
  return u32.MAX_VALUE;
}

function serveTick(): void {
  for (let level: u32 = 0; level < WHEEL_LEVELS; level++) {
    const shift = SLOT_BITS * level;
    drainSlot((level << SLOT_BITS) | ((served >> shift) & SLOT_MASK));
    // A higher level's slot comes up only when every digit below it has become zero.
    if (((served >> shift) & SLOT_MASK) != 0) return;
  }
}

/** Empties a slot whose tick has come. Timers armed meanwhile go to later slots, so this ends. */
function drainSlot(index: u32): void {
  const head = slots + ((<usize>index) << 2);
  while (true) {
    const at = load<u32>(head);
    if (at == 0) return;
    const timer = changetype<Timer>(at);
    unlink(timer);
    if (!timer.armed) continue;
    if (<i32>(timer.deadline - served) > 0) {
      place(timer, timer.deadline);
      continue;
    }
    timer.armed = 0;
    armedCount--;
    expire(timer);
  }
}

/** Ticks until `runTimers` next has work; u32.MAX when nothing waits. */
export function ticksToDeadline(): u32 {
  return armedCount == 0 ? u32.MAX_VALUE : nextOccupied();
}
