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
import { nowTick, nowUs, tickAfter } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Tcp } from "../../wire/tcp";
import { kill } from "./close";
import { initialiseCongestion } from "./congestion";
import { Connection, ESTABLISHED, RTT_TIMING, SYN_RECEIVED, SYN_REPEATED } from "./connection";
import { acknowledgeNow } from "./delayed-ack";
import { agree, sendSynAgain } from "./handshake";
import { rest } from "./keep-alive";
import { parseOptions } from "./options";
import { renewQuickAcks } from "./quick-ack";
import { rejectSegment } from "./reset";
import { RTO_AFTER_SYN_US, sampleRtt, timeoutUs } from "./rtt";
import { segmentAcknowledgment, segmentFlags, segmentSequence, segmentWindow } from "./segment";
import { sampleEcho } from "./timestamp";

export function synSentReceive(connection: Connection): void {
  const acknowledges = (segmentFlags & Tcp.ACK) != 0;
  // Only our SYN can have been acknowledged.
  if (acknowledges && segmentAcknowledgment != connection.sendNext) {
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
    establish(connection);
    acknowledgeNow(connection);
    count(COUNTER_TCP_CONNECTIONS_OPENED);
    completeConnect(connection);
    return;
  }
  // Simultaneous open (figure 7): our SYN goes again as a SYN-ACK with the same number.
  connection.state = SYN_RECEIVED;
  connection.clear(RTT_TIMING);
  sendSynAgain(connection);
  armTimer(connection.timer, tickAfter(timeoutUs(connection)));
}

/** Our SYN is acknowledged: enters ESTABLISHED with the first round-trip sample. */
export function establish(connection: Connection): void {
  connection.state = ESTABLISHED;
  connection.retries = 0;
  connection.backoff = 0;
  connection.heardTick = nowTick;
  connection.receivedTick = nowTick;
  renewQuickAcks(connection);
  rest(connection);
  if (connection.has(RTT_TIMING)) {
    connection.clear(RTT_TIMING);
    sampleRtt(connection, <u32>nowUs - connection.rttStart);
  } else if (connection.optionBytes != 0) {
    sampleEcho(connection);
  }
  if (connection.has(SYN_REPEATED)) connection.rto = RTO_AFTER_SYN_US;
  initialiseCongestion(connection);
}

/** Tells the application that its connect is done. */
export function completeConnect(connection: Connection): void {
  const queue = connection.queue;
  if (queue === null) return;
  const token = takeSending(queue);
  if (token !== null) complete(token, OPCODE_CONNECT, null, 0, 0);
}
