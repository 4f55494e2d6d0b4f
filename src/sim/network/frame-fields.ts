/** Where the fields of a frame stand that a link or a middlebox changes, and checksums kept right. */

import {
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from "../../packet/protocols";

export const ETHERNET_HEADER_BYTES = 14;

export function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function read32(bytes: Uint8Array, at: number): number {
  return ((read16(bytes, at) << 16) | read16(bytes, at + 2)) >>> 0;
}

/** Type of an Ethernet frame; 0 when it has no whole header. */
export function frameType(frame: Uint8Array): number {
  return frame.length < ETHERNET_HEADER_BYTES ? 0 : read16(frame, 12);
}

/**
 * Brings a checksum up to date with a 16-bit word that it covers: HC' = ~(~HC + ~m + m') of RFC 1624
 * section 3.
 */
export function updateChecksum(bytes: Uint8Array, at: number, before: number, after: number): void {
  let sum = (~read16(bytes, at) & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  write16(bytes, at, ~sum & 0xffff);
}

/** Where the parts of an unfragmented IP packet in a frame stand. */
export interface Transport {
  readonly protocol: number;
  /** The first byte of the transport header. */
  readonly header: number;
  readonly checksum: number;
  readonly payload: number;
  /** Behind the last byte; Ethernet's padding is left out. */
  readonly end: number;
}

/** Undefined for fragments, other protocols and packets cut short: nothing in them may be touched. */
export function transportOf(frame: Uint8Array): Transport | undefined {
  const type = frameType(frame);
  const ip = ETHERNET_HEADER_BYTES;
  if (type === ETHERTYPE_IPV4 && frame.length >= ip + 20) {
    const fragment = (read16(frame, ip + 6) & 0x3fff) !== 0;
    const header = ip + ((frame[ip] as number) & 15) * 4;
    const end = ip + read16(frame, ip + 2);
    return fragment ? undefined : transportAt(frame, frame[ip + 9] as number, header, end);
  }
  if (type === ETHERTYPE_IPV6 && frame.length >= ip + 40) {
    const end = ip + 40 + read16(frame, ip + 4);
    return transportAt(frame, frame[ip + 6] as number, ip + 40, end);
  }
  return undefined;
}

/** A whole TCP segment; undefined for everything else. */
export function tcpOf(frame: Uint8Array): Transport | undefined {
  const transport = transportOf(frame);
  return transport?.protocol === PROTOCOL_TCP ? transport : undefined;
}

/** Tells the connections and directions of TCP segments over IPv4 from each other. */
export function connectionKey(frame: Uint8Array, { header }: Transport): string {
  const source = read32(frame, ETHERNET_HEADER_BYTES + 12);
  const destination = read32(frame, ETHERNET_HEADER_BYTES + 16);
  return `${source}:${destination}:${read32(frame, header)}`;
}

function transportAt(
  frame: Uint8Array,
  protocol: number,
  header: number,
  end: number,
): Transport | undefined {
  if (header < ETHERNET_HEADER_BYTES + 20 || end > frame.length) return undefined;
  if (protocol === PROTOCOL_TCP) {
    if (header + 20 > end) return undefined;
    const payload = header + ((frame[header + 12] as number) >>> 4) * 4;
    if (payload < header + 20 || payload > end) return undefined;
    return { protocol, header, checksum: header + 16, payload, end };
  }
  if (header + 8 > end) return undefined;
  const checksum =
    protocol === PROTOCOL_UDP
      ? header + 6
      : protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6
        ? header + 2
        : 0;
  return checksum === 0 ? undefined : { protocol, header, checksum, payload: header + 8, end };
}

/** Sets one byte that the transport's checksum covers, and the checksum with it. */
export function setCoveredByte(
  frame: Uint8Array,
  transport: Transport,
  at: number,
  value: number,
): void {
  const before = frame[at] as number;
  frame[at] = value;
  const { protocol, header, checksum } = transport;
  // A UDP checksum of 0 says that there is none (RFC 768), and stays so.
  if (protocol === PROTOCOL_UDP && read16(frame, checksum) === 0) return;
  const shift = ((at - header) & 1) === 0 ? 8 : 0;
  updateChecksum(frame, checksum, before << shift, value << shift);
  if (protocol === PROTOCOL_UDP && read16(frame, checksum) === 0) write16(frame, checksum, 0xffff);
}

/** Sets 32 bits that the transport's checksum covers, and the checksum with them. */
export function setCovered32(
  frame: Uint8Array,
  transport: Transport,
  at: number,
  value: number,
): void {
  for (let index = 0; index < 4; index++) {
    setCoveredByte(frame, transport, at + index, (value >>> (24 - index * 8)) & 255);
  }
}

/** Sets Congestion Experienced where the packet's sender understands it (RFC 3168); else false. */
export function markCongestion(frame: Uint8Array): boolean {
  const type = frameType(frame);
  const ip = ETHERNET_HEADER_BYTES;
  if (type === ETHERTYPE_IPV4 && frame.length >= ip + 20) {
    const before = read16(frame, ip);
    if ((before & 3) === 0) return false;
    write16(frame, ip, before | 3);
    updateChecksum(frame, ip + 10, before, before | 3);
    return true;
  }
  if (type === ETHERTYPE_IPV6 && frame.length >= ip + 40) {
    const second = frame[ip + 1] as number;
    if ((second & 0x30) === 0) return false;
    frame[ip + 1] = second | 0x30;
    return true;
  }
  return false;
}
