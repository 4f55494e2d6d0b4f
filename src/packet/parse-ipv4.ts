/** RFC 791. */
import { ipv4Text } from "./address";
import { complement, sumBytes, sumWithout } from "./checksum";
import { type Draft, hex16, type Reading } from "./draft";
import { parseTransport } from "./parse-transport";
import type { Ipv4Header } from "./types";

const HEADER_MIN = 20;
const PACKET_MAX = 65535;

export function parseIpv4(packet: Draft, reading: Reading): void {
  const { bytes, view, start } = reading;
  const available = bytes.length - start;
  const headerLength = available === 0 ? 0 : (view.getUint8(start) & 15) * 4;
  if (available < HEADER_MIN || available < headerLength) {
    const needed = Math.max(HEADER_MIN, headerLength);
    packet.problems.push(`IPv4 header needs ${needed} bytes but only ${available} are here`);
    return;
  }
  if (headerLength < HEADER_MIN) {
    packet.problems.push(`IPv4 header length is ${headerLength}, less than 20`);
    return;
  }
  const ip = readHeader(view, start, headerLength);
  packet.ip = ip;
  const { totalLength } = ip;
  if (reading.checksums) checkHeader(packet, view, start, ip);
  if (headerLength > HEADER_MIN)
    checkOptions(packet, view, start + HEADER_MIN, start + headerLength);
  const end = start + Math.max(headerLength, Math.min(available, totalLength));
  const isCut = totalLength > available;
  if (totalLength < headerLength) {
    packet.problems.push(`IPv4 total length is ${totalLength}, less than the header's`);
  } else if (isCut && !reading.quoted) {
    packet.problems.push(
      `IPv4 total length is ${totalLength} but only ${available} bytes are here`,
    );
  }
  packet.payload = bytes.subarray(start + headerLength, end);
  const isFragment = ip.moreFragments || ip.fragmentOffset > 0;
  if (isFragment) checkFragment(packet, ip);
  if (ip.fragmentOffset > 0) return;
  parseTransport(packet, reading, {
    protocol: ip.protocol,
    version: 4,
    start: start + headerLength,
    end,
    addressesSum: sumBytes(view, start + 12, start + 20),
    isWhole: !isCut && !isFragment,
  });
}

function readHeader(view: DataView, start: number, headerLength: number): Ipv4Header {
  const fragment = view.getUint16(start + 6);
  return {
    version: 4,
    headerLength,
    trafficClass: view.getUint8(start + 1),
    totalLength: view.getUint16(start + 2),
    identification: view.getUint16(start + 4),
    dontFragment: (fragment & 0x4000) !== 0,
    moreFragments: (fragment & 0x2000) !== 0,
    fragmentOffset: (fragment & 0x1fff) * 8,
    ttl: view.getUint8(start + 8),
    protocol: view.getUint8(start + 9),
    checksum: view.getUint16(start + 10),
    source: ipv4Text(view.getUint32(start + 12)),
    destination: ipv4Text(view.getUint32(start + 16)),
  };
}

function checkHeader(packet: Draft, view: DataView, start: number, ip: Ipv4Header): void {
  const sum = sumBytes(view, start, start + ip.headerLength);
  if (sum !== 0xffff) {
    const right = hex16(complement(sumWithout(sum, ip.checksum)));
    packet.problems.push(`IPv4 header checksum is ${hex16(ip.checksum)}, should be ${right}`);
  }
  if ((view.getUint8(start + 6) & 0x80) !== 0) packet.problems.push("IPv4 reserved flag is set");
}

function checkFragment(packet: Draft, ip: Ipv4Header): void {
  const { length } = packet.payload;
  if (ip.moreFragments && length % 8 !== 0) {
    packet.problems.push(`IPv4 fragment of ${length} bytes is not the last but no multiple of 8`);
  }
  if (ip.headerLength + ip.fragmentOffset + length > PACKET_MAX) {
    packet.problems.push("IPv4 fragment ends behind 65535 bytes");
  }
}

/** RFC 791 section 3.1: an option is one byte, or a kind, a length that counts both, and data. */
function checkOptions(packet: Draft, view: DataView, start: number, end: number): void {
  let at = start;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === 0) return;
    const length = kind === 1 ? 1 : at + 1 < end ? view.getUint8(at + 1) : 0;
    if (length < 2 && kind !== 1) {
      packet.problems.push(`IPv4 option ${kind} has length ${length}`);
      return;
    }
    if (at + length > end) {
      packet.problems.push(`IPv4 option ${kind} of ${length} bytes reaches behind the header`);
      return;
    }
    at += length;
  }
}
