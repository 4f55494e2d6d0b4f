/** SYN-SENT (RFC 9293 section 3.10.7.3), simultaneous open included. */
import {
  COUNTER_DROP_TCP_UNACCEPTABLE,
  COUNTER_TCP_CONNECTIONS_OPENED,
  COUNTER_TCP_RESETS_RECEIVED,
  ERRNO_ECONNREFUSED,
  OPCODE_CONNECT,
} from "../../layout";
import { count } from "../../counters";
import { complete } from "../../queue/completion";
import { takeSending } from "../../queue/queue";
import { Token } from "../../queue/token";
import { nowTick, nowUs, tickAfter } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Tcp } from "../../wire/tcp";
import { kill } from "./close";
import { initialiseCongestion } from "./congestion";
import {
  Connection,
  ESTABLISHED,
  FIN_QUEUED,
  FIN_WAIT_1,
  RTT_TIMING,
  SYN_RECEIVED,
  SYN_REPEATED,
} from "./connection";
import { acknowledgeNow } from "./delayed-ack";
import { isSynAcknowledged, learnFromSynAck, settleSynData } from "./fast-open-client";
import { agree, sendSynAgain } from "./handshake";
import { rest } from "./keep-alive";
import { parseOptions } from "./options";
import { acceptWaitingPushes } from "./push";
import { renewQuickAcks, slackenAcknowledgments } from "./quick-ack";
import { makeReady } from "./ready";
import { startTuning } from "./receive-buffer";
import { FAST_CONNECT, FAST_DEFERRED } from "./record";
import { rejectSegment } from "./reset";
import { RTO_AFTER_SYN_US, sampleRtt, timeoutUs } from "./rtt";
import {
  segmentAcknowledgment,
  segmentFlags,
  segmentSequence,
  segmentWindow,
  skipSyn,
} from "./segment";
import { receiveText } from "./synchronised";
import { sampleEcho } from "./timestamp";

export function synSentReceive(connection: Connection): void {
  if (connection.isFast(FAST_DEFERRED)) {
    // Nothing has been sent that this could be an answer to.
    count(COUNTER_DROP_TCP_UNACCEPTABLE);
    rejectSegment();
    return;
  }
  const acknowledges = (segmentFlags & Tcp.ACK) != 0;
  if (acknowledges && !isSynAcknowledged(connection)) {
    count(COUNTER_DROP_TCP_UNACCEPTABLE);
    rejectSegment();
    return;
  }
  if ((segmentFlags & Tcp.RST) != 0) {
    count(COUNTER_TCP_RESETS_RECEIVED);
    if (acknowledges) kill(connection, ERRNO_ECONNREFUSED);
    return;
  }
  if ((segmentFlags & Tcp.SYN) == 0) {
    count(COUNTER_DROP_TCP_UNACCEPTABLE);
    return;
  }
  parseOptions();
  agree(connection);
  connection.initialReceive = segmentSequence;
  connection.receiveNext = segmentSequence + 1;
  connection.receiveEdge = connection.receiveNext + min(connection.receiveBuffer, 65535);
  // The window of a SYN is never scaled (RFC 7323 section 2.2).
  connection.sendWindow = segmentWindow;
  connection.windowMax = segmentWindow;
  connection.sendWl1 = segmentSequence;
  connection.sendWl2 = segmentAcknowledgment;
  if (acknowledges) {
    connection.sendUna = segmentAcknowledgment;
    const repeated = connection.has(SYN_REPEATED);
    establish(connection);
    acknowledgeNow(connection);
    count(COUNTER_TCP_CONNECTIONS_OPENED);
    if (connection.isFast(FAST_CONNECT)) opensFast(connection, repeated);
    completeConnect(connection);
    return;
  }
  // Simultaneous open (figure 7): our SYN goes again as a SYN-ACK with the same number.
  connection.state = SYN_RECEIVED;
  connection.clear(RTT_TIMING);
  sendSynAgain(connection);
  armTimer(connection.timer, tickAfter(timeoutUs(connection)));
}

/** The SYN-ACK answers a SYN of Fast Open; what it carries itself is taken too (RFC 7413 section 3). */
function opensFast(connection: Connection, repeated: bool): void {
  learnFromSynAck(connection, repeated);
  settleSynData(connection);
  skipSyn();
  receiveText(connection);
  // What did not fit the SYN carries the acknowledgment, as later data will (quick-ack.ts).
  if (<i32>(connection.sendEnd - connection.sendNext) > 0) slackenAcknowledgments(connection);
}

/** Our SYN is acknowledged: enters ESTABLISHED with the first round-trip sample. */
export function establish(connection: Connection): void {
  connection.state = ESTABLISHED;
  endHandshake(connection);
  initialiseCongestion(connection);
  if (!connection.has(FIN_QUEUED)) return;
  connection.state = FIN_WAIT_1;
  makeReady(connection);
}

/** What the acknowledgment of our SYN ends: its repetitions, and the measurement of a round trip. */
export function endHandshake(connection: Connection): void {
  connection.retries = 0;
  connection.backoff = 0;
  connection.probesUnanswered = 0;
  connection.heardTick = nowTick;
  connection.receivedTick = nowTick;
  renewQuickAcks(connection);
  startTuning(connection);
  rest(connection);
  if (connection.has(RTT_TIMING)) {
    connection.clear(RTT_TIMING);
    sampleRtt(connection, <u32>nowUs - connection.rttStart);
  } else if (connection.optionBytes != 0) {
    sampleEcho(connection);
  }
  if (connection.has(SYN_REPEATED)) connection.rto = RTO_AFTER_SYN_US;
}

/** Tells the application that its connect is done, unless it has been told; pushes may have followed. */
export function completeConnect(connection: Connection): void {
  const queue = connection.queue;
  if (queue === null) return;
  const first = queue.sendHead;
  if (first === null) return;
  if (first.opcode == OPCODE_CONNECT) {
    complete(<Token>takeSending(queue), OPCODE_CONNECT, null, 0, 0);
  }
  acceptWaitingPushes(connection, queue);
}
