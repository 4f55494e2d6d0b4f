/** PDPIX calls on stream sockets, as queue/operations.ts dispatches them. */
import {
  ADDRESS_SIZE,
  CONTROLLER_DCTCP,
  CONTROL_ADDRESS,
  CONTROL_PORT,
  ECN_PASSIVE,
  ERRNO_EADDRINUSE,
  ERRNO_EADDRNOTAVAIL,
  ERRNO_EDESTADDRREQ,
  ERRNO_EINPROGRESS,
  ERRNO_EINVAL,
  ERRNO_EISCONN,
  ERRNO_ENETUNREACH,
  ERRNO_ENOBUFS,
  ERRNO_ENOTCONN,
  ERRNO_EOPNOTSUPP,
  ERRNO_EPIPE,
  OPCODE_CONNECT,
  SOCKET_OPTION_CONTROLLER,
  SOCKET_OPTION_FAST_OPEN,
  SOCKET_OPTION_FAST_OPEN_CONNECT,
  SOCKET_OPTION_FAST_OPEN_NO_COOKIE,
  SOCKET_OPTION_FAST_OPEN_ROOM,
  SOCKET_OPTION_ECN,
  SOCKET_OPTION_KEEP_ALIVE,
  SOCKET_OPTION_KEEP_ALIVE_IDLE,
  SOCKET_OPTION_KEEP_ALIVE_INTERVAL,
  SOCKET_OPTION_KEEP_ALIVE_PROBES,
  SOCKET_OPTION_LINGER,
  SOCKET_OPTION_NODELAY,
  SOCKET_OPTION_PACING_RATE,
  SOCKET_OPTION_RECEIVE_BUFFER,
  SOCKET_OPTION_SEND_BUFFER,
  SOCKET_OPTION_SYN_RETRIES,
  SOCKET_OPTION_USER_TIMEOUT,
  SOMAXCONN,
} from "../../layout";
import { isOwnAddress } from "../../network/route";
import { complete } from "../../queue/completion";
import { Queue, sendLater } from "../../queue/queue";
import { Token } from "../../queue/token";
import { tickAfter } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Ipv4 } from "../../wire/ipv4";
import { portEphemeral, portInUse, portTake } from "../ports";
import { closeSending, isAtEnd, isConnectTold } from "./close";
import {
  ACTIVE,
  CLOSED,
  CLOSE_WAIT,
  Connection,
  ESTABLISHED,
  FIN_QUEUED,
  KEEP_ALIVE,
  LISTEN,
  NAGLE_OFF,
  PACED,
  PORT_TAKEN,
  READ_SHUT,
  RECEIVE_FIXED,
  SEND_FIXED,
  SYN_RECEIVED,
  SYN_SENT,
} from "./connection";
import { takeConnection } from "./connection-pool";
import { chooseController } from "./controller";
import { beginFastOpen } from "./fast-open-client";
import { getFastOpen, isOpenEarly, setFastOpen } from "./fast-open-option";
import { isUnconfirmed, listenFast } from "./fast-open-server";
import { endPops } from "./fin";
import { setNagle } from "./holding";
import { renewKeepAlive } from "./keep-alive";
import { prepareHandshake, routeConnection, sendSynAgain, SYN_WINDOW_MAX } from "./handshake";
import { startPacing } from "./pacing";
import { acceptEverything } from "./push";
import { timeoutUs } from "./rtt";
import { getSocketOption, sendHeld, setSocketOption } from "./socket-options";
import { addConnection, addListener, findConnection } from "./table";

const BUFFER_MIN: i32 = 4096;
/** 2^30 − 1 rounded to what the largest window scale can tell (RFC 7323 section 2.3). */
const BUFFER_MAX: i32 = 1 << 29;
/** As Linux: 32,767 s and 127 probes. */
const KEEP_ALIVE_MAX_MS: i32 = 32_767_000;
/** As Linux. */
const SYN_RETRIES_MAX: i32 = 127;
/** Three days: ticks are compared in half of their circle. */
const USER_TIMEOUT_MAX_MS: i32 = 259_200_000;
const KEEP_ALIVE_MAX_PROBES: i32 = 127;

export function streamOf(queue: Queue): Connection {
  return changetype<Connection>(queue.object);
}

