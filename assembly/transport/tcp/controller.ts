/**
 * The congestion controller of a connection: how its window grows with acknowledgments, what remains
 * of it after a loss, a timeout or a pause. Recovery itself does not depend on the controller.
 *
 * A controller is what it adds in congestion avoidance and the ssthresh it chooses at a loss:
 * new-reno.ts and cubic.ts. Slow start, window validation and the restart after idleness are common.
 */
import { CONTROLLER_CUBIC } from "../../layout";
import { nowTick, TICK_SHIFT } from "../../time/clock";
import { Connection, RECOVERY } from "./connection";
import {
  cubicAvoid,
  cubicCongested,
  cubicForget,
  cubicRestart,
  cubicSkipTime,
  cubicThreshold,
} from "./cubic";
import {
  hystartAcknowledged,
  hystartReset,
  hystartRoundEnded,
  hystartSent,
  hystartStep,
} from "./hystart";
import { newRenoAvoid, newRenoThreshold } from "./new-reno";
import { before } from "./sequence";
import { CWND_MAX, initialWindow, isFirstSlowStart, slowStartStep } from "./slow-start";

/** The connection is established: sets the initial window. */
export function startController(connection: Connection): void {
  connection.cwnd = initialWindow(connection);
  connection.ssthresh = CWND_MAX;
  connection.lastSentTick = nowTick;
  connection.roundEnd = connection.sendMax;
}

/** Hands the window over to another controller as it is. */
export function chooseController(connection: Connection, controller: u8): void {
  if (connection.controller == controller) return;
  connection.controller = controller;
  cubicForget(connection);
  hystartReset(connection);
}

function isCubic(connection: Connection): bool {
  return connection.controller == CONTROLLER_CUBIC;
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

/** A loss was found: sets ssthresh. What becomes of cwnd is the recovery's to say. */
export function reduceThreshold(connection: Connection): void {
  connection.ssthresh = lossThreshold(connection);
  cubicCongested(connection);
}

function lossThreshold(connection: Connection): u32 {
  // RFC 3042 section 2: what limited transmit has sent beyond cwnd does not count.
  const flight = min(connection.flight, connection.cwnd);
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
  cubicForget(connection);
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

/** `bytes` from SND.NXT, which has not moved yet, have left. */
export function noteSent(connection: Connection, bytes: u32): void {
  connection.lastSentTick = nowTick;
  if (isFirstSlowStart(connection)) hystartSent(connection, bytes);
}
