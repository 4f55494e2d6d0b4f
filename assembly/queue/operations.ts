/**
 * PDPIX calls: one dispatch by the kind of queue. Calls answer 0 or a negative errno; operations
 * that complete later answer their token's number, or a negative errno when they could not start.
 */
import {
  CONTROL_ADDRESS,
  ADDRESS_IPV4,
  ERRNO_EAGAIN,
  ERRNO_EBADF,
  ERRNO_EINVAL,
  ERRNO_EMFILE,
  ERRNO_ENOPROTOOPT,
  ERRNO_ENOTSUP,
  ERRNO_EOPNOTSUPP,
  KIND_DATAGRAM,
  KIND_STREAM,
  OPCODE_ACCEPT,
  OPCODE_CLOSE,
  OPCODE_CONNECT,
  OPCODE_POP,
  OPCODE_PUSH,
  PUSH_MORE,
  PUSH_RECORD_END,
} from "../layout";
import { Frame, isFrame } from "../memory/frame";
import { accept } from "../transport/tcp/accept";
import { closeConnection } from "../transport/tcp/close";
import { pop } from "../transport/tcp/deliver";
import { push } from "../transport/tcp/push";
import {
  streamOf,
  tcpAcceptCheck,
  tcpBind,
  tcpConnect,
  tcpConnectCheck,
  tcpGetOption,
  tcpListen,
  tcpLocal,
  tcpOpen,
  tcpPopCheck,
  tcpPushCheck,
  tcpRemote,
  tcpSetOption,
  tcpShutdownRead,
  tcpShutdownWrite,
} from "../transport/tcp/socket";
import {
  udpBind,
  udpClose,
  udpConnect,
  udpLocal,
  udpOpen,
  udpPop,
  udpPopCheck,
  udpPush,
  udpPushTo,
  udpRemote,
} from "../transport/udp/operations";
import { complete, completeFailed, completionRoom } from "./completion";
import { findQueue, Queue, QUEUE_CLOSED, releaseQueue, takeQueue, takeWaiting } from "./queue";
import { releaseToken, takeToken, Token } from "./token";

/** The address argument: 0 for any. */
function argument(): u32 {
  return load<u32>(CONTROL_ADDRESS, ADDRESS_IPV4);
}

export function socket(kind: u32): i32 {
  if (kind != KIND_STREAM && kind != KIND_DATAGRAM) return -ERRNO_ENOTSUP;
  const queue = takeQueue(<u8>kind);
  if (queue === null) return -ERRNO_EMFILE;
  const errno = kind == KIND_STREAM ? tcpOpen(queue) : udpOpen(queue);
  if (errno == 0) return queue.qd;
  releaseQueue(queue);
  return errno;
}

export function bind(qd: u32, port: u32): i32 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  if (port > 65535) return -ERRNO_EINVAL;
  if (queue.kind == KIND_STREAM) return tcpBind(queue, argument(), port);
  return udpBind(queue, argument(), port);
}

export function listen(qd: u32, backlog: i32): i32 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  return queue.kind == KIND_STREAM ? tcpListen(queue, backlog) : -ERRNO_EOPNOTSUPP;
}

/** Starts an operation: its token, or null when too many are pending or unread (EAGAIN). */
function start(queue: Queue, opcode: u32): Token | null {
  return completionRoom() ? takeToken(queue, opcode) : null;
}

export function acceptStart(qd: u32): f64 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  if (queue.kind != KIND_STREAM) return -ERRNO_EOPNOTSUPP;
  const errno = tcpAcceptCheck(queue);
  if (errno != 0) return errno;
  const token = start(queue, OPCODE_ACCEPT);
  if (token === null) return -ERRNO_EAGAIN;
  const number = token.number;
  accept(streamOf(queue), queue, token);
  return number;
}

export function connectStart(qd: u32, port: u32): f64 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  if (port > 65535) return -ERRNO_EINVAL;
  // The token comes first: a check that succeeds has chosen ports, which a retry would find taken.
  const token = start(queue, OPCODE_CONNECT);
  if (token === null) return -ERRNO_EAGAIN;
  const stream = queue.kind == KIND_STREAM;
  const errno = stream
    ? tcpConnectCheck(queue, argument(), port)
    : udpConnect(queue, argument(), port);
  if (errno != 0) {
    releaseToken(token);
    return errno;
  }
  const number = token.number;
  if (stream) tcpConnect(queue, token);
  else complete(token, OPCODE_CONNECT, null, 0, 0);
  return number;
}

