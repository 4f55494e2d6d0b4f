/** What the queue operations do on a datagram queue. Negative errno throughout. */
import {
  CONTROL_ADDRESS,
  CONTROL_PORT,
  ERRNO_EADDRINUSE,
  ERRNO_EADDRNOTAVAIL,
  ERRNO_EDESTADDRREQ,
  ERRNO_EINVAL,
  ERRNO_EISCONN,
  ERRNO_ENETUNREACH,
  ERRNO_ENOBUFS,
  ERRNO_ENOTCONN,
} from "../../layout";
import { Frame } from "../../memory/frame";
import { MAPPED_PREFIX, storeMapped } from "../../network/address";
import { isOwnAddress, route, routeInterface } from "../../network/route";
import { completeFailed } from "../../queue/completion";
import { Queue, waitLater } from "../../queue/queue";
import { Token } from "../../queue/token";
import { Ipv4 } from "../../wire/ipv4";
import { portEphemeral, portRelease, portTake } from "../ports";
import { sendDatagram } from "./send";
import {
  DatagramSocket,
  findSocket,
  linkSocket,
  popWaiting,
  releaseSocket,
  takeSocket,
} from "./socket";

function socketOf(queue: Queue): DatagramSocket {
  return changetype<DatagramSocket>(queue.object);
}

/** Gives a queue its socket; ENOBUFS when all are in use. */
export function udpOpen(queue: Queue): i32 {
  const socket = takeSocket(queue);
  if (socket === null) return -ERRNO_ENOBUFS;
  queue.object = changetype<usize>(socket);
  return 0;
}

/** Binds to an own address or any (0), and to a port or a free one (0). */
export function udpBind(queue: Queue, address: u32, port: u32): i32 {
  const socket = socketOf(queue);
  if (socket.isConnected) return -ERRNO_EISCONN;
  if (socket.isBound || port > 65535) return -ERRNO_EINVAL;
  if (address != 0 && !isOwnAddress(address)) return -ERRNO_EADDRNOTAVAIL;
  if (port == 0) return bindEphemeral(socket, address, 0, 0);
  if (findSocket(address, port) !== null) return -ERRNO_EADDRINUSE;
  bindTo(socket, address, port);
  return 0;
}

function bindTo(socket: DatagramSocket, address: u32, port: u32): void {
  portTake(Ipv4.PROTOCOL_UDP, port);
  linkSocket(socket, address, port);
}

function bindEphemeral(socket: DatagramSocket, local: u32, remote: u32, remotePort: u32): i32 {
  const port = portEphemeral(Ipv4.PROTOCOL_UDP, remote, remotePort);
  if (port == 0) return -ERRNO_EADDRINUSE;
  bindTo(socket, local, port);
  return 0;
}

/** Fixes the one remote to push to and pop from; binds to a free port when not bound. */
export function udpConnect(queue: Queue, address: u32, port: u32): i32 {
  const socket = socketOf(queue);
  if (socket.isConnected) return -ERRNO_EISCONN;
  if (port == 0 || port > 65535) return -ERRNO_EINVAL;
  if (!route(address)) return -ERRNO_ENETUNREACH;
  const local = routeInterface.address;
  if (!socket.isBound) {
    const errno = bindEphemeral(socket, local, address, port);
    if (errno != 0) return errno;
  } else if (socket.local == 0) {
    socket.local = local;
  }
  socket.remoteMapped = MAPPED_PREFIX;
  socket.remote = address;
  socket.remotePort = <u16>port;
  return 0;
}

/** Sends to the connected remote. Takes the chain on success only; EAGAIN when the ring is full. */
export function udpPush(queue: Queue, frame: Frame): i32 {
  const socket = socketOf(queue);
  if (!socket.isConnected) return -ERRNO_EDESTADDRREQ;
  return sendDatagram(frame, socket.local, socket.localPort, socket.remote, socket.remotePort);
}

/** Sends to a remote; binds to a free port when not bound. Takes the chain on success only. */
export function udpPushTo(queue: Queue, frame: Frame, address: u32, port: u32): i32 {
  const socket = socketOf(queue);
  if (port == 0 || port > 65535) return -ERRNO_EINVAL;
  if (!socket.isBound) {
    const errno = bindEphemeral(socket, 0, 0, 0);
    if (errno != 0) return errno;
  }
  return sendDatagram(frame, socket.local, socket.localPort, address, port);
}

/** 0 when a pop may start. */
export function udpPopCheck(queue: Queue): i32 {
  return socketOf(queue).isBound ? 0 : -ERRNO_EDESTADDRREQ;
}

/** Completes a pop with the oldest datagram, or lets it wait for one. */
export function udpPop(queue: Queue, token: Token): void {
  const socket = socketOf(queue);
  if (socket.error != 0) {
    const errno: i32 = socket.error;
    socket.error = 0;
    completeFailed(token, errno);
  } else if (socket.head !== null) {
    popWaiting(socket, token);
  } else {
    waitLater(queue, token);
  }
}

/** Frees the socket, its port and the datagrams nobody popped; the queue's tokens are the caller's. */
export function udpClose(queue: Queue): void {
  const socket = socketOf(queue);
  if (socket.isBound) portRelease(Ipv4.PROTOCOL_UDP, socket.localPort);
  releaseSocket(socket);
  queue.object = 0;
}

/** Writes the local address and port (zero while not bound) to the control page. */
export function udpLocal(queue: Queue): i32 {
  const socket = socketOf(queue);
  storeMapped(CONTROL_ADDRESS, socket.local);
  store<u32>(CONTROL_PORT, socket.localPort);
  return 0;
}

/** Writes the remote address and port to the control page; ENOTCONN while there is none. */
export function udpRemote(queue: Queue): i32 {
  const socket = socketOf(queue);
  if (!socket.isConnected) return -ERRNO_ENOTCONN;
  storeMapped(CONTROL_ADDRESS, socket.remote);
  store<u32>(CONTROL_PORT, socket.remotePort);
  return 0;
}
