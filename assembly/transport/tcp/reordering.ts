/**
 * How much later than its successors a segment may come before it counts as lost: the reordering
 * window of RFC 8985 section 6.2, step 4, which starts small and follows what the path does.
 */
import { COUNTER_TCP_REORDERING_SEEN } from "../../layout";
import { count } from "../../counters";
import { nowUs } from "../../time/clock";
import { Connection, RECOVERY } from "./connection";
import { before } from "./sequence";

// `reorderingState`.
/** RACK.reordering_seen: a segment that was sent once has arrived after a later one. */
const REORDERING_SEEN: u8 = 1;
/** RACK.dsack_round is set. */
const REORDERING_ROUND: u8 = 2;
/** RACK.reo_wnd_persist lies above these bits. */
const PERSIST_ONE: u8 = 4;

const DUPLICATE_THRESHOLD: u32 = 3;
/** RACK.reo_wnd_persist: recoveries that a wider window outlives. */
const PERSIST_RECOVERIES: u8 = 16;
/** A least round-trip time is believed for ten times 2^20 µs, as paths change. */
const MIN_RTT_AGE: u16 = 10;
const AGE_SHIFT: u64 = 20;

/** A round trip of a segment that was sent once. */
export function noteRoundTrip(connection: Connection, elapsedUs: u32): void {
  const least = connection.minRttUs;
  const time = <u16>(nowUs >> AGE_SHIFT);
  if (least != 0 && elapsedUs > least && time - connection.minRttTime < MIN_RTT_AGE) return;
  connection.minRttUs = max<u32>(1, elapsedUs);
  connection.minRttTime = time;
}

/** Says whether this path is known to deliver out of order, so that duplicates tell of no loss. */
export function isReordering(connection: Connection): bool {
  return (connection.reorderingState & REORDERING_SEEN) != 0;
}

/** A segment that was sent once has arrived after later ones (step 3). */
export function reorderingSeen(connection: Connection): void {
  if (isReordering(connection)) return;
  connection.reorderingState |= REORDERING_SEEN;
  count(COUNTER_TCP_REORDERING_SEEN);
}

/** A repetition was for nothing: the window grows, once a round trip (step 4). */
export function widenReordering(connection: Connection): void {
  if ((connection.reorderingState & REORDERING_ROUND) != 0) {
    if (before(connection.sendUna, connection.dsackRound)) return;
  }
  const seen = connection.reorderingState & REORDERING_SEEN;
  connection.reorderingState = seen | REORDERING_ROUND | (PERSIST_RECOVERIES * PERSIST_ONE);
  connection.dsackRound = connection.sendMax;
  if (connection.reorderingSteps < 255) connection.reorderingSteps++;
}

/** A recovery has ended without a word of needless repetitions. */
export function recoveryEnded(connection: Connection): void {
  if (connection.reorderingState < PERSIST_ONE) return;
  connection.reorderingState -= PERSIST_ONE;
  if (connection.reorderingState < PERSIST_ONE) connection.reorderingSteps = 0;
}

/** After a timeout the window starts small again. */
export function narrowReordering(connection: Connection): void {
  connection.reorderingSteps = 0;
  connection.reorderingState &= REORDERING_SEEN;
}

/** RACK.reo_wnd in µs: nothing on a path in order once three segments have overtaken another. */
export function reorderingWindowUs(connection: Connection): u32 {
  if (!isReordering(connection)) {
    if (connection.has(RECOVERY)) return 0;
    if (connection.sackedBytes >= DUPLICATE_THRESHOLD * <u32>connection.mss) return 0;
  }
  return repeatWindowUs(connection);
}

/** The same for what was sent again, where many leave at once: never nothing. */
export function repeatWindowUs(connection: Connection): u32 {
  const least = connection.minRttUs != 0 ? connection.minRttUs : connection.srtt >> 3;
  const window = <u64>(least >> 2) * (<u64>connection.reorderingSteps + 1);
  return <u32>min<u64>(window, <u64>(connection.srtt >> 3));
}
