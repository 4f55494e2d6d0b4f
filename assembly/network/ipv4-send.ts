/** IPv4 transmission for ICMP and UDP: header, fragmentation, next hop. */
import {
  COUNTER_IP_FRAGMENTS_SENT,
  ERRNO_EAGAIN,
  ERRNO_ENOBUFS,
  FRAME_PAYLOAD,
  METADATA_SIZE,
  TX_HEADROOM,
} from "../layout";
import { count } from "../counters";
import { canTransmit } from "../link/device";
import { Interface } from "../link/interface";
import { findNeighbour, Neighbour, neighbourSend } from "../link/neighbour";
import { addHeader, copyChain } from "../memory/chain";
import { Frame, framesFree, isSole, release, takeFrame } from "../memory/frame";
import { sumHeader } from "../wire/checksum";
import { Ethernet } from "../wire/ethernet";
import { Ipv4 } from "../wire/ipv4";
import { nextIdentification } from "./identification";
import { pathMtu, PATH_MTU_FLOOR } from "./path-mtu";
import { routeInterface, routeNextHop } from "./route";

/** Bytes before a transport header: IP and Ethernet headers, offload metadata. */
export const IPV4_HEADROOM: u32 = Ipv4.HEADER_LENGTH + Ethernet.HEADER_LENGTH + METADATA_SIZE;

/** A link carries packets of at least this size (RFC 791 section 3.2). */
const MTU_MIN: u32 = 68;

/** The largest packet that goes to `destination` whole, by the way that the last `route` has found. */
export function packetMax(destination: u32, protocol: u32): u32 {
  const known = pathMtu(destination, protocol);
  return known == 0 ? routeInterface.mtu : min(routeInterface.mtu, max(known, PATH_MTU_FLOOR));
}

/**
 * Says whether a datagram of `bytes` behind the IP header, of which `largest` go in one packet, can
 * leave by the way `route` has found: 0, or a negative errno when the table of neighbours, the frames
 * or the tx ring are exhausted.
 */
export function ipv4CanSend(bytes: u32, pieces: u32, largest: u32): i32 {
  const nic = routeInterface;
  const neighbour = findNeighbour(nic, routeNextHop);
  if (neighbour === null) return -ERRNO_ENOBUFS;
  let descriptors = pieces;
  if (bytes > largest - Ipv4.HEADER_LENGTH || pieces > nic.chainMax) {
    descriptors = fragmentsOf(largest, bytes) * framesOf(fragmentBytes(largest));
    if (framesFree() < descriptors) return -ERRNO_ENOBUFS;
  }
  return !neighbour.isResolved || canTransmit(nic, descriptors) ? 0 : -ERRNO_EAGAIN;
}

/**
 * Sends a packet by the way that the last `route` has found, and takes its ownership. It begins at
 * the transport header with IPV4_HEADROOM before it (see `withHeadroom`). With OPTION_METADATA in
 * `options` the caller has placed metadata; such a packet fits `packetMax` and the device's chains.
 *
 * ICMP may be fragmented on its way, as its senders get no word that could be checked; so may what is
 * no smaller than a path of less than PATH_MTU_FLOOR.
 */
export function ipv4Send(
  packet: Frame,
  source: u32,
  destination: u32,
  protocol: u32,
  options: u32,
): void {
  const nic = routeInterface;
  const neighbour = findNeighbour(nic, routeNextHop);
  const largest = packetMax(destination, protocol);
  if (neighbour === null) {
    release(packet);
  } else if (packet.total + Ipv4.HEADER_LENGTH > largest) {
    sendFragments(nic, neighbour, packet, source, destination, protocol, largest);
  } else {
    const whole = fitChain(nic, packet);
    if (whole === null) return;
    if (mayBeFragmented(destination, protocol)) {
      const identification = nextIdentification(source, destination, protocol);
      writeHeader(whole, identification, 0, protocol, source, destination);
    } else {
      // RFC 6864 section 4.1: an atomic datagram needs no identification.
      writeHeader(whole, 0, Ipv4.DONT_FRAGMENT, protocol, source, destination);
    }
    neighbourSend(nic, neighbour, whole, options);
  }
}

function mayBeFragmented(destination: u32, protocol: u32): bool {
  if (protocol == Ipv4.PROTOCOL_ICMP) return true;
  const known = pathMtu(destination, protocol);
  return known != 0 && known < PATH_MTU_FLOOR;
}

/**
 * A packet whose first frame may be written to and has `bytes` before its data: the packet itself,
 * or it behind a new empty frame; null, the packet untouched, when there is no frame for that.
 */
export function withHeadroom(packet: Frame, bytes: u32): Frame | null {
  if (<u32>packet.offset >= bytes && isSole(packet)) return packet;
  const head = takeFrame(TX_HEADROOM);
  if (head === null) return null;
  head.next = packet;
  head.total = packet.total;
  return head;
}

/** The packet itself, or a copy in fewer frames when the device takes no chain that long. */
function fitChain(nic: Interface, packet: Frame): Frame | null {
  if (packet.next === null || countFrames(packet) <= nic.chainMax) return packet;
  const copy = copyChain(packet, 0, packet.total);
  release(packet);
  return copy;
}

/** Frames of a packet: the descriptors it takes. */
export function countFrames(packet: Frame): u32 {
  let frames: u32 = 0;
  for (let frame: Frame | null = packet; frame !== null; frame = frame.next) frames++;
  return frames;
}

function writeHeader(
  packet: Frame,
  identification: u32,
  fragment: u32,
  protocol: u32,
  source: u32,
  destination: u32,
): void {
  addHeader(packet, Ipv4.HEADER_LENGTH);
  const at = packet.data;
  const hops = Ipv4.TIME_TO_LIVE;
  Ipv4.write(at, packet.total, identification, fragment, protocol, source, destination, 0, hops);
  Ipv4.setChecksum(at, ~sumHeader(at));
}

/** Payload bytes of one fragment, a multiple of 8 (RFC 791 section 3.2). */
function fragmentBytes(largest: u32): u32 {
  return (max(largest, MTU_MIN) - Ipv4.HEADER_LENGTH) & ~7;
}

function fragmentsOf(largest: u32, bytes: u32): u32 {
  const each = fragmentBytes(largest);
  return max<u32>((bytes + each - 1) / each, 1);
}

/** Frames that hold `bytes` of payload. */
function framesOf(bytes: u32): u32 {
  return (bytes + FRAME_PAYLOAD - 1) / FRAME_PAYLOAD;
}

/** Copies a packet into fragments, each in frames of its own, and releases it. */
function sendFragments(
  nic: Interface,
  neighbour: Neighbour,
  packet: Frame,
  source: u32,
  destination: u32,
  protocol: u32,
  largest: u32,
): void {
  const each = fragmentBytes(largest);
  const total = packet.total;
  const identification = nextIdentification(source, destination, protocol);
  for (let at: u32 = 0; at < total; at += each) {
    const bytes = min(each, total - at);
    const piece = copyChain(packet, at, bytes);
    if (piece === null) break;
    const fragment = (at >> 3) | (at + bytes < total ? Ipv4.MORE_FRAGMENTS : 0);
    writeHeader(piece, identification, fragment, protocol, source, destination);
    count(COUNTER_IP_FRAGMENTS_SENT);
    neighbourSend(nic, neighbour, piece, 0);
  }
  release(packet);
}
