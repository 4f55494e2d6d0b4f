/** UDP sockets: their records, found by local port, and the datagrams that wait for a pop. */
import {
  COMPLETION_ADDRESS,
  COMPLETION_PORT,
  COUNTER_DROP_UDP_QUEUE_FULL,
  DATAGRAM_SOCKET_SIZE,
  ERRNO_ENOBUFS,
  OPCODE_POP,
} from "../../layout";
import { count } from "../../counters";
import { splitChain } from "../../memory/chain";
import { Frame, release } from "../../memory/frame";
import { bucketCount } from "../../memory/plan";
import { carve } from "../../memory/region";
import { MAPPED_PREFIX, storeMapped } from "../../network/address";
import { pathMtu, rememberPath, toldMtu } from "../../network/path-mtu";
import { route, routeInterface } from "../../network/route";
import { complete, completeFailed } from "../../queue/completion";
import { Queue, takeWaiting } from "../../queue/queue";
import { Token } from "../../queue/token";
import { Ipv4 } from "../../wire/ipv4";

@unmanaged
export class DatagramSocket {
  /** Next of the same hash bucket, or of the free list. */
  bucketNext: DatagramSocket | null;
  queue: Queue;
  /** Datagrams that wait, oldest first by `link`; `detail` and `mark` are the sender. */
  head: Frame | null;
  tail: Frame | null;
  /** IPv4-mapped addresses, network byte order; 0 for any local, for no remote one. */
  localHigh: u64;
  localMapped: u32;
  local: u32;
  remoteHigh: u64;
  remoteMapped: u32;
  remote: u32;
  /** 0 while the socket is not bound. */
  localPort: u16;
  remotePort: u16;
  waiting: u16;
  /** Why a datagram did not reach the peer, a positive errno; the next pop is told. */
  error: u16;
  reserved: u64;

  @inline get isBound(): bool {
    return this.localPort != 0;
  }
  @inline get isConnected(): bool {
    return this.remotePort != 0;
  }
}

if (offsetof<DatagramSocket>() != DATAGRAM_SOCKET_SIZE) ERROR("DatagramSocket drifted");

/** Datagrams that wait for one socket's pops. */
const WAITING_MAX: u16 = 256;

let buckets: usize = 0;
let mask: u32 = 0;
let freeHead: DatagramSocket | null = null;

export function openDatagramSockets(limit: u32): void {
  const sockets = carve(limit * DATAGRAM_SOCKET_SIZE, 64);
  const capacity = bucketCount(limit);
  buckets = carve(capacity * 4, 64);
  mask = capacity - 1;
  freeHead = null;
  for (let index = <i32>limit - 1; index >= 0; index--) {
    const socket = changetype<DatagramSocket>(sockets + <usize>index * DATAGRAM_SOCKET_SIZE);
    socket.bucketNext = freeHead;
    freeHead = socket;
  }
}

/** Takes an unbound socket for a queue; null when all are in use. */
export function takeSocket(queue: Queue): DatagramSocket | null {
  const socket = freeHead;
  if (socket === null) return null;
  freeHead = socket.bucketNext;
  memory.fill(changetype<usize>(socket), 0, DATAGRAM_SOCKET_SIZE);
  socket.queue = queue;
  return socket;
}

/** Gives a socket back with the datagrams that nobody popped. */
export function releaseSocket(socket: DatagramSocket): void {
  if (socket.isBound) unlink(socket);
  let packet = socket.head;
  while (packet !== null) {
    const next = packet.link;
    release(packet);
    packet = next;
  }
  socket.bucketNext = freeHead;
  freeHead = socket;
}

function bucketOf(port: u32): usize {
  return buckets + <usize>((port & mask) << 2);
}

/** Makes the socket the one of `address` (0 for any) and `port`. */
export function linkSocket(socket: DatagramSocket, address: u32, port: u32): void {
  socket.local = address;
  socket.localMapped = MAPPED_PREFIX;
  socket.localPort = <u16>port;
  const bucket = bucketOf(port);
  socket.bucketNext = changetype<DatagramSocket | null>(load<usize>(bucket));
  store<usize>(bucket, changetype<usize>(socket));
}

