/**
 * Congestion control: slow start and congestion avoidance (RFC 5681), fast retransmit and recovery
 * without SACK (NewReno, RFC 6582), windows counted in bytes (RFC 3465).
 */
import { COUNTER_TCP_FAST_RETRANSMITS } from "../../layout";
import { count } from "../../counters";
import { Connection, PARTIAL_SEEN, RECOVERY, SYN_REPEATED } from "./connection";
import { makeReady } from "./ready";
import { retransmitFirst } from "./retransmit";
import { segmentAcknowledgment } from "./segment";
import { after, before } from "./sequence";

/** RFC 5681 section 3.2. */
const DUPLICATE_THRESHOLD: u8 = 3;
/** RFC 9406 section 4.2: the most segments one acknowledgment adds in slow start. */
const SLOW_START_SEGMENTS: u32 = 8;
/** RFC 6928 section 2. */
const INITIAL_SEGMENTS: u32 = 10;
const INITIAL_BYTES: u32 = 14600;
/** No window field can promise more (RFC 7323 section 2.3), so a larger cwnd means nothing. */
const CWND_MAX: u32 = 1 << 30;

/** Sets the initial window once the MSS is known (RFC 6928; one segment after a repeated SYN). */
export function initialiseCongestion(connection: Connection): void {
  const mss: u32 = connection.mss;
  connection.cwnd = connection.has(SYN_REPEATED)
    ? mss
    : min(INITIAL_SEGMENTS * mss, max(2 * mss, INITIAL_BYTES));
  connection.ssthresh = CWND_MAX;
  connection.recover = connection.initialSend;
}

/**
 * New data was acknowledged. Returns whether the retransmission timer is to be restarted: always,
 * except for the second and later partial acknowledgments of a recovery (RFC 6582 section 3.2).
 */
export function acknowledgedNew(
  connection: Connection,
  acknowledged: u32,
  flightBefore: u32,
): bool {
  connection.duplicateAcks = 0;
  if (!connection.has(RECOVERY)) {
    grow(connection, acknowledged, flightBefore);
    return true;
  }
  const mss: u32 = connection.mss;
  if (!before(segmentAcknowledgment, connection.recover)) {
    connection.clear(RECOVERY | PARTIAL_SEEN);
    connection.cwnd = min(connection.ssthresh, max(connection.flight, mss) + mss);
    return true;
  }
  // A partial acknowledgment: the next hole starts at SND.UNA.
  connection.cwnd = connection.cwnd > acknowledged ? connection.cwnd - acknowledged : mss;
  if (acknowledged >= mss) connection.cwnd += mss;
  retransmitFirst(connection);
  makeReady(connection);
  const first = !connection.has(PARTIAL_SEEN);
  connection.set(PARTIAL_SEEN);
  return first;
}

function grow(connection: Connection, acknowledged: u32, flightBefore: u32): void {
  const cwnd = connection.cwnd;
  // RFC 7661's point: a window that was not used is not evidence that it may grow.
  if (flightBefore < cwnd >> 1) return;
  const mss: u32 = connection.mss;
  const ssthresh = connection.ssthresh;
  if (cwnd >= ssthresh) {
    connection.cwnd = avoid(cwnd, acknowledged, mss);
    return;
  }
  const step = min(acknowledged, slowStartSegments(connection) * mss);
  const room = ssthresh - cwnd;
  connection.cwnd = step <= room ? cwnd + step : avoid(ssthresh, step - room, mss);
}

/** RFC 3465 section 2.3: one after a timeout, until what was sent before it is acknowledged. */
function slowStartSegments(connection: Connection): u32 {
  const afterTimeout =
    connection.ssthresh != CWND_MAX && !after(connection.sendUna, connection.recover);
  return afterTimeout ? 1 : SLOW_START_SEGMENTS;
}

/** Congestion avoidance: a segment a round trip (RFC 5681 equation 3, in bytes). */
function avoid(cwnd: u32, acknowledged: u32, mss: u32): u32 {
  const step = <u32>((<u64>min(acknowledged, cwnd) * <u64>mss) / <u64>cwnd);
  return min(CWND_MAX, cwnd + max<u32>(1, step));
}

/** RFC 5681 section 3.2, steps 1 to 4, with RFC 6582's condition on `recover`. */
export function duplicateAcknowledgment(connection: Connection): void {
  const mss: u32 = connection.mss;
  if (connection.has(RECOVERY)) {
    connection.cwnd = min(CWND_MAX, connection.cwnd + mss);
    makeReady(connection);
    return;
  }
  if (connection.duplicateAcks < 255) connection.duplicateAcks++;
  if (connection.duplicateAcks < DUPLICATE_THRESHOLD) {
    // Limited transmit (RFC 3042): a new segment may leave for each.
    if (connection.sendEnd != connection.sendNext) makeReady(connection);
    return;
  }
  if (connection.duplicateAcks != DUPLICATE_THRESHOLD) return;
  if (!after(connection.sendUna, connection.recover)) return;
  count(COUNTER_TCP_FAST_RETRANSMITS);
  connection.ssthresh = halfFlight(connection);
  connection.recover = connection.sendMax;
  connection.set(RECOVERY);
  connection.clear(PARTIAL_SEEN);
  retransmitFirst(connection);
  connection.cwnd = connection.ssthresh + 3 * mss;
  makeReady(connection);
}

/** The retransmission timer expired (RFC 5681 section 3.1, RFC 6582 section 3.2 step 4). */
export function congestionTimeout(connection: Connection): void {
  if (connection.retries <= 1) connection.ssthresh = halfFlight(connection);
  connection.cwnd = connection.mss;
  connection.recover = connection.sendMax;
  connection.duplicateAcks = 0;
  connection.clear(RECOVERY | PARTIAL_SEEN);
}

/**
 * What may be in flight: cwnd, and a segment more for each of the first two duplicates (RFC 3042). That
 * is for new data: while SND.NXT is behind SND.MAX it would send again what may have arrived.
 */
export function congestionWindow(connection: Connection): u32 {
  const duplicates: u32 = connection.duplicateAcks;
  if (duplicates == 0 || connection.has(RECOVERY)) return connection.cwnd;
  if (connection.sendNext != connection.sendMax) return connection.cwnd;
  return connection.cwnd + min(duplicates, 2) * connection.mss;
}

/** RFC 5681 equation 4; what limited transmit has sent beyond cwnd does not count. */
function halfFlight(connection: Connection): u32 {
  return max(min(connection.flight, connection.cwnd) >> 1, 2 * <u32>connection.mss);
}
