/** Delayed acknowledgments (RFC 9293 section 3.8.6.3). */
import { tickAfter } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Tcp } from "../../wire/tcp";
import { ACK_NOW, Connection } from "./connection";
import { isQuick, noteArrival } from "./quick-ack";
import { makeReady } from "./ready";
import { hasDuplicate, noteDuplicate } from "./sack";
import { segmentSequence } from "./segment";
import { delayedAckUs } from "./settings";
import { transmitSegment } from "./transmit";

/** What the record can count. */
const ACK_BYTES_MAX: u32 = 65535;

/**
 * `bytes` arrived in order. Every second full segment is acknowledged with this batch (SHLD-19); a
 * single one waits for company: data of ours, more of theirs, or the timer (MUST-40: below 500 ms),
 * unless the peer is in a hurry (quick-ack.ts).
 */
export function acknowledgeSoon(connection: Connection, bytes: u32): void {
  const waiting: u32 = <u32>connection.ackBytes + bytes;
  if (connection.ackBytes == 0) noteArrival(connection);
  if (isQuick(connection) || waiting >= min<u32>(2 * <u32>connection.mss, ACK_BYTES_MAX)) {
    connection.set(ACK_NOW);
    makeReady(connection);
    return;
  }
  connection.ackBytes = <u16>waiting;
  if (!connection.ackTimer.armed) armTimer(connection.ackTimer, tickAfter(delayedAckUs()));
}

/** Something the sender must hear of at once: a gap, a filled gap, a FIN, a stale segment. */
export function acknowledgeNow(connection: Connection): void {
  connection.set(ACK_NOW);
  makeReady(connection);
}

/**
 * A segment beyond a gap: each one is answered by an acknowledgment of its own (RFC 5681 section
 * 4.2), because the sender counts the duplicates to notice the loss and to go on sending.
 */
export function acknowledgeGap(connection: Connection): void {
  if (!transmitSegment(connection, connection.bareSequence, 0, Tcp.ACK)) {
    acknowledgeNow(connection);
  }
}

/**
 * `bytes` from the segment's start had been received before. An acknowledgment tells of one such place
 * (RFC 2883 section 4), so one that waits with another leaves first.
 */
export function reportDuplicate(connection: Connection, bytes: u32): void {
  if (hasDuplicate(connection) && connection.duplicateRight != segmentSequence) {
    acknowledgeGap(connection);
  }
  noteDuplicate(connection, segmentSequence, bytes);
}

/** The timer expired. */
export function acknowledgeLate(connection: Connection): void {
  acknowledgeNow(connection);
}