export function tcpOpen(queue: Queue): i32 {
  const connection = takeConnection();
  if (connection === null) return -ERRNO_ENOBUFS;
  connection.queue = queue;
  queue.object = changetype<usize>(connection);
  return 0;
}

/** `address` 0 is any; `port` 0 chooses an ephemeral one. */
export function tcpBind(queue: Queue, address: u32, port: u32): i32 {
  const connection = streamOf(queue);
  if (connection.state >= SYN_RECEIVED) return -ERRNO_EISCONN;
  if (connection.state != CLOSED || connection.has(PORT_TAKEN)) return -ERRNO_EINVAL;
  if (address != 0 && !isOwnAddress(address)) return -ERRNO_EADDRNOTAVAIL;
  const chosen = port != 0 ? port : portEphemeral(Ipv4.PROTOCOL_TCP, 0, 0);
  if (chosen == 0 || (port != 0 && portInUse(Ipv4.PROTOCOL_TCP, port))) return -ERRNO_EADDRINUSE;
  takePort(connection, chosen);
  connection.local = address;
  return 0;
}

function takePort(connection: Connection, port: u32): void {
  portTake(Ipv4.PROTOCOL_TCP, port);
  connection.set(PORT_TAKEN);
  connection.ports = (connection.ports & 0xffff) | ((<u32>bswap<u16>(<u16>port)) << 16);
}

export function tcpListen(queue: Queue, backlog: i32): i32 {
  const connection = streamOf(queue);
  if (backlog < 1 || backlog > <i32>SOMAXCONN) return -ERRNO_EINVAL;
  if (connection.state == LISTEN || connection.state == SYN_SENT) return -ERRNO_EADDRINUSE;
  if (connection.state != CLOSED) return -ERRNO_EISCONN;
  if (!connection.has(PORT_TAKEN)) return -ERRNO_EDESTADDRREQ;
  connection.state = LISTEN;
  connection.backlog = <u16>backlog;
  listenFast(connection);
  addListener(connection);
  return 0;
}

/** 0 when an accept may start. */
export function tcpAcceptCheck(queue: Queue): i32 {
  return streamOf(queue).state == LISTEN ? 0 : -ERRNO_EINVAL;
}

/** Chooses ports and route; 0 when `tcpConnect` may follow. */
export function tcpConnectCheck(queue: Queue, address: u32, port: u32): i32 {
  const connection = streamOf(queue);
  if (connection.state == LISTEN) return -ERRNO_EOPNOTSUPP;
  if (connection.state == SYN_SENT || connection.state == SYN_RECEIVED) return -ERRNO_EINPROGRESS;
  if (connection.state != CLOSED || connection.remote != 0) return -ERRNO_EISCONN;
  if (!Ipv4.isUnicast(address) || port == 0) return -ERRNO_EADDRNOTAVAIL;
  connection.remote = address;
  const errno = chooseTuple(connection, port);
  if (errno != 0) connection.remote = 0;
  return errno;
}

function chooseTuple(connection: Connection, port: u32): i32 {
  if (!routeConnection(connection)) return -ERRNO_ENETUNREACH;
  if (!connection.has(PORT_TAKEN)) {
    const chosen = portEphemeral(Ipv4.PROTOCOL_TCP, connection.remote, port);
    if (chosen == 0) return -ERRNO_EADDRNOTAVAIL;
    takePort(connection, chosen);
  }
  const local = connection.local != 0 ? connection.local : connection.nic.address;
  const ports = (connection.ports & 0xffff0000) | (<u32>bswap<u16>(<u16>port));
  if (findConnection(local, connection.remote, ports) !== null) return -ERRNO_EADDRINUSE;
  connection.local = local;
  connection.ports = ports;
  return 0;
}

export function tcpConnect(queue: Queue, token: Token): void {
  const connection = streamOf(queue);
  connection.set(ACTIVE);
  prepareHandshake(connection);
  connection.state = SYN_SENT;
  addConnection(connection);
  if (beginFastOpen(connection)) {
    complete(token, OPCODE_CONNECT, null, 0, 0);
    return;
  }
  sendLater(queue, token);
  sendSynAgain(connection);
  armTimer(connection.timer, tickAfter(timeoutUs(connection)));
}

