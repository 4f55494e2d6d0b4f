/**
 * What a connection may send now: window, congestion window, Nagle and silly-window avoidance
 * (RFC 9293 sections 3.7.4 and 3.8.6), then the FIN, then a bare acknowledgment if one is due.
 */
import { CAPABILITY_SEGMENTATION } from "../../layout";
import { nowUs, tickAfter } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Ipv4 } from "../../wire/ipv4";
import { Tcp } from "../../wire/tcp";
import {
  ACK_NOW,
  CLOSED,
  Connection,
  DELAYING,
  ESTABLISHED,
  FIN_QUEUED,
  FRTO_SENDING,
  KEEP_ALIVE,
  NO_DELAY,
  PACED,
  PERSIST,
  READY,
  RECORDS,
  RTT_TIMING,
  SYN_RECEIVED,
  UNFINISHED,
} from "./connection";
import { congestionWindow } from "./congestion";
import { noteSent, resumeSending } from "./controller";
import { isReductionDue } from "./ecn";
import { endDeferral, mayEndDeferral } from "./fast-open-client";
import { isUnconfirmed } from "./fast-open-server";
import { frtoSend } from "./frto";
import { sendSynAgain } from "./handshake";
import { markDelivered } from "./delivery-rate";
import { forgetHolds, isHeld, stopExpecting } from "./holding";
import { takeWaitingPushes } from "./push";
import { noteAnswer } from "./quick-ack";
import { FAST_DEFERRED } from "./record";
import { countRetransmission } from "./retransmit";
import { isFragmentable } from "./path-mtu";
import { departed, pacedLimit, waitsForDeparture } from "./pacing";
import { timeoutUs } from "./rtt";
import { hasDuplicate } from "./sack";
import { inSackRecovery, PIPE_BLOCKED, sendLost } from "./sack-recovery";
import { markSpoilt } from "./send-frame";
import { armAfterSending, armLossTimer, FIN_APART } from "./tail-probe";
import { before, laterOf } from "./sequence";
import { chainReach, recordReach, segmentReach, transmitSegment } from "./transmit";

/** Not in recovery with SACK: everything unacknowledged is in flight. */
const NO_PIPE: u32 = u32.MAX_VALUE - 1;
/** A corked socket holds a segment back for so long at least, and no longer than the timeout (as Linux). */
const CORK_US: u32 = 200_000;
/** Bytes in flight while the output of a connection in recovery goes on. */
let pipe: u32 = NO_PIPE;

/**
 * Sends what may be sent. False when the device's ring was full and something remains; the caller
 * keeps the connection on the ready list.
 */
export function output(connection: Connection): bool {
  if (connection.state < ESTABLISHED) {
    outputHandshake(connection);
    if (!isUnconfirmed(connection)) return true;
  }
  // Only a bare acknowledgment can say what came twice.
  if (connection.has(ACK_NOW) && hasDuplicate(connection)) {
    if (!transmitSegment(connection, connection.bareSequence, 0, Tcp.ACK)) return false;
  }
  if (connection.sendMax == connection.sendUna && connection.sendEnd != connection.sendUna) {
    resumeSending(connection);
  }
  if ((connection.undoState & FRTO_SENDING) != 0) frtoSend(connection);
  pipe = inSackRecovery(connection) ? sendLost(connection) : NO_PIPE;
  if (pipe == PIPE_BLOCKED) return false;
  while (true) {
    let bytes = sendable(connection);
    if (bytes <= <u32>connection.mss) {
      bytes = segmentReach(connection, connection.sendNext, bytes);
    }
    const fin = finFollows(connection, bytes);
    if (bytes == 0 && !fin) {
      if (!takesMore(connection)) break;
      continue;
    }
    if (!sendNow(connection, bytes, fin)) return false;
    // Mostly that was all.
    if (connection.sendNext == connection.sendEnd && !connection.has(FIN_QUEUED)) {
      if (!takesMore(connection)) break;
    }
  }
  if (connection.has(ACK_NOW)) {
    if (!transmitSegment(connection, connection.bareSequence, 0, Tcp.ACK)) return false;
  }
  if (<i32>(connection.sendEnd - connection.sendNext) > 0) {
    // What only waits for its departure is on the ready list.
    const waits = connection.chose(PACED) && connection.has(READY);
    if (connection.sendNext == connection.sendUna && !waits) armPersist(connection);
    stopExpecting(connection);
  }
  return true;
}

