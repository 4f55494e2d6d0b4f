/**
 * The congestion controller of a connection: how its window grows with acknowledgments, what remains
 * of it after a loss, a timeout or a pause. Recovery itself does not depend on the controller.
 *
 * A controller is what it adds in congestion avoidance and the ssthresh it chooses at a loss:
 * new-reno.ts, cubic.ts and dctcp.ts. Slow start, window validation and the restart after idleness are
 * common.
 */
import { CONTROLLER_CUBIC, CONTROLLER_DCTCP, CONTROLLER_NEW_RENO } from "../../layout";
import { nowTick, TICK_SHIFT } from "../../time/clock";
import { Connection, ECN, ESTABLISHED, PACED, RECOVERY, UNDO_CURVE } from "./connection";
import {
  cubicAvoid,
  cubicCongested,
  cubicEchoThreshold,
  cubicForget,
  cubicRestart,
  cubicRestore,
  cubicSave,
  cubicSkipTime,
  cubicThreshold,
} from "./cubic";
import { dctcpAcknowledged, dctcpStart, dctcpThreshold } from "./dctcp";
import { announceReduction } from "./ecn";
import { wasReducedByEcho } from "./ecn-reduction";
import { hystartAcknowledged, hystartReset, hystartRoundEnded, hystartStep } from "./hystart";
import { newRenoAvoid, newRenoEchoThreshold, newRenoThreshold } from "./new-reno";
import { startPacing } from "./pacing";
import { growSendBuffer } from "./send-buffer";
import { before } from "./sequence";
import { backsOffLess, reducesWindow } from "./settings";
import { CWND_MAX, initialWindow, isFirstSlowStart, slowStartStep } from "./slow-start";

/** The connection is established: sets the initial window. */
export function startController(connection: Connection): void {
  connection.cwnd = initialWindow(connection);
  connection.ssthresh = CWND_MAX;
  connection.lastSentTick = nowTick;
  connection.roundEnd = connection.sendMax;
  if (connection.chose(PACED)) startPacing(connection);
  if (connection.controller == CONTROLLER_DCTCP) startDctcp(connection);
}

/** Without ECN it would hear of nothing but losses, which NewReno answers better. */
function startDctcp(connection: Connection): void {
  if ((connection.agreed & ECN) != 0) dctcpStart(connection);
  else connection.controller = <u8>CONTROLLER_NEW_RENO;
}

/** Hands the window over to another controller as it is. */
export function chooseController(connection: Connection, controller: u8): void {
  if (connection.controller == controller) return;
  connection.controller = controller;
  connection.undoState = 0;
  cubicForget(connection);
  connection.cubicPrior = 0;
  hystartReset(connection);
  if (controller == CONTROLLER_DCTCP && connection.state >= ESTABLISHED) startDctcp(connection);
}

function isCubic(connection: Connection): bool {
  return connection.controller == CONTROLLER_CUBIC;
}

/** New data was acknowledged, in recovery or not, and both ends agree on ECN. */
export function noteAcknowledged(connection: Connection, bytes: u32): void {
  if (connection.controller == CONTROLLER_DCTCP) dctcpAcknowledged(connection, bytes);
}

/**
 * New data was acknowledged outside of recovery; `flightBefore` bytes had been in flight. SND.UNA has
 * moved, the send queue not yet.
 */
export function growWindow(connection: Connection, acknowledged: u32, flightBefore: u32): void {
  noteFlight(connection, flightBefore);
  const cwnd = connection.cwnd;
  // RFC 7661 section 4.1: a window of which less than half was used in the last round trip is no
  // evidence that it may grow. Slow start, which doubles it, ends at twice what was used.
  const used: u32 = max(connection.flightMost, connection.lastFlightMost);
  const slow = cwnd < connection.ssthresh;
  if (slow ? used <= cwnd >> 1 : used < cwnd >> 1) {
    cubicSkipTime(connection);
  } else if (!slow) {
    avoid(connection, acknowledged);
  } else {
    slowStart(connection, acknowledged);
  }
  if (!before(connection.sendUna, connection.roundEnd)) endRound(connection);
}

function noteFlight(connection: Connection, flight: u32): void {
  if (flight > connection.flightMost) connection.flightMost = flight;
}

function endRound(connection: Connection): void {
  connection.roundEnd = connection.sendMax;
  connection.lastFlightMost = connection.flightMost;
  connection.flightMost = 0;
  growSendBuffer(connection);
  if (!hystartRoundEnded(connection)) return;
  // RFC 9406 section 4.2: five conservative rounds later congestion avoidance begins.
  connection.ssthresh = connection.cwnd;
}

