/** The ends of a connection: orderly and abortive close, and what the application hears of them. */
import {
  ERRNO_EBADF,
  ERRNO_ECONNABORTED,
  OPCODE_CLOSE,
  OPCODE_CONNECT,
  OPCODE_POP,
} from "../../layout";
import { release } from "../../memory/frame";
import { complete, completeFailed } from "../../queue/completion";
import { Queue, releaseQueue, takeSending, takeWaiting } from "../../queue/queue";
import { nowTick, tickLater } from "../../time/clock";
import { armTimer, forgetTimer } from "../../time/wheel";
import { Ipv4 } from "../../wire/ipv4";
import { portRelease } from "../ports";
import { leaveListener } from "./accept";
import {
  ACTIVE,
  CLOSED,
  CLOSE_WAIT,
  CLOSING,
  Connection,
  ESTABLISHED,
  FIN_QUEUED,
  FIN_RECEIVED,
  FIN_WAIT_1,
  FIN_WAIT_2,
  LAST_ACK,
  LISTEN,
  ORPHAN,
  PORT_TAKEN,
  READ_SHUT,
  READY,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from "./connection";
import { connectionAt, connectionsTotal, returnConnection } from "./connection-pool";
import { disownRequests, endRequest, isUnconfirmed } from "./fast-open-server";
import { acceptEverything } from "./push";
import { makeReady } from "./ready";
import { FAST_CONNECT } from "./record";
import { clearReassembly } from "./reassembly";
import { resetPeer } from "./reset";
import { finTimeoutMs } from "./settings";
import { removeConnection } from "./table";
import { enterTimeWait, leaveTimeWait } from "./time-wait";

/** The application closes its sending side; a FIN follows what is queued. */
export function closeSending(connection: Connection): void {
  connection.set(FIN_QUEUED);
  if (connection.state == CLOSE_WAIT) connection.state = LAST_ACK;
  else if (!isConnecting(connection)) connection.state = FIN_WAIT_1;
  makeReady(connection);
}

/** The handshake of a connect is under way; a FIN waits for its end. */
function isConnecting(connection: Connection): bool {
  return connection.state <= SYN_RECEIVED && connection.has(ACTIVE);
}

/** Connect is done for the application, which has pushed, and not yet on the wire (RFC 7413). */
function hasEarlyData(connection: Connection, queue: Queue): bool {
  return (
    isConnectTold(connection, queue) && (connection.sendHead !== null || queue.sendHead !== null)
  );
}

/** Says whether connect has completed before its handshake has ended. */
export function isConnectTold(connection: Connection, queue: Queue): bool {
  if (!isConnecting(connection) || !connection.isFast(FAST_CONNECT)) return false;
  const first = queue.sendHead;
  return first === null || first.opcode != OPCODE_CONNECT;
}

/**
 * The application closes the descriptor (RFC 9293 section 3.10.4). `queue.closing` holds the token;
 * it completes when the peer has acknowledged everything, or at once where there is nobody to.
 */
export function closeConnection(connection: Connection, queue: Queue): void {
  failWaiting(queue, ERRNO_EBADF);
  switch (connection.state) {
    case ESTABLISHED:
    case CLOSE_WAIT:
      closeOpen(connection, queue);
      return;
    case FIN_WAIT_1:
    case FIN_WAIT_2:
    case CLOSING:
    case LAST_ACK:
      connection.set(ORPHAN);
      if (connection.linger == 0 || connection.receiveQueued != 0) abort(connection, 0);
      else if (connection.state == FIN_WAIT_2) abandonFinWait2(connection);
      return;
    case TIME_WAIT:
      connection.set(ORPHAN);
      releaseReceived(connection);
      settle(connection);
      return;
    case SYN_RECEIVED:
      if (isUnconfirmed(connection) || hasEarlyData(connection, queue)) {
        closeOpen(connection, queue);
      } else {
        abort(connection, ERRNO_EBADF);
      }
      return;
    case SYN_SENT:
      if (hasEarlyData(connection, queue)) closeOpen(connection, queue);
      else kill(connection, ERRNO_EBADF);
      return;
    case LISTEN:
      killChildren(connection);
      disownRequests(connection);
      kill(connection, 0);
      return;
    default:
      kill(connection, ERRNO_EBADF);
  }
}

function closeOpen(connection: Connection, queue: Queue): void {
  acceptEverything(connection, queue);
  connection.set(ORPHAN);
  // RFC 2525 section 2.17: data nobody read must not look delivered.
  if (connection.linger == 0 || connection.receiveQueued != 0) abort(connection, 0);
  else closeSending(connection);
}

/** Resets the peer and ends the connection. */
export function abort(connection: Connection, errno: i32): void {
  if (connection.state >= SYN_RECEIVED && connection.state != TIME_WAIT) resetPeer(connection);
  kill(connection, errno);
}

/** Says whether our FIN has been acknowledged. */
export function isFinAcknowledged(connection: Connection): bool {
  return connection.has(FIN_QUEUED) && connection.sendUna == connection.sendEnd + 1;
}

/** What follows from that; later segments come here again and find nothing to do. */
export function finAcknowledged(connection: Connection): void {
  switch (connection.state) {
    case FIN_WAIT_1:
      connection.state = FIN_WAIT_2;
      settle(connection);
      if (connection.has(ORPHAN)) armOrphan(connection);
      return;
    case CLOSING:
      enterTimeWait(connection);
      return;
    case LAST_ACK:
      kill(connection, 0);
      return;
  }
}

function abandonFinWait2(connection: Connection): void {
  settle(connection);
  armOrphan(connection);
}

function armOrphan(connection: Connection): void {
  armTimer(connection.timer, tickLater(nowTick, finTimeoutMs()));
}

/** All that was pushed has been acknowledged: a pending close completes, the descriptor is free. */
export function settle(connection: Connection): void {
  const queue = connection.queue;
  if (queue === null || queue.closing === null) return;
  detach(connection, queue, 0);
}

function detach(connection: Connection, queue: Queue, errno: i32): void {
  const token = queue.closing;
  connection.queue = null;
  connection.set(ORPHAN);
  if (token !== null) {
    queue.closing = null;
    if (errno == 0) complete(token, OPCODE_CLOSE, null, 0, 0);
    else completeFailed(token, errno);
  }
  releaseQueue(queue);
}

/**
 * Ends a connection in any state without a word to the peer. `errno` (0: an orderly end) goes to
 * every pending operation. The record stays while a descriptor refers to it.
 */
export function kill(connection: Connection, errno: i32): void {
  if (connection.state == TIME_WAIT) leaveTimeWait(connection);
  else if (connection.listener !== null) leaveListener(connection);
  else endRequest(connection);
  removeConnection(connection);
  connection.state = CLOSED;
  forgetTimer(connection.timer);
  forgetTimer(connection.ackTimer);
  release(connection.sendHead);
  connection.sendHead = null;
  connection.sendTail = null;
  connection.sendPoint = null;
  connection.sendFrames = 0;
  clearReassembly(connection);
  connection.error = <u16>errno;
  const queue = connection.queue;
  if (queue !== null) {
    failSending(queue, errno);
    failWaiting(queue, errno);
    if (queue.closing !== null) detach(connection, queue, errno == ERRNO_EBADF ? 0 : errno);
  }
  if (connection.queue === null) forget(connection);
}

/** Ends TIME_WAIT. */
export function discard(connection: Connection): void {
  kill(connection, 0);
}

/** Frees a CLOSED record that no descriptor refers to; the ready list frees it if it is there. */
function forget(connection: Connection): void {
  releaseReceived(connection);
  if (connection.has(PORT_TAKEN)) {
    connection.clear(PORT_TAKEN);
    portRelease(Ipv4.PROTOCOL_TCP, bswap<u16>(<u16>(connection.ports >> 16)));
  }
  if (!connection.has(READY)) returnConnection(connection);
}

/** Drops what nobody will pop. */
function releaseReceived(connection: Connection): void {
  release(connection.receiveHead);
  connection.receiveHead = null;
  connection.receiveTail = null;
  connection.receiveQueued = 0;
}

/** Pending pops and accepts; 0 tells pops the end of the stream. */
function failWaiting(queue: Queue, errno: i32): void {
  let token = takeWaiting(queue);
  while (token !== null) {
    if (errno == 0 && token.opcode == OPCODE_POP) complete(token, OPCODE_POP, null, 0, 0);
    else completeFailed(token, errno == 0 ? ERRNO_ECONNABORTED : errno);
    token = takeWaiting(queue);
  }
}

/** A pending connect, or pushes that wait for room. */
function failSending(queue: Queue, errno: i32): void {
  let token = takeSending(queue);
  while (token !== null) {
    completeFailed(token, errno == 0 ? ERRNO_ECONNABORTED : errno);
    token = takeSending(queue);
  }
}

/** Resets the connections of a closing listener that nobody has accepted (RFC 9293 3.10.4). */
function killChildren(listener: Connection): void {
  const total = connectionsTotal();
  let left = <u32>listener.halfOpen + <u32>listener.acceptable;
  for (let index: u32 = 0; index < total && left > 0; index++) {
    const connection = connectionAt(index);
    if (connection.state < SYN_RECEIVED || connection.state == TIME_WAIT) continue;
    if (connection.listener !== listener) continue;
    abort(connection, ERRNO_ECONNABORTED);
    left--;
  }
}

/** The whole stack ends: every peer that still counts on a connection hears a reset. */
export function abortAll(): void {
  const total = connectionsTotal();
  for (let index: u32 = 0; index < total; index++) {
    const connection = connectionAt(index);
    if (connection.state >= SYN_RECEIVED && connection.state != TIME_WAIT) {
      abort(connection, ERRNO_ECONNABORTED);
    }
  }
}

/** Says whether one of the ends has ended the peer's direction and everything was popped. */
export function isAtEnd(connection: Connection): bool {
  if (connection.receiveQueued != 0) return false;
  return connection.has(FIN_RECEIVED) || connection.chose(READ_SHUT);
}
