/**
 * Pacing: segments leave at a rate somewhat above what the window makes of a round trip, instead of as
 * bursts that short queues cannot take. Slow start doubles the window in a round trip, so there the
 * rate is twice the window's, else 1.2 times.
 *
 * Each segment moves the time of the next one's departure. The wheel tells time in ticks of 128 µs, so
 * what is due before the next tick leaves now; a connection that has to wait stays on the ready list,
 * and one timer for all sees to it that somebody looks there.
 */
import { COUNTER_TCP_PACED } from "../../layout";
import { count } from "../../counters";
import { carve } from "../../memory/region";
import { nowTick, nowUs, TICK_SHIFT, tickAfter } from "../../time/clock";
import { TIMER_PACING } from "../../time/expire";
import { armTimer, Timer } from "../../time/wheel";
import { Connection, PACED } from "./connection";
import { makeReady } from "./ready";

const TICK_US: i32 = 1 << TICK_SHIFT;
/** Gains in tenths. */
const GAIN_SLOW_START: u32 = 20;
const GAIN: u32 = 12;
/** What a flow may be behind its times and make good: a tick slept too long, and some. */
const LATE_MAX_US: i32 = 2 * TICK_US;
const WAIT_MAX_US: u32 = 60_000_000;
/** The initial window is a burst (RFC 6928), as the round trip says little so far. */
const UNPACED_SEGMENTS: u32 = 10;
/** A super-frame is worth this much time at most, but two segments always. */
const SUPER_FRAME_US: u32 = 1000;

let timer: Timer = changetype<Timer>(0);

export function openPacing(): void {
  timer = changetype<Timer>(carve(offsetof<Timer>(), 16));
  memory.fill(changetype<usize>(timer), 0, offsetof<Timer>());
  timer.kind = TIMER_PACING;
}

/** From now on segments of the connection depart by time. */
export function startPacing(connection: Connection): void {
  connection.choose(PACED);
  connection.departUs = <u32>nowUs;
}

/** Microseconds until the next departure; below 0 what may be made good of a time that has passed. */
function untilDeparture(connection: Connection): i32 {
  const ahead = <i32>(connection.departUs - <u32>nowUs);
  // A time from before a long silence may seem to lie ahead.
  const isStale = nowTick - connection.lastSentTick > WAIT_MAX_US >> TICK_SHIFT;
  return isStale ? -LATE_MAX_US : max(ahead, -LATE_MAX_US);
}

/** Says whether the next segment has to wait; then the connection is looked at again in time. */
export function waitsForDeparture(connection: Connection): bool {
  const ahead = untilDeparture(connection);
  if (ahead <= TICK_US) return false;
  count(COUNTER_TCP_PACED);
  const deadline = tickAfter(ahead - TICK_US);
  if (!timer.armed || <i32>(deadline - timer.deadline) < 0) armTimer(timer, deadline);
  makeReady(connection);
  return true;
}

/** `bytes` have left: the next ones leave when their share of a round trip has passed. */
export function departed(connection: Connection, bytes: u32): void {
  const burst = UNPACED_SEGMENTS * <u32>connection.mss;
  const isFirst = connection.sendMax - connection.initialSend <= burst;
  const wait = isFirst ? 0 : untilDeparture(connection) + <i32>intervalUs(connection, bytes);
  connection.departUs = <u32>nowUs + wait;
}

/** Payload bytes of a super-frame. */
export function pacedLimit(connection: Connection, limit: u32): u32 {
  const mss: u32 = connection.mss;
  const each = max<u32>(1, intervalUs(connection, mss));
  const segments = max<u32>(2, SUPER_FRAME_US / each);
  return min(limit, segments * mss);
}

/** The microseconds that `bytes` take at the connection's rate. */
function intervalUs(connection: Connection, bytes: u32): u32 {
  const gain = connection.cwnd < connection.ssthresh >> 1 ? GAIN_SLOW_START : GAIN;
  const roundTripUs = connection.srtt >> 3;
  let wait = (<u64>bytes * <u64>roundTripUs * 10) / (<u64>connection.cwnd * <u64>gain);
  const most = connection.pacingRate;
  if (most != 0) wait = max(wait, (<u64>bytes * 1_000_000) / <u64>most);
  return <u32>min<u64>(wait, WAIT_MAX_US);
}
