/**
 * When acknowledgments are not delayed (RFC 9293 section 3.8.6.3 allows a delay, it asks for none): a
 * sender in slow start counts them, so the first of a connection and those after a pause leave at once.
 * A socket that answers what it receives needs none of that: its answers carry them.
 */
import { nowTick, TICK_SHIFT } from "../../time/clock";
import { CLOSE_WAIT, Connection, DELAYING, ESTABLISHED } from "./connection";
import { makeReady } from "./ready";
import { ACK_NOW } from "./record";
import { quickAcksOffered } from "./settings";

/** Acknowledgments that one occasion asks for: half a window's worth of segments, within limits. */
const QUICK_ACKS_LEAST: u32 = 2;
const QUICK_ACKS_MOST: u32 = 16;
/** What is sent within this time of the last arrival is an answer to it (Linux: TCP_ATO_MIN). */
const ANSWER_TICKS: u32 = 40_000 >> TICK_SHIFT;

/** The connection is established, or its peer may have started over. */
export function renewQuickAcks(connection: Connection): void {
  if (!quickAcksOffered()) return;
  const pair: u32 = 2 * <u32>connection.mss;
  const buffer = connection.receiveBuffer;
  // Mostly there is no need to divide.
  const acks =
    buffer >= QUICK_ACKS_MOST * pair ? QUICK_ACKS_MOST : max(QUICK_ACKS_LEAST, buffer / pair);
  connection.quickAcks = <u8>max<u32>(connection.quickAcks, acks);
}

/** Something is wrong at the peer, which hears at once whatever it was like before. */
export function demandQuickAcks(connection: Connection): void {
  connection.unchoose(DELAYING);
  renewQuickAcks(connection);
}

/** Says whether the next acknowledgment is to leave without delay. */
export function isQuick(connection: Connection): bool {
  return connection.quickAcks != 0 && !connection.chose(DELAYING);
}

/** Text has arrived in order. After a silence longer than its timeout the peer is in slow start. */
export function noteArrival(connection: Connection): void {
  const gap = nowTick - connection.receivedTick;
  if (gap == 0) return;
  connection.receivedTick = nowTick;
  if (gap > connection.rto >> TICK_SHIFT) renewQuickAcks(connection);
}

/** New data leave that DELAYING knows nothing of: soon after an arrival they are an answer, and so will the next ones be. */
export function noteAnswer(connection: Connection): void {
  if (nowTick - connection.receivedTick >= ANSWER_TICKS) return;
  // Before anything has arrived nothing is an answer.
  if (connection.receiveNext - connection.initialReceive > 1) connection.choose(DELAYING);
}

/** The application wants acknowledgments at once; one that waits leaves now. */
export function hurryAcknowledgments(connection: Connection): void {
  connection.unchoose(DELAYING);
  const open = connection.state == ESTABLISHED || connection.state == CLOSE_WAIT;
  if (!open || !connection.ackTimer.armed) return;
  connection.set(ACK_NOW);
  makeReady(connection);
}

/** The application wants them to wait for company. */
export function slackenAcknowledgments(connection: Connection): void {
  connection.choose(DELAYING);
}

/** Says whether they are not slackened. */
export function isHurrying(connection: Connection): bool {
  return !connection.chose(DELAYING);
}