/** 0 when a push may start. */
export function tcpPushCheck(queue: Queue): i32 {
  const connection = streamOf(queue);
  if (connection.error != 0) return -(<i32>connection.error);
  if (connection.has(FIN_QUEUED)) return -ERRNO_EPIPE;
  const state = connection.state;
  if (state == ESTABLISHED || state == CLOSE_WAIT || isOpenEarly(connection)) return 0;
  return -ERRNO_ENOTCONN;
}

/** 0 when a pop may start; what killed the connection is told once its last bytes are popped. */
export function tcpPopCheck(queue: Queue): i32 {
  const connection = streamOf(queue);
  if (connection.receiveQueued != 0 || isAtEnd(connection)) return 0;
  if (connection.error != 0) return -(<i32>connection.error);
  return connection.state >= ESTABLISHED || isOpenEarly(connection) ? 0 : -ERRNO_ENOTCONN;
}

export function tcpShutdownWrite(queue: Queue): i32 {
  const connection = streamOf(queue);
  if (connection.has(FIN_QUEUED)) return 0;
  const state = connection.state;
  const early = isUnconfirmed(connection) || isConnectTold(connection, queue);
  if (state != ESTABLISHED && state != CLOSE_WAIT && !early) return -ERRNO_ENOTCONN;
  // Pushes that wait for room come before the FIN.
  acceptEverything(connection, queue);
  closeSending(connection);
  return 0;
}

/**
 * Nobody will wait for text any more: pops end at once. As with Linux, text that arrives is still kept
 * and told of, unless the sending direction is shut as well.
 */
export function tcpShutdownRead(queue: Queue): i32 {
  const connection = streamOf(queue);
  if (connection.state < ESTABLISHED) return -ERRNO_ENOTCONN;
  connection.choose(READ_SHUT);
  endPops(connection);
  return 0;
}

export function tcpLocal(queue: Queue): i32 {
  const connection = streamOf(queue);
  const at = changetype<usize>(connection) + offsetof<Connection>("localHigh");
  memory.copy(CONTROL_ADDRESS, at, ADDRESS_SIZE);
  store<u32>(CONTROL_PORT, <u32>bswap<u16>(<u16>(connection.ports >> 16)));
  return 0;
}

export function tcpRemote(queue: Queue): i32 {
  const connection = streamOf(queue);
  if (connection.state < SYN_RECEIVED && !isOpenEarly(connection)) return -ERRNO_ENOTCONN;
  const at = changetype<usize>(connection) + offsetof<Connection>("remoteHigh");
  memory.copy(CONTROL_ADDRESS, at, ADDRESS_SIZE);
  store<u32>(CONTROL_PORT, <u32>bswap<u16>(<u16>connection.ports));
  return 0;
}

export function tcpSetOption(queue: Queue, option: u32, value: i32): i32 {
  const connection = streamOf(queue);
  switch (option) {
    case SOCKET_OPTION_NODELAY:
      setNagle(connection, value == 0);
      sendHeld(connection);
      return 0;
    case SOCKET_OPTION_LINGER:
      connection.linger = value;
      return 0;
    case SOCKET_OPTION_RECEIVE_BUFFER:
      if (value < BUFFER_MIN || value > BUFFER_MAX) return -ERRNO_EINVAL;
      setReceiveBuffer(connection, value);
      return 0;
    case SOCKET_OPTION_SEND_BUFFER:
      if (value < BUFFER_MIN || value > BUFFER_MAX) return -ERRNO_EINVAL;
      connection.sendBuffer = value;
      connection.choose(SEND_FIXED);
      return 0;
    case SOCKET_OPTION_CONTROLLER:
      if (value < 0 || value > CONTROLLER_DCTCP) return -ERRNO_EINVAL;
      chooseController(connection, <u8>value);
      return 0;
    case SOCKET_OPTION_ECN:
      if (value < 0 || value > <i32>ECN_PASSIVE) return -ERRNO_EINVAL;
      connection.ecnMode = <u8>value;
      return 0;
    case SOCKET_OPTION_PACING_RATE:
      if (value < 0) return -ERRNO_EINVAL;
      connection.pacingRate = value;
      if (value != 0 && !connection.chose(PACED)) startPacing(connection);
      return 0;
    case SOCKET_OPTION_USER_TIMEOUT:
      if (value < 0 || value > USER_TIMEOUT_MAX_MS) return -ERRNO_EINVAL;
      connection.userTimeoutMs = value;
      return 0;
    case SOCKET_OPTION_SYN_RETRIES:
      if (value < 0 || value > SYN_RETRIES_MAX) return -ERRNO_EINVAL;
      if (connection.state > SYN_SENT) return -ERRNO_EISCONN;
      connection.synRetriesMax = <u8>value;
      return 0;
    case SOCKET_OPTION_FAST_OPEN:
    case SOCKET_OPTION_FAST_OPEN_CONNECT:
    case SOCKET_OPTION_FAST_OPEN_NO_COOKIE:
      return setFastOpen(connection, option, value);
    default:
      return setKeepAlive(connection, option, value);
  }
}

