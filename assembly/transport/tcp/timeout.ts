/** The connection's main timer: retransmission, window probes, TIME_WAIT, abandoned FIN_WAIT_2. */
import {
  COUNTER_TCP_TIMEOUTS,
  COUNTER_TCP_ZERO_WINDOW_PROBES,
  ERRNO_ETIMEDOUT,
} from "../../layout";
import { count } from "../../counters";
import { Tcp } from "../../wire/tcp";
import { discard, kill } from "./close";
import { congestionTimeout, enterRecovery } from "./congestion";
import {
  Connection,
  FIN_WAIT_1,
  FIN_WAIT_2,
  ORPHAN,
  PERSIST,
  RTT_TIMING,
  SYN_RECEIVED,
  SYN_REPEATED,
  SYN_SENT,
  TIME_WAIT,
} from "./connection";
import { synUnanswered } from "./fast-open-client";
import { isUnconfirmed } from "./fast-open-server";
import { sendSynAgain } from "./handshake";
import { keepAliveTimeout } from "./keep-alive";
import { output, sendHeldBack } from "./output";
import { armWithPatience, isGivenUp } from "./patience";
import { pathTimeout } from "./path-mtu";
import { makeReady } from "./ready";
import { countRetransmission, goBack } from "./retransmit";
import { RTO_MAX_US, spoilSample, timeoutUs } from "./rtt";
import { isHeadLost } from "./loss";
import { frameFrom } from "./send-frame";
import { after, laterOf } from "./sequence";
import { dataRetries, probesBare, synAckRetries, synRetries } from "./settings";
import {
  armLossTimer,
  awaitReordering,
  FIN_APART,
  PROBE_ARMED,
  probeTail,
  REORDER_ARMED,
} from "./tail-probe";
import { transmitSegment } from "./transmit";

export function tcpTimer(connection: Connection): void {
  switch (connection.state) {
    case TIME_WAIT:
      discard(connection);
      return;
    case FIN_WAIT_2:
      // The application has closed, so nobody waits for the peer's FIN any more; or it still reads.
      if (connection.has(ORPHAN)) kill(connection, ERRNO_ETIMEDOUT);
      else keepAliveTimeout(connection);
      return;
    case SYN_SENT:
    case SYN_RECEIVED:
      synTimeout(connection);
      return;
    case FIN_WAIT_1:
      if (!isUnconfirmed(connection)) break;
      synTimeout(connection);
      return;
  }
  if (connection.has(PERSIST)) persistTimeout(connection);
  else if (connection.sendMax == connection.sendUna) keepAliveTimeout(connection);
  else if ((connection.tailState & PROBE_ARMED) != 0) probeTail(connection);
  else if ((connection.tailState & REORDER_ARMED) != 0) reorderingOver(connection);
  else retransmissionTimeout(connection);
}

function synTimeout(connection: Connection): void {
  let limit = synAckRetries();
  if (connection.state == SYN_SENT) {
    limit = connection.synRetriesMax != 0 ? <u32>connection.synRetriesMax : synRetries();
  }
  if (isGivenUp(connection, limit, timeoutUs(connection))) {
    if (connection.state == SYN_SENT) synUnanswered(connection);
    kill(connection, ERRNO_ETIMEDOUT);
    return;
  }
  connection.retries++;
  connection.backoff++;
  connection.set(SYN_REPEATED);
  connection.clear(RTT_TIMING);
  count(COUNTER_TCP_TIMEOUTS);
  countRetransmission(connection, 0);
  armWithPatience(connection, timeoutUs(connection));
  sendSynAgain(connection);
}

/** What was overtaken has not come within the reordering window (RFC 8985 section 6.3). */
function reorderingOver(connection: Connection): void {
  armLossTimer(connection);
  if (isHeadLost(connection)) enterRecovery(connection, 0);
  else awaitReordering(connection);
}

/** RFC 6298 sections 5.4 to 5.6; everything from SND.UNA on is sent anew as cwnd allows. */
function retransmissionTimeout(connection: Connection): void {
  if (isGivenUp(connection, dataRetries(), timeoutUs(connection))) {
    kill(connection, ERRNO_ETIMEDOUT);
    return;
  }
  if (connection.sendWindow == 0 && after(connection.sendEnd, connection.sendUna)) {
    // The peer has closed its window since (MUST-34): that is to be probed, not lost.
    connection.clear(RTT_TIMING);
    connection.set(PERSIST);
    goBack(connection);
    probeWindow(connection);
    return;
  }
  connection.retries++;
  connection.tailState &= FIN_APART;
  pathTimeout(connection);
  congestionTimeout(connection);
  connection.backoff++;
  spoilSample(connection);
  count(COUNTER_TCP_TIMEOUTS);
  goBack(connection);
  // One segment goes now; what shares a frame with it keeps the time of its own sending.
  frameFrom(connection, connection.sendUna + connection.mss);
  if (!output(connection)) makeReady(connection);
  armWithPatience(connection, timeoutUs(connection));
}

/** RFC 9293 section 3.8.6.2.1: what sender SWS avoidance holds back leaves after a while (MUST-38). */
function persistTimeout(connection: Connection): void {
  if (connection.sendWindow == 0) probeWindow(connection);
  else if (!sendHeldBack(connection)) makeReady(connection);
}

/** RFC 9293 section 3.8.6.1: a byte beyond the window, at growing intervals. */
function probeWindow(connection: Connection): void {
  // Section 3.8.6.1 lets probes go on while they are answered; unanswered, R2 ends them.
  if (isGivenUp(connection, dataRetries(), timeoutUs(connection))) {
    kill(connection, ERRNO_ETIMEDOUT);
    return;
  }
  connection.retries++;
  if (connection.backoff < 16) connection.backoff++;
  const wait = min(RTO_MAX_US >> 1, timeoutUs(connection));
  armWithPatience(connection, wait);
  count(COUNTER_TCP_ZERO_WINDOW_PROBES);
  if (probesBare()) {
    transmitSegment(connection, connection.sendUna - 1, 0, Tcp.ACK);
    return;
  }
  const unsent = connection.sendEnd - connection.sendNext;
  if (unsent == 0) return;
  transmitSegment(connection, connection.sendNext, 1, Tcp.ACK | Tcp.PSH);
  connection.sendMax = laterOf(connection.sendMax, connection.sendNext + 1);
}
