/**
 * SYN-RECEIVED and every later state but TIME-WAIT: the eight checks of RFC 9293 section 3.10.7.4 in
 * their order, with RFC 5961's changes to the RST, SYN and ACK checks.
 */
import {
  COUNTER_DROP_TCP_OUT_OF_WINDOW,
  COUNTER_DROP_TCP_UNACCEPTABLE,
  COUNTER_TCP_RESETS_RECEIVED,
  ERRNO_ECONNREFUSED,
  ERRNO_ECONNRESET,
  ERRNO_ECONNABORTED,
} from "../../layout";
import { count } from "../../counters";
import { Tcp } from "../../wire/tcp";
import { admit } from "./accept";
import { acknowledge, acknowledgeOld } from "./acknowledge";
import { finAcknowledged, isFinAcknowledged, kill } from "./close";
import {
  ACTIVE,
  CLOSED,
  CLOSE_WAIT,
  Connection,
  ECN,
  ESTABLISHED,
  FIN_WAIT_2,
  ORPHAN,
  READ_SHUT,
  SYN_RECEIVED,
  SYN_REPEATED,
} from "./connection";
import { initialiseCongestion } from "./congestion";
import { acknowledgeNow, reportDuplicate } from "./delayed-ack";
import { deliver } from "./deliver";
import { agreeEcnAgain, noteCodepoint } from "./ecn";
import { isSynAcknowledged, settleSynData } from "./fast-open-client";
import { endRequest, isUnconfirmed, noteReset } from "./fast-open-server";
import { finReceived } from "./fin";
import { demandQuickAcks } from "./quick-ack";
import { makeReady } from "./ready";
import { clearReassembly, fillFromReassembly, storeOutOfOrder } from "./reassembly";
import { FAST_UNCONFIRMED } from "./record";
import { challenge, rejectSegment, resetSender } from "./reset";
import {
  cutPayload,
  segmentAcknowledgment,
  segmentBytes,
  segmentFlags,
  segmentLength,
  segmentSequence,
  segmentWindow,
  skipPayload,
  takePayload,
} from "./segment";
import { after, before } from "./sequence";
import { completeConnect, endHandshake, establish } from "./syn-sent";
import { armLossTimer } from "./tail-probe";
import { checkTimestamp, PAWS_OLD, PAWS_PASSES, renewTimestamp } from "./timestamp";

export function synchronisedReceive(connection: Connection): void {
  if (connection.optionBytes != 0) {
    const verdict = checkTimestamp(connection);
    if (verdict == PAWS_OLD) refuse(connection);
    if (verdict != PAWS_PASSES) return;
  }
  if (!isAcceptable(connection)) {
    if (isCrossedSynAck(connection)) meet(connection);
    else refuse(connection);
    return;
  }
  if ((segmentFlags & Tcp.RST) != 0) {
    reset(connection);
    return;
  }
  if ((segmentFlags & Tcp.SYN) != 0) {
    // RFC 5961 section 4.2: whatever its number, only a challenge; in SYN-RECEIVED likewise.
    challenge(connection);
    return;
  }
  if ((segmentFlags & Tcp.ACK) == 0) {
    count(COUNTER_DROP_TCP_UNACCEPTABLE);
    return;
  }
  if (!acknowledgmentPasses(connection)) return;
  // Only now: a forged segment would have to guess an acknowledgment too, to shift TS.Recent ahead
  // of all that the peer can send (RFC 7323 section 7).
  if (connection.optionBytes != 0) renewTimestamp(connection);
  trim(connection);
  receiveText(connection);
}

/** First check: some part of the segment lies in the window (table 6). */
function isAcceptable(connection: Connection): bool {
  const window = connection.receiveEdge - connection.receiveNext;
  const offset = segmentSequence - connection.receiveNext;
  const length = segmentLength();
  if (length == 0) return window == 0 ? offset == 0 : offset < window;
  // A closed window still lets RST, ACK and URG at RCV.NXT be processed (MUST-66).
  if (window == 0) return offset == 0;
  return offset < window || offset + length - 1 < window;
}

/**
 * Simultaneous open (figure 7): the peer's SYN-ACK repeats the SYN we have, so it lies outside the
 * window, but it acknowledges ours; without it two ends that opened at once would never meet.
 */
function isCrossedSynAck(connection: Connection): bool {
  return (
    connection.state == SYN_RECEIVED &&
    connection.has(ACTIVE) &&
    (segmentFlags & (Tcp.SYN | Tcp.ACK | Tcp.RST)) == (Tcp.SYN | Tcp.ACK) &&
    segmentSequence == connection.initialReceive &&
    isSynAcknowledged(connection)
  );
}

/** The peer's SYN-ACK has crossed ours. It is a duplicate of its SYN, and answered like others. */
function meet(connection: Connection): void {
  if (!opens(connection)) return;
  reportDuplicate(connection, 1);
  acknowledgeNow(connection);
}

/**
 * A duplicate or something out of the window is answered so that the peer learns where we stand. A
 * segment that carries nothing is answered at a limited rate, or two stacks that disagree would
 * acknowledge each other's acknowledgments for ever.
 */
function refuse(connection: Connection): void {
  count(COUNTER_DROP_TCP_OUT_OF_WINDOW);
  if ((segmentFlags & Tcp.RST) != 0) return;
  if (connection.state == SYN_RECEIVED) {
    // The peer's SYN again, or a stray: our SYN-ACK is what it lacks.
    if ((segmentFlags & Tcp.SYN) != 0) agreeEcnAgain(connection);
    challenge(connection);
    return;
  }
  // RFC 5961 section 4.2: a SYN is challenged wherever it lies, under the same limit.
  if (segmentLength() == 0 || (segmentFlags & Tcp.SYN) != 0) {
    challenge(connection);
    return;
  }
  demandQuickAcks(connection);
  const old = connection.receiveNext - segmentSequence;
  if (<i32>old > 0) reportDuplicate(connection, min(old, segmentLength()));
  acknowledgeNow(connection);
}