function setKeepAlive(connection: Connection, option: u32, value: i32): i32 {
  const isTime =
    option == SOCKET_OPTION_KEEP_ALIVE_IDLE || option == SOCKET_OPTION_KEEP_ALIVE_INTERVAL;
  if (isTime && (value < 1 || value > KEEP_ALIVE_MAX_MS)) return -ERRNO_EINVAL;
  switch (option) {
    case SOCKET_OPTION_KEEP_ALIVE:
      if (value != 0) connection.set(KEEP_ALIVE);
      else connection.clear(KEEP_ALIVE);
      break;
    case SOCKET_OPTION_KEEP_ALIVE_IDLE:
      connection.keepAliveIdleMs = value;
      break;
    case SOCKET_OPTION_KEEP_ALIVE_INTERVAL:
      connection.keepAliveIntervalMs = value;
      break;
    case SOCKET_OPTION_KEEP_ALIVE_PROBES:
      if (value < 1 || value > KEEP_ALIVE_MAX_PROBES) return -ERRNO_EINVAL;
      connection.keepAliveProbes = <u8>value;
      break;
    default:
      return setSocketOption(connection, option, value);
  }
  renewKeepAlive(connection);
  return 0;
}

/** What is promised to the peer stays promised; what its scale cannot tell is no use. */
function setReceiveBuffer(connection: Connection, bytes: u32): void {
  const tellable = SYN_WINDOW_MAX << connection.receiveScale;
  connection.receiveBuffer = connection.state >= SYN_SENT ? min(bytes, tellable) : bytes;
  connection.choose(RECEIVE_FIXED);
}

export function tcpGetOption(queue: Queue, option: u32): i32 {
  const connection = streamOf(queue);
  switch (option) {
    case SOCKET_OPTION_NODELAY:
      return connection.chose(NAGLE_OFF) ? 1 : 0;
    case SOCKET_OPTION_LINGER:
      return connection.linger;
    case SOCKET_OPTION_RECEIVE_BUFFER:
      return connection.receiveBuffer;
    case SOCKET_OPTION_SEND_BUFFER:
      return connection.sendBuffer;
    case SOCKET_OPTION_ECN:
      return connection.ecnMode;
    case SOCKET_OPTION_PACING_RATE:
      return connection.pacingRate;
    case SOCKET_OPTION_USER_TIMEOUT:
      return connection.userTimeoutMs;
    case SOCKET_OPTION_KEEP_ALIVE:
      return connection.has(KEEP_ALIVE) ? 1 : 0;
    case SOCKET_OPTION_KEEP_ALIVE_IDLE:
      return connection.keepAliveIdleMs;
    case SOCKET_OPTION_KEEP_ALIVE_INTERVAL:
      return connection.keepAliveIntervalMs;
    case SOCKET_OPTION_KEEP_ALIVE_PROBES:
      return connection.keepAliveProbes;
    case SOCKET_OPTION_CONTROLLER:
      return connection.controller;
    case SOCKET_OPTION_SYN_RETRIES:
      return connection.state <= SYN_SENT ? connection.synRetriesMax : 0;
    case SOCKET_OPTION_FAST_OPEN:
    case SOCKET_OPTION_FAST_OPEN_CONNECT:
    case SOCKET_OPTION_FAST_OPEN_NO_COOKIE:
    case SOCKET_OPTION_FAST_OPEN_ROOM:
      return getFastOpen(connection, option);
  }
  return getSocketOption(connection, option);
}