/**
 * Sends the segment that SWS avoidance has held back: nothing is in flight, the window is open by
 * less than was worth waiting for. False when the device's ring was full.
 */
export function sendHeldBack(connection: Connection): bool {
  pipe = NO_PIPE;
  forgetHolds(connection);
  const unsent = connection.sendEnd - connection.sendNext;
  const window = min(connection.sendWindow, connection.cwnd);
  const whole = min(unsent, min(window, <u32>connection.mss));
  const bytes = segmentReach(connection, connection.sendNext, whole);
  return sendNow(connection, bytes, finFollows(connection, bytes));
}

/** Sends one new segment whatever cwnd says, as a probe may; false when there is none to send. */
export function sendBeyond(connection: Connection): bool {
  pipe = NO_PIPE;
  const unsent = connection.sendEnd - connection.sendNext;
  const flight = connection.flight;
  if (unsent == 0 || <i32>unsent < 0 || connection.sendWindow <= flight) return false;
  const whole = min(unsent, min(connection.sendWindow - flight, <u32>connection.mss));
  const bytes = segmentReach(connection, connection.sendNext, whole);
  return sendNow(connection, bytes, finFollows(connection, bytes));
}

/** What has left makes room for pushes that waited for as much to be sent. */
function takesMore(connection: Connection): bool {
  return connection.unsentMax != 0 && takeWaitingPushes(connection);
}

/** SYN_RECEIVED acknowledges by its SYN-ACK, which its timer repeats. */
function outputHandshake(connection: Connection): void {
  if (connection.isFast(FAST_DEFERRED) && mayEndDeferral(connection)) endDeferral(connection);
  if (connection.state != SYN_RECEIVED || !connection.has(ACK_NOW)) return;
  connection.clear(ACK_NOW);
  sendSynAgain(connection);
}

/** What the peer's window and the congestion window leave; `flight` is all that is unacknowledged. */
function roomLeft(connection: Connection, flight: u32): u32 {
  const window = min(connection.sendWindow, congestionWindow(connection));
  if (pipe == NO_PIPE) return window > flight ? window - flight : 0;
  // In recovery with SACK what is lost or has arrived is not in flight (RFC 6675 section 4).
  if (connection.sendWindow <= flight || connection.cwnd <= pipe) return 0;
  return min(connection.sendWindow - flight, connection.cwnd - pipe);
}

/** Payload bytes of the next segment, 0 when none may leave. A super-frame counts as one segment. */
function sendable(connection: Connection): u32 {
  // Sequence arithmetic: after the FIN was sent, SND.NXT is one past the end of the data.
  const unsent = connection.sendEnd - connection.sendNext;
  if (unsent == 0 || <i32>unsent < 0) return 0;
  const flight = connection.flight;
  const room = roomLeft(connection, flight);
  if (room == 0) return 0;
  if (connection.chose(PACED) && waitsForDeparture(connection)) return 0;
  const mss: u32 = connection.mss;
  const bytes = min(unsent, room);
  if (bytes > mss) {
    const limit = segmentLimit(connection);
    // Records end where segments do; a super-frame would have to know both.
    if (limit <= mss || connection.chose(RECORDS)) return mss;
    const whole = chainReach(connection, connection.sendNext, min(bytes, limit));
    // Frames so small that a chain holds less than a segment are copied into one instead.
    if (whole <= mss) return mss;
    // A super-frame ends on a whole segment, unless the data ends there and Nagle lets its rest go.
    const last = whole == unsent && mayBeSmall(connection, whole);
    return last ? whole : whole - (whole % mss);
  }
  if (bytes == mss) return bytes;
  if (connection.chose(RECORDS)) {
    // What ends before the queue does waits for nothing.
    const record = recordReach(connection, connection.sendNext, unsent);
    if (record < unsent && record <= bytes) return record;
  }
  // RFC 9293 section 3.8.6.2.1: a segment below the MSS leaves when it empties the queue and Nagle
  // allows it, or when it fills half of the largest window the peer ever had.
  if (bytes == unsent && mayBeSmall(connection, flight)) return bytes;
  if (bytes >= connection.windowMax >> 1 && (bytes != unsent || !isHeld(connection))) return bytes;
  // What goes again after a timeout fills segments too: pieces of what acknowledgments of pieces leave
  // in cwnd would become smaller and smaller.
  if (bytes != unsent && flight != 0) return 0;
  return before(connection.sendNext, connection.sendMax) ? bytes : 0;
}