/** RFC 5961 section 3.2: only a reset at exactly RCV.NXT is believed. */
function reset(connection: Connection): void {
  if (segmentSequence != connection.receiveNext) {
    challenge(connection);
    return;
  }
  count(COUNTER_TCP_RESETS_RECEIVED);
  noteReset(connection);
  const refused = connection.state == SYN_RECEIVED && connection.has(ACTIVE);
  kill(connection, refused ? ERRNO_ECONNREFUSED : ERRNO_ECONNRESET);
}

/** Fifth check, the acknowledgment. False when the segment goes no further. */
function acknowledgmentPasses(connection: Connection): bool {
  if (connection.state == SYN_RECEIVED || isUnconfirmed(connection)) {
    if (!opens(connection)) return false;
  } else {
    // RFC 5961 section 5.2: SND.UNA − MAX.SND.WND ≤ SEG.ACK ≤ SND.NXT, or a challenge and no data.
    const oldest = connection.sendUna - connection.windowMax;
    if (before(segmentAcknowledgment, oldest) || after(segmentAcknowledgment, connection.sendMax)) {
      count(COUNTER_DROP_TCP_UNACCEPTABLE);
      challenge(connection);
      return false;
    }
    if (before(segmentAcknowledgment, connection.sendUna)) acknowledgeOld(connection);
    else acknowledge(connection);
  }
  if (isFinAcknowledged(connection)) finAcknowledged(connection);
  return connection.state != CLOSED;
}

/** The acknowledgment of our SYN in SYN-RECEIVED. False when it is none or nobody wants it. */
function opens(connection: Connection): bool {
  if (!isSynAcknowledged(connection)) {
    rejectSegment();
    return false;
  }
  if (connection.isFast(FAST_UNCONFIRMED)) {
    confirm(connection);
    return true;
  }
  connection.sendUna = segmentAcknowledgment;
  // The window of a SYN is never scaled (RFC 7323 section 2.2).
  const scale: u8 = (segmentFlags & Tcp.SYN) != 0 ? 0 : connection.sendScale;
  connection.sendWindow = segmentWindow << scale;
  connection.windowMax = connection.sendWindow;
  connection.sendWl1 = segmentSequence;
  connection.sendWl2 = segmentAcknowledgment;
  const passive = connection.listener !== null;
  establish(connection);
  if (!passive) {
    settleSynData(connection);
    completeConnect(connection);
    return true;
  }
  if (admit(connection)) return true;
  kill(connection, ERRNO_ECONNABORTED);
  return false;
}

/** The SYN-ACK of a connection that the application has since its SYN is acknowledged, and data perhaps. */
function confirm(connection: Connection): void {
  endRequest(connection);
  if (connection.state == SYN_RECEIVED) connection.state = ESTABLISHED;
  endHandshake(connection);
  // What was sent meanwhile may have been lost with the SYN-ACK.
  if (connection.has(SYN_REPEATED)) initialiseCongestion(connection);
  if (connection.sendMax != connection.sendUna) armLossTimer(connection);
  acknowledge(connection);
  if (connection.sendEnd != connection.sendNext) makeReady(connection);
}

/** Cuts away what lies outside the window: bytes received before, bytes behind the right edge. */
function trim(connection: Connection): void {
  const old = connection.receiveNext - segmentSequence;
  if (<i32>old > 0) {
    // The window is the edge's business: the peer must hear that it repeated itself.
    acknowledgeNow(connection);
    reportDuplicate(connection, min(old, segmentBytes));
    skipPayload(min(old, segmentBytes));
  }
  const room = connection.receiveEdge - segmentSequence;
  if (segmentBytes > room) {
    cutPayload(<i32>room > 0 ? room : 0);
    acknowledgeNow(connection);
  }
}

/** The application has closed the descriptor, or shut both directions down. */
function isDeserted(connection: Connection): bool {
  return connection.has(ORPHAN) || (connection.chose(READ_SHUT) && connection.state != ESTABLISHED);
}

/** Seventh and eighth checks: text and FIN. */
export function receiveText(connection: Connection): void {
  if (segmentLength() == 0) return;
  // The peer has sent its FIN before; nothing can come after it.
  if (connection.state >= CLOSE_WAIT) return;
  if (segmentBytes != 0 && isDeserted(connection)) {
    // Nobody will read it: RFC 9293 section 3.6.1 asks for a reset, or the peer sends for ever.
    resetSender();
    kill(connection, ERRNO_ECONNRESET);
    return;
  }
  if (segmentBytes != 0 && (connection.agreed & ECN) != 0) noteCodepoint(connection);
  if (segmentSequence != connection.receiveNext) {
    storeOutOfOrder(connection);
    return;
  }
  const fin = (segmentFlags & Tcp.FIN) != 0;
  if (segmentBytes != 0 && !deliver(connection, takePayload())) return;
  // Nothing can lie behind a FIN, whatever was kept.
  if (fin) clearReassembly(connection);
  else if (connection.reassemblyHead !== null) {
    // Part of a gap is filled, if not all (RFC 5681 section 4.2).
    acknowledgeNow(connection);
    fillFromReassembly(connection);
  }
  if (fin && connection.state <= FIN_WAIT_2) finReceived(connection);
}