function unlink(socket: DatagramSocket): void {
  let link = bucketOf(socket.localPort);
  while (load<usize>(link) != changetype<usize>(socket)) {
    link = load<usize>(link) + offsetof<DatagramSocket>("bucketNext");
  }
  store<usize>(link, changetype<usize>(socket.bucketNext));
}

/** The socket that holds `port` on `address`; 0 asks for, and a socket with 0 has, any address. */
export function findSocket(address: u32, port: u32): DatagramSocket | null {
  let socket = changetype<DatagramSocket | null>(load<usize>(bucketOf(port)));
  while (socket !== null) {
    if (
      socket.localPort == port &&
      (socket.local == address || socket.local == 0 || address == 0)
    ) {
      return socket;
    }
    socket = socket.bucketNext;
  }
  return null;
}

/** Takes a datagram, its headers off, and its sender: for the oldest pops, or to wait for one. */
export function deliver(socket: DatagramSocket, packet: Frame, address: u32, port: u32): void {
  if (socket.waiting == WAITING_MAX) {
    count(COUNTER_DROP_UDP_QUEUE_FULL);
    release(packet);
    return;
  }
  packet.detail = address;
  packet.mark = port;
  packet.link = null;
  const tail = socket.tail;
  if (tail === null) socket.head = packet;
  else tail.link = packet;
  socket.tail = packet;
  socket.waiting++;
  while (socket.head !== null) {
    const token = takeWaiting(socket.queue);
    if (token === null) return;
    popWaiting(socket, token);
  }
}

/** Completes a pop with the oldest datagram, which there is; what it does not want stays. */
export function popWaiting(socket: DatagramSocket, token: Token): void {
  const packet = <Frame>socket.head;
  if (token.size != 0 && token.size < packet.total) {
    const rest = splitChain(packet, token.size);
    if (rest === null) {
      completeFailed(token, ERRNO_ENOBUFS);
      return;
    }
    rest.detail = packet.detail;
    rest.mark = packet.mark;
    rest.link = packet.link;
    socket.head = rest;
    if (socket.tail == packet) socket.tail = rest;
  } else {
    socket.head = packet.link;
    if (packet.link === null) socket.tail = null;
    socket.waiting--;
  }
  packet.link = null;
  const at = complete(token, OPCODE_POP, packet, packet.total, 0);
  storeMapped(at + COMPLETION_ADDRESS, packet.detail);
  store<u32>(at, packet.mark, COMPLETION_PORT);
}

/**
 * A datagram of `quotedBytes` with its IP header is larger than the path's MTU: the next ones to
 * `remote` leave in fragments. The ports are all that can be checked here, so this is kept apart from
 * what TCP knows.
 */
export function udpTooBig(
  local: u32,
  localPort: u32,
  remote: u32,
  remotePort: u32,
  mtu: u32,
  quotedBytes: u32,
): void {
  const socket = findSocket(local, localPort);
  if (socket === null || !route(remote)) return;
  if (socket.isConnected && (socket.remote != remote || socket.remotePort != remotePort)) return;
  const known = pathMtu(remote, Ipv4.PROTOCOL_UDP);
  const used = known != 0 ? known : routeInterface.mtu;
  const told = toldMtu(mtu, quotedBytes, used);
  if (told < used && told < quotedBytes) rememberPath(remote, Ipv4.PROTOCOL_UDP, told);
}

/** A datagram from `local` to `remote` did not arrive: its socket is told if it is connected. */
export function udpUnreachable(
  local: u32,
  localPort: u32,
  remote: u32,
  remotePort: u32,
  errno: i32,
): void {
  const socket = findSocket(local, localPort);
  if (socket === null || socket.remote != remote || socket.remotePort != remotePort) return;
  const token = takeWaiting(socket.queue);
  if (token !== null) completeFailed(token, errno);
  else socket.error = <u16>errno;
}