function slowStart(connection: Connection, acknowledged: u32): void {
  const cwnd = connection.cwnd;
  let step = slowStartStep(connection, acknowledged);
  if (isCubic(connection) && isFirstSlowStart(connection)) {
    hystartAcknowledged(connection);
    step = hystartStep(connection, step);
  }
  const room = connection.ssthresh - cwnd;
  connection.cwnd = cwnd + min(step, room);
  if (step > room) avoid(connection, step - room);
}

function avoid(connection: Connection, acknowledged: u32): void {
  if (isCubic(connection)) cubicAvoid(connection, acknowledged);
  else newRenoAvoid(connection, acknowledged);
}

/** Remembers the window as it is, before it is reduced (RFC 9438 section 4.9). */
function saveWindow(connection: Connection): void {
  connection.undoState = connection.cubicRuns != 0 ? UNDO_CURVE : 0;
  connection.undoCwnd = connection.cwnd;
  connection.undoSsthresh = connection.ssthresh;
  cubicSave(connection);
}

/**
 * Takes the last reduction back. A window that has grown beyond what it was since then stays, and so
 * does its curve (RFC 9438 section 4.9).
 */
export function restoreWindow(connection: Connection): void {
  connection.ssthresh = max(connection.ssthresh, connection.undoSsthresh);
  if (connection.cwnd >= connection.undoCwnd) return;
  connection.cwnd = connection.undoCwnd;
  cubicRestore(connection, (connection.undoState & UNDO_CURVE) != 0);
}

/** A loss was found: sets ssthresh. What becomes of cwnd is the recovery's to say. */
export function reduceThreshold(connection: Connection): void {
  saveWindow(connection);
  announceReduction(connection);
  if (wasReducedByEcho(connection)) return;
  connection.ssthresh = lossThreshold(connection);
  if (isCubic(connection)) cubicCongested(connection);
}

/** The peer echoes congestion; so many bytes were in flight. What becomes of cwnd is not said here. */
export function reduceByEcho(connection: Connection, flight: u32): void {
  announceReduction(connection);
  const threshold = echoThreshold(connection, min(flight, connection.cwnd));
  connection.ssthresh = threshold;
  // A recovery that was for nothing gives no more back than this.
  connection.undoCwnd = min(connection.undoCwnd, threshold);
  connection.undoSsthresh = min(connection.undoSsthresh, threshold);
  if (isCubic(connection)) cubicCongested(connection);
}

function echoThreshold(connection: Connection, flight: u32): u32 {
  if (connection.controller == CONTROLLER_DCTCP) return dctcpThreshold(connection, flight);
  // RFC 8511 section 3: what an echo tells of is a short queue, if slow start is not overshooting it.
  const lesser = backsOffLess() && connection.cwnd >= connection.ssthresh;
  if (isCubic(connection)) {
    return lesser ? cubicEchoThreshold(connection, flight) : cubicThreshold(connection, flight);
  }
  return lesser ? newRenoEchoThreshold(connection, flight) : newRenoThreshold(connection, flight);
}

function lossThreshold(connection: Connection): u32 {
  // RFC 3042 section 2: what limited transmit has sent beyond cwnd does not count.
  const flight = reducesWindow() ? connection.cwnd : min(connection.flight, connection.cwnd);
  return isCubic(connection)
    ? cubicThreshold(connection, flight)
    : newRenoThreshold(connection, flight);
}

/**
 * The retransmission timer expired, for the first time in a row or not: cwnd is the loss window, and
 * only the first time lowers ssthresh (RFC 5681 section 3.1).
 */
export function reduceToLossWindow(connection: Connection, first: bool): void {
  if (first) {
    // In recovery ssthresh is low already; what was sent on in it is no reason to raise it again.
    if (!connection.has(RECOVERY)) reduceThreshold(connection);
    else connection.ssthresh = min(connection.ssthresh, lossThreshold(connection));
  }
  connection.cwnd = connection.mss;
  if (isCubic(connection)) cubicForget(connection);
}

/**
 * Nothing is outstanding and something may leave. After a pause of more than a timeout the window is
 * no longer known to fit the path (RFC 5681 section 4.1).
 */
export function resumeSending(connection: Connection): void {
  cubicSkipTime(connection);
  const idleTicks = nowTick - connection.lastSentTick;
  if (idleTicks <= connection.rto >> TICK_SHIFT) return;
  connection.cwnd = min(connection.cwnd, initialWindow(connection));
  cubicRestart(connection);
  connection.lastFlightMost = 0;
  connection.flightMost = 0;
  connection.roundEnd = connection.sendMax;
  hystartReset(connection);
}

/** Data has left. */
export function noteSent(connection: Connection): void {
  connection.lastSentTick = nowTick;
}