/**
 * The chain is the stack's when a token is returned, the caller's still when an errno is. `manner` is of
 * PUSH_… bits.
 */
export function pushStart(qd: u32, record: usize, manner: u32): f64 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  if (!isFrame(record)) return -ERRNO_EINVAL;
  const chain = changetype<Frame>(record);
  if (queue.kind == KIND_DATAGRAM) return datagramPush(queue, chain, false, 0);
  if (chain.total == 0) return -ERRNO_EINVAL;
  const errno = tcpPushCheck(queue);
  if (errno != 0) return errno;
  const token = start(queue, OPCODE_PUSH);
  if (token === null) return -ERRNO_EAGAIN;
  const number = token.number;
  const more = (manner & PUSH_MORE) != 0;
  const last = (manner & PUSH_RECORD_END) != 0;
  push(streamOf(queue), queue, token, chain, more, last);
  return number;
}

export function pushToStart(qd: u32, record: usize, port: u32): f64 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  if (!isFrame(record) || port > 65535) return -ERRNO_EINVAL;
  if (queue.kind != KIND_DATAGRAM) return -ERRNO_EOPNOTSUPP;
  return datagramPush(queue, changetype<Frame>(record), true, port);
}

/** A datagram leaves at once, so its push completes at once. */
function datagramPush(queue: Queue, chain: Frame, to: bool, port: u32): f64 {
  const token = start(queue, OPCODE_PUSH);
  if (token === null) return -ERRNO_EAGAIN;
  const bytes = chain.total;
  const errno = to ? udpPushTo(queue, chain, argument(), port) : udpPush(queue, chain);
  if (errno != 0) {
    releaseToken(token);
    return errno;
  }
  const number = token.number;
  complete(token, OPCODE_PUSH, null, bytes, 0);
  return number;
}

export function popStart(qd: u32, size: u32): f64 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  const stream = queue.kind == KIND_STREAM;
  const errno = stream ? tcpPopCheck(queue) : udpPopCheck(queue);
  if (errno != 0) return errno;
  const token = start(queue, OPCODE_POP);
  if (token === null) return -ERRNO_EAGAIN;
  const number = token.number;
  token.size = size;
  if (stream) pop(streamOf(queue), queue, token);
  else udpPop(queue, token);
  return number;
}

export function closeStart(qd: u32): f64 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  const token = start(queue, OPCODE_CLOSE);
  if (token === null) return -ERRNO_EAGAIN;
  const number = token.number;
  queue.flags |= QUEUE_CLOSED;
  if (queue.kind == KIND_STREAM) {
    queue.closing = token;
    closeConnection(streamOf(queue), queue);
    return number;
  }
  let pending = takeWaiting(queue);
  while (pending !== null) {
    completeFailed(pending, ERRNO_EBADF);
    pending = takeWaiting(queue);
  }
  udpClose(queue);
  complete(token, OPCODE_CLOSE, null, 0, 0);
  releaseQueue(queue);
  return number;
}

export function shutdownWrite(qd: u32): i32 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  return queue.kind == KIND_STREAM ? tcpShutdownWrite(queue) : -ERRNO_EOPNOTSUPP;
}

export function shutdownRead(qd: u32): i32 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  return queue.kind == KIND_STREAM ? tcpShutdownRead(queue) : -ERRNO_EOPNOTSUPP;
}

export function localAddress(qd: u32): i32 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  return queue.kind == KIND_STREAM ? tcpLocal(queue) : udpLocal(queue);
}

export function remoteAddress(qd: u32): i32 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  return queue.kind == KIND_STREAM ? tcpRemote(queue) : udpRemote(queue);
}

export function setOption(qd: u32, option: u32, value: i32): i32 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  return queue.kind == KIND_STREAM ? tcpSetOption(queue, option, value) : -ERRNO_ENOPROTOOPT;
}

/** The option's value; what is below LINGER_OFF is a negative errno. */
export function getOption(qd: u32, option: u32): i32 {
  const queue = findQueue(qd);
  if (queue === null) return -ERRNO_EBADF;
  return queue.kind == KIND_STREAM ? tcpGetOption(queue, option) : -ERRNO_ENOPROTOOPT;
}
