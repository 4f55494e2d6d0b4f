/**
 * Tail loss probes (RFC 8985 section 7): when the last segments of a flight are lost nothing after them
 * tells of it, so the last one goes again after two round trips instead of waiting for the timeout.
 */
import { COUNTER_TCP_TAIL_PROBES } from "../../layout";
import { count } from "../../counters";
import { tickAfter } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Tcp } from "../../wire/tcp";
import { Connection, ESTABLISHED, FIN_WAIT_1, PERSIST, RECORDS, RECOVERY } from "./connection";
import { isUnconfirmed } from "./fast-open-server";
import { sendBeyond } from "./output";
import { countRetransmission } from "./retransmit";
import { spoilSample, timeoutUs } from "./rtt";
import { usesSack } from "./sack-recovery";
import { markRepeated, untilHeadLost } from "./loss";
import { frameFrom } from "./send-frame";
import { probesTails } from "./settings";
import { recordReach, transmitSegment } from "./transmit";

// What `tailState` says.
/** The timer that runs is the probe's, not the retransmission timeout's. */
export const PROBE_ARMED: u32 = 1;
/** A probe is out and not acknowledged; no other one follows it. */
export const PROBE_OUT: u32 = 2;
/** The timer that runs is the reordering timer (section 6.3). */
export const REORDER_ARMED: u32 = 8;
/** It was a retransmission. */
export const PROBE_REPEATED: u32 = 4;
/** The FIN left in a segment of its own. */
export const FIN_APART: u32 = 16;

/** WCDelAckT: how long a peer may keep the acknowledgment of a single segment back. */
const DELAYED_ACK_MAX_US: u32 = 200_000;
const MARGIN_US: u32 = 2000;

/** Until our SYN-ACK is acknowledged the timer repeats that and nothing else (RFC 7413 section 4.2.2). */
function isTimerTaken(connection: Connection): bool {
  const state = connection.state;
  return state < ESTABLISHED || (state == FIN_WAIT_1 && isUnconfirmed(connection));
}

/** Arms the timer for what is in flight: the probe's where one may be sent, else the timeout's. */
export function armLossTimer(connection: Connection): void {
  if (isTimerTaken(connection)) return;
  if (mayProbe(connection)) {
    armProbe(connection);
    return;
  }
  connection.tailState &= ~(PROBE_ARMED | REORDER_ARMED);
  armTimer(connection.timer, tickAfter(timeoutUs(connection)));
}

/**
 * New data has left: the timeout runs from the oldest (RFC 6298 section 5.1), a probe's time from the
 * latest (RFC 8985 section 7.2).
 */
export function armAfterSending(connection: Connection): void {
  if (isTimerTaken(connection)) return;
  if (mayProbe(connection)) {
    armProbe(connection);
    return;
  }
  if (connection.timer.armed && (connection.tailState & PROBE_ARMED) == 0) return;
  connection.tailState &= ~(PROBE_ARMED | REORDER_ARMED);
  armTimer(connection.timer, tickAfter(timeoutUs(connection)));
}

/** Where the timeout would come first the probe takes its place (RFC 8985 section 7.2). */
function armProbe(connection: Connection): void {
  const single = connection.flight <= <u32>connection.mss;
  const probe = (connection.srtt >> 2) + (single ? DELAYED_ACK_MAX_US : MARGIN_US);
  connection.tailState = (connection.tailState & ~REORDER_ARMED) | PROBE_ARMED;
  armTimer(connection.timer, tickAfter(min(probe, timeoutUs(connection))));
}

function mayProbe(connection: Connection): bool {
  return (
    usesSack(connection) &&
    (connection.tailState & PROBE_OUT) == 0 &&
    connection.srtt != 0 &&
    connection.backoff == 0 &&
    connection.sackedBytes == 0 &&
    (connection.sendHead !== null || (connection.tailState & FIN_APART) != 0) &&
    !connection.has(RECOVERY | PERSIST) &&
    probesTails()
  );
}

/** Something has overtaken the oldest segment: after a reordering window it counts as lost. */
export function awaitReordering(connection: Connection): void {
  const wait = untilHeadLost(connection);
  if (connection.has(RECOVERY | PERSIST) || wait == u32.MAX_VALUE) return;
  connection.tailState = (connection.tailState & ~PROBE_ARMED) | REORDER_ARMED;
  armTimer(connection.timer, tickAfter(wait));
}

/** Blocks tell of the tail by themselves: no probe is needed any more (section 7.2). */
export function cancelProbe(connection: Connection): void {
  if ((connection.tailState & PROBE_ARMED) != 0) armLossTimer(connection);
}

/** The probe's time has come: new data if there is any, else the last segment again. */
export function probeTail(connection: Connection): void {
  connection.tailState = (connection.tailState & FIN_APART) | PROBE_OUT;
  connection.tailEnd = connection.sendMax;
  count(COUNTER_TCP_TAIL_PROBES);
  if (!sendBeyond(connection)) repeatLast(connection);
  armTimer(connection.timer, tickAfter(timeoutUs(connection)));
}

/** Segments are full as far as they can be, so the last one is what they leave. */
function repeatLast(connection: Connection): void {
  const sentFin = connection.sendMax - connection.sendEnd == 1;
  if (sentFin && (connection.tailState & FIN_APART) != 0) {
    repeatFin(connection);
    return;
  }
  const end = sentFin ? connection.sendEnd : connection.sendMax;
  const outstanding = end - connection.sendUna;
  if (outstanding == 0) return;
  const bytes = lastSegmentBytes(connection, end, outstanding);
  const last = frameFrom(connection, end - bytes);
  if (last === null) return;
  let flags = Tcp.ACK;
  if (end == connection.sendEnd) flags |= sentFin ? Tcp.PSH | Tcp.FIN : Tcp.PSH;
  if (!transmitSegment(connection, end - bytes, bytes, flags)) return;
  countRetransmission(connection, 0);
  spoilSample(connection);
  connection.tailState |= PROBE_REPEATED;
  markRepeated(connection, last, bytes);
}

function lastSegmentBytes(connection: Connection, end: u32, outstanding: u32): u32 {
  const whole = ((outstanding - 1) % <u32>connection.mss) + 1;
  if (!connection.chose(RECORDS)) return whole;
  // The last record alone, or as much of it as the last segment can have held.
  let bytes = whole;
  while (bytes != 0) {
    const within = recordReach(connection, end - bytes, bytes);
    if (within == bytes) break;
    bytes -= within;
  }
  return bytes;
}

/** The last segment was the FIN alone. */
function repeatFin(connection: Connection): void {
  if (!transmitSegment(connection, connection.sendEnd, 0, Tcp.ACK | Tcp.FIN)) return;
  countRetransmission(connection, 0);
  spoilSample(connection);
  connection.tailState |= PROBE_REPEATED;
}

/**
 * What the probe sent is acknowledged. True when it made good a loss, which asks for the answer to one
 * (section 7.4.2); a duplicate that the peer tells of says that there was none.
 */
export function probeAnswered(connection: Connection, wasDuplicate: bool): bool {
  if ((connection.tailState & PROBE_OUT) == 0) return false;
  if (<i32>(connection.sendUna - connection.tailEnd) < 0) return false;
  const repaired = (connection.tailState & PROBE_REPEATED) != 0 && !wasDuplicate;
  connection.tailState &= FIN_APART;
  return repaired;
}
