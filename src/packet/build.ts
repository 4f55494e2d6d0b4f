/**
 * Packets as values to bytes. Lengths and checksums are right unless a field says otherwise, so that
 * wrong packets can be made on purpose. Every result is a new array; inputs are copied.
 */
import { addressBytes } from "./address";
import { complement, sumBytes } from "./checksum";
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, NEXT_HEADER_FRAGMENT } from "./protocols";
import type { ArpPacket, EthernetHeader, Ipv6Fragment } from "./types";

const NOTHING = new Uint8Array(0);

/** A frame; not padded to Ethernet's 60 bytes. */
export function buildEthernet(header: EthernetHeader, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(14 + payload.length);
  bytes.set(header.destination);
  bytes.set(header.source, 6);
  new DataView(bytes.buffer).setUint16(12, header.type);
  bytes.set(payload, 14);
  return bytes;
}

/** A frame around an IP packet, of the type that the packet's version asks for. */
export function frameIp(header: Omit<EthernetHeader, "type">, packet: Uint8Array): Uint8Array {
  const type = (packet[0] ?? 0) >>> 4 === 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
  return buildEthernet({ ...header, type }, packet);
}

/** A frame around an ARP packet from its sender. */
export function frameArp(destination: Uint8Array, arp: ArpPacket): Uint8Array {
  return buildEthernet({ destination, source: arp.senderMac, type: ETHERTYPE_ARP }, buildArp(arp));
}

/** RFC 826 for Ethernet and IPv4: 28 bytes. */
export function buildArp(arp: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 1);
  view.setUint16(2, ETHERTYPE_IPV4);
  view.setUint16(4, 0x0604);
  view.setUint16(6, arp.operation);
  bytes.set(arp.senderMac, 8);
  bytes.set(addressBytes(arp.senderAddress), 14);
  bytes.set(arp.targetMac, 18);
  bytes.set(addressBytes(arp.targetAddress), 24);
  return bytes;
}

/** RFC 791. What is not given is zero, the TTL 64. */
export interface Ipv4Fields {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly ttl?: number;
  /** DSCP in the upper six bits, ECN in the lower two. */
  readonly trafficClass?: number;
  readonly identification?: number;
  readonly dontFragment?: boolean;
  readonly moreFragments?: boolean;
  /** Bytes, a multiple of eight. */
  readonly fragmentOffset?: number;
  /** Padded with zeros to whole words; 40 bytes at most. */
  readonly options?: Uint8Array;
  /** Bytes; instead of what is right. */
  readonly headerLength?: number;
  readonly totalLength?: number;
  readonly checksum?: number;
}

export function buildIpv4(fields: Ipv4Fields, payload: Uint8Array): Uint8Array {
  const { options = NOTHING } = fields;
  const headerLength = 20 + paddedLength(options.length);
  const bytes = new Uint8Array(headerLength + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x40 | ((fields.headerLength ?? headerLength) >>> 2);
  bytes[1] = fields.trafficClass ?? 0;
  view.setUint16(2, fields.totalLength ?? bytes.length);
  view.setUint16(4, fields.identification ?? 0);
  const flags = (fields.dontFragment ? 0x4000 : 0) | (fields.moreFragments ? 0x2000 : 0);
  view.setUint16(6, flags | ((fields.fragmentOffset ?? 0) >>> 3));
  bytes[8] = fields.ttl ?? 64;
  bytes[9] = fields.protocol;
  bytes.set(addressBytes(fields.source), 12);
  bytes.set(addressBytes(fields.destination), 16);
  bytes.set(options, 20);
  view.setUint16(10, fields.checksum ?? complement(sumBytes(view, 0, headerLength)));
  bytes.set(payload, headerLength);
  return bytes;
}

/** RFC 8200. What is not given is zero, the hop limit 64. */
export interface Ipv6Fields {
  readonly source: string;
  readonly destination: string;
  /** Of the payload: behind a fragment header when there is one. */
  readonly protocol: number;
  readonly ttl?: number;
  readonly trafficClass?: number;
  readonly flowLabel?: number;
  /** Adds the extension header of RFC 8200 section 4.5. */
  readonly fragment?: Ipv6Fragment;
  /** Bytes behind the fixed header; instead of what is right. */
  readonly payloadLength?: number;
}

export function buildIpv6(fields: Ipv6Fields, payload: Uint8Array): Uint8Array {
  const { fragment } = fields;
  const headerLength = fragment === undefined ? 40 : 48;
  const bytes = new Uint8Array(headerLength + payload.length);
  const view = new DataView(bytes.buffer);
  const trafficClass = fields.trafficClass ?? 0;
  view.setUint32(0, (6 << 28) | (trafficClass << 20) | (fields.flowLabel ?? 0));
  view.setUint16(4, fields.payloadLength ?? bytes.length - 40);
  bytes[6] = fragment === undefined ? fields.protocol : NEXT_HEADER_FRAGMENT;
  bytes[7] = fields.ttl ?? 64;
  bytes.set(addressBytes(fields.source), 8);
  bytes.set(addressBytes(fields.destination), 24);
  if (fragment !== undefined) {
    bytes[40] = fields.protocol;
    view.setUint16(42, (fragment.offset & 0xfff8) | (fragment.moreFragments ? 1 : 0));
    view.setUint32(44, fragment.identification);
  }
  bytes.set(payload, headerLength);
  return bytes;
}

/** Whole 32-bit words. */
function paddedLength(length: number): number {
  return (length + 3) & ~3;
}
