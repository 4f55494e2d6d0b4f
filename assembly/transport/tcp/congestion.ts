/**
 * Congestion control around losses: fast retransmit and recovery without SACK (NewReno, RFC 6582),
 * limited transmit (RFC 3042). How far the window grows and falls is the controller's to say.
 */
import { COUNTER_TCP_FAST_RETRANSMITS } from "../../layout";
import { count } from "../../counters";
import { Connection, ECN, PARTIAL_SEEN, RECOVERY } from "./connection";
import {
  growWindow,
  noteAcknowledged,
  reduceThreshold,
  reduceToLossWindow,
  startController,
} from "./controller";
import { reducesByEcho } from "./ecn-reduction";
import { isHeadLost } from "./loss";
import { makeReady } from "./ready";
import { isRecovered } from "./recover";
import { isReordering, narrowReordering, recoveryEnded } from "./reordering";
import { retransmitFirst } from "./retransmit";
import { enterSackRecovery, inSackRecovery, reduceRate } from "./sack-recovery";
import { clearScoreboard, sackedBelow } from "./scoreboard";
import { segmentAcknowledgment } from "./segment";
import { before } from "./sequence";
import { countsDelivered } from "./settings";
import { CWND_MAX, initialWindow } from "./slow-start";
import { watchRecovery, watchTimeout } from "./undo";

/** RFC 5681 section 3.2. */
const DUPLICATE_THRESHOLD: u8 = 3;

/** The connection is established, its MSS known. */
export function initialiseCongestion(connection: Connection): void {
  startController(connection);
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
  const told = countsDelivered() ? toldBefore(connection) : 0;
  connection.duplicateAcks = 0;
  const echoes = (connection.agreed & ECN) != 0;
  if (echoes) noteAcknowledged(connection, acknowledged);
  if (!connection.has(RECOVERY)) {
    if (!echoes || !reducesByEcho(connection, acknowledged)) {
      growWindow(connection, acknowledged - min(told, acknowledged), flightBefore);
    }
    return true;
  }
  const mss: u32 = connection.mss;
  if (!before(segmentAcknowledgment, connection.recover)) {
    recoveryEnded(connection);
    connection.clear(PARTIAL_SEEN);
    connection.cwnd = inSackRecovery(connection)
      ? recoveredWindow(connection)
      : min(connection.ssthresh, max(connection.flight, mss) + mss);
    connection.clear(RECOVERY);
    return true;
  }
  // The blocks tell which holes there are.
  if (inSackRecovery(connection)) return true;
  // A partial acknowledgment: the next hole starts at SND.UNA.
  connection.cwnd = connection.cwnd > acknowledged ? connection.cwnd - acknowledged : mss;
  if (acknowledged >= mss) connection.cwnd += mss;
  retransmitFirst(connection);
  makeReady(connection);
  const first = !connection.has(PARTIAL_SEEN);
  connection.set(PARTIAL_SEEN);
  return first;
}

/**
 * Recovery with blocks ends with ssthresh (RFC 9937 section 6). Where the peer's window or the
 * application has left less in flight, an initial window may follow at once, as after a pause, and slow
 * start brings the rest: a burst of all that is missing would overflow the queue that just did.
 */
function recoveredWindow(connection: Connection): u32 {
  return min(connection.ssthresh, connection.flight + initialWindow(connection));
}

/** Bytes below SND.UNA that earlier acknowledgments, by blocks or as duplicates, told to have arrived. */
function toldBefore(connection: Connection): u32 {
  if (connection.sackedBytes != 0) return sackedBelow(connection, connection.sendUna);
  return <u32>connection.duplicateAcks * <u32>connection.mss;
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
  if (!isRecovered(connection)) return;
  count(COUNTER_TCP_FAST_RETRANSMITS);
  reduceThreshold(connection);
  watchRecovery(connection);
  connection.recover = connection.sendMax;
  connection.recoverFlight = 0;
  connection.set(RECOVERY);
  connection.clear(PARTIAL_SEEN);
  retransmitFirst(connection);
  connection.cwnd = connection.ssthresh + 3 * mss;
  makeReady(connection);
}

/** A duplicate from a peer with SACK that has `delivered` more bytes (RFC 6675 section 5). */
export function sackedAcknowledgment(connection: Connection, delivered: u32): void {
  if (inSackRecovery(connection)) {
    reduceRate(connection, delivered, false);
    return;
  }
  if (connection.has(RECOVERY) || connection.sackedBytes == 0) {
    duplicateAcknowledgment(connection);
    return;
  }
  if (connection.duplicateAcks < 255) connection.duplicateAcks++;
  const many = connection.duplicateAcks >= DUPLICATE_THRESHOLD && !isReordering(connection);
  if (many || isHeadLost(connection)) {
    enterRecovery(connection, delivered);
  } else if (connection.sendEnd != connection.sendNext) {
    makeReady(connection);
  }
}

/** Enters recovery, unless what is lost was sent before the last timeout (RFC 6582 section 3.2). */
export function enterRecovery(connection: Connection, delivered: u32): void {
  if (connection.sackedBytes == 0 || !isRecovered(connection)) return;
  reduceThreshold(connection);
  watchRecovery(connection);
  enterSackRecovery(connection, delivered);
}

/** A loss that has been made good already: the rate goes down once (RFC 8985 section 7.4.2). */
export function reduceOnce(connection: Connection): void {
  if (connection.has(RECOVERY)) return;
  reduceThreshold(connection);
  connection.cwnd = min(connection.cwnd, connection.ssthresh);
}

/** The retransmission timer expired (RFC 5681 section 3.1, RFC 6582 section 3.2 step 4). */
export function congestionTimeout(connection: Connection): void {
  const again = connection.has(RECOVERY) || connection.retries > 1;
  const repeated = !isRecovered(connection);
  reduceToLossWindow(connection, connection.retries <= 1);
  watchTimeout(connection, again, repeated);
  narrowReordering(connection);
  connection.recover = connection.sendMax;
  connection.duplicateAcks = 0;
  connection.clear(RECOVERY | PARTIAL_SEEN);
  clearScoreboard(connection);
}

/**
 * What is in flight is sent again in segments of another size, which is no sign of congestion; the
 * duplicates that follow are none either (RFC 6582 section 4.1).
 */
export function congestionPathChanged(connection: Connection): void {
  if (connection.has(RECOVERY)) connection.cwnd = connection.ssthresh;
  connection.undoState = 0;
  connection.recover = connection.sendMax;
  connection.duplicateAcks = 0;
  connection.clear(RECOVERY | PARTIAL_SEEN);
  clearScoreboard(connection);
}

/**
 * What may be in flight: cwnd, and what has left the network by the peer's blocks (RFC 6675 section 5,
 * step 3), or a segment for each of the first two duplicates (RFC 3042). That is for new data: while
 * SND.NXT is behind SND.MAX it would send again what may have arrived.
 */
export function congestionWindow(connection: Connection): u32 {
  const duplicates: u32 = connection.duplicateAcks;
  if (duplicates == 0 || connection.has(RECOVERY)) return connection.cwnd;
  if (connection.sendNext != connection.sendMax) return connection.cwnd;
  return connection.cwnd + max(connection.sackedBytes, min(duplicates, 2) * connection.mss);
}
