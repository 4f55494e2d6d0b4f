/** Bytes from the wire to packets as values. Parsing never throws; what is wrong is told in words. */
import { parseArp } from "./parse-arp";
import { type Draft, hex16, type Reading } from "./draft";
import { parseIpv4 } from "./parse-ipv4";
import { parseIpv6 } from "./parse-ipv6";
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "./protocols";
import type { Packet } from "./types";

export interface ParseOptions {
  /** Verify checksums; false where a device would have filled in partial ones. True by default. */
  readonly checksums?: boolean;
  /**
   * The bytes are an ICMP error's quotation: checksums are not verified, being cut off is no problem,
   * and of a TCP header eight bytes suffice, what is behind them reads as zero.
   */
  readonly quoted?: boolean;
}

const ETHERNET_HEADER = 14;
/** The shortest frame without its check sequence: shorter payloads are padded up to it. */
const ETHERNET_MIN = 60;

/** Reads a frame, Ethernet header first. Views of `bytes` are in the result. */
export function parseFrame(bytes: Uint8Array, options?: ParseOptions): Packet {
  const packet: Draft = { payload: bytes, problems: [] };
  if (bytes.length < ETHERNET_HEADER) {
    packet.problems.push(`Ethernet header needs 14 bytes but only ${bytes.length} are here`);
    return packet;
  }
  const reading = read(bytes, ETHERNET_HEADER, options);
  const type = reading.view.getUint16(12);
  packet.ethernet = { destination: bytes.subarray(0, 6), source: bytes.subarray(6, 12), type };
  packet.payload = bytes.subarray(ETHERNET_HEADER);
  if (type === ETHERTYPE_ARP) parseArp(packet, reading);
  else if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) {
    const version = (reading.view.byteLength > 14 ? reading.view.getUint8(14) : 0) >>> 4;
    const expected = type === ETHERTYPE_IPV4 ? 4 : 6;
    if (bytes.length > ETHERNET_HEADER && version !== expected) {
      packet.problems.push(`Ethernet type is ${hex16(type)} but the IP version is ${version}`);
    } else parseNetwork(packet, reading, expected, bytes.length <= ETHERNET_MIN);
  }
  return packet;
}

/** Reads an IP packet without a link header. Views of `bytes` are in the result. */
export function parseIp(bytes: Uint8Array, options?: ParseOptions): Packet {
  const packet: Draft = { payload: bytes, problems: [] };
  const version = (bytes[0] ?? 0) >>> 4;
  if (bytes.length === 0) packet.problems.push("IP header is missing");
  else if (version !== 4 && version !== 6) packet.problems.push(`IP version is ${version}`);
  else parseNetwork(packet, read(bytes, 0, options), version, false);
  return packet;
}

function read(bytes: Uint8Array, start: number, options: ParseOptions | undefined): Reading {
  const quoted = options?.quoted === true;
  return {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    start,
    checksums: !quoted && options?.checksums !== false,
    quoted,
  };
}

/** `isPadded`: the link may have put bytes behind the packet. */
function parseNetwork(packet: Draft, reading: Reading, version: 4 | 6, isPadded: boolean): void {
  if (version === 4) parseIpv4(packet, reading);
  else parseIpv6(packet, reading);
  if (packet.ip === undefined || isPadded || reading.quoted) return;
  const surplus = reading.bytes.length - reading.start - packet.ip.totalLength;
  if (surplus > 0) packet.problems.push(`${surplus} bytes stand behind the end of the IP packet`);
}