/** Nagle's algorithm (RFC 9293 section 3.7.4), and the cork: the last segment may be a small one. */
function mayBeSmall(connection: Connection, flight: u32): bool {
  return connection.has(NO_DELAY | FIN_QUEUED) || (flight == 0 && !isHeld(connection));
}

/** Payload bytes one hand-over to the device may carry: the MSS, or a super-frame's worth of it. */
function segmentLimit(connection: Connection): u32 {
  const mss: u32 = connection.mss;
  const nic = connection.nic;
  // A device that cuts may repeat the identifications of what routers may fragment.
  if (!nic.has(CAPABILITY_SEGMENTATION) || isFragmentable(connection)) return mss;
  if (isReductionDue(connection)) return mss;
  const headers = Ipv4.HEADER_LENGTH + Tcp.HEADER_LENGTH + <u32>connection.optionBytes;
  const limit = nic.segmentMax - headers;
  const whole = limit - (limit % mss);
  return connection.chose(PACED) ? pacedLimit(connection, whole) : whole;
}

/** The FIN goes with the last data, or alone. */
function finFollows(connection: Connection, bytes: u32): bool {
  return connection.has(FIN_QUEUED) && connection.sendNext + bytes == connection.sendEnd;
}

function sendNow(connection: Connection, bytes: u32, fin: bool): bool {
  const sequence = connection.sendNext;
  let flags = Tcp.ACK;
  // RFC 9293 section 3.9.1.2 (MUST-61): PSH on the last buffered segment.
  if (bytes != 0 && sequence + bytes == connection.sendEnd && !connection.chose(UNFINISHED)) {
    flags |= Tcp.PSH;
  }
  if (fin) flags |= Tcp.FIN;
  if (!transmitSegment(connection, sequence, bytes, flags)) return false;
  if (fin) {
    if (bytes == 0) connection.tailState |= FIN_APART;
    else connection.tailState &= ~FIN_APART;
  }
  const next = sequence + bytes + (fin ? 1 : 0);
  if (before(sequence, connection.sendMax)) {
    const repeated = min(bytes, connection.sendMax - sequence);
    countRetransmission(connection, repeated);
    markSpoilt(connection, sequence, repeated);
  }
  if (bytes != 0) {
    if (connection.chose(PACED)) departed(connection, bytes);
    noteSent(connection);
    if (!connection.chose(DELAYING)) noteAnswer(connection);
  }
  connection.sendNext = next;
  if (pipe != NO_PIPE) {
    pipe += bytes;
    connection.prrOut += bytes;
  }
  if (before(connection.sendMax, next)) {
    // Karn: only a segment sent for the first time is timed (RFC 6298 section 3).
    if (!connection.has(RTT_TIMING) && sequence == connection.sendMax) {
      startTiming(connection, next, bytes);
    }
    connection.sendMax = laterOf(connection.sendMax, next);
  }
  if (connection.has(PERSIST)) {
    connection.clear(PERSIST);
    connection.backoff = 0;
    armLossTimer(connection);
  } else {
    armAfterOutput(connection, sequence);
  }
  return true;
}

/** A segment of `bytes` up to `next` leaves, by which the round trip is measured. */
export function startTiming(connection: Connection, next: u32, bytes: u32): void {
  connection.set(RTT_TIMING);
  connection.rttSequence = next;
  connection.rttStart = <u32>nowUs;
  markDelivered(connection);
  if (bytes >= <u32>connection.mss) connection.provingSequence = next;
}

/** What begins at `sequence` has left. */
export function armAfterOutput(connection: Connection, sequence: u32): void {
  // Keep-alive has had the timer while nothing was outstanding.
  if (connection.has(KEEP_ALIVE) && sequence == connection.sendUna) armLossTimer(connection);
  else armAfterSending(connection);
}

/**
 * Data waits, nothing is in flight: only a window update can start it again, and that may be lost
 * (RFC 9293 section 3.8.6.1). The same timer overrides sender SWS avoidance, and a cork.
 */
function armPersist(connection: Connection): void {
  if (connection.has(PERSIST) || connection.state == CLOSED || isUnconfirmed(connection)) return;
  connection.set(PERSIST);
  connection.backoff = 0;
  connection.retries = 0;
  let wait = timeoutUs(connection);
  if (isHeld(connection) && connection.sendWindow != 0) wait = max(wait, CORK_US);
  armTimer(connection.timer, tickAfter(wait));
}
