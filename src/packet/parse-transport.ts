/** What stands behind an IP header: TCP, UDP, ICMP; anything else stays payload. */
import { complement, pseudoHeaderSum, sumBytes, sumWithout } from "./checksum";
import { type Draft, hex16, type Reading, type Transport } from "./draft";
import { parseTcpOptions } from "./parse-tcp-options";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from "./protocols";
import type { TcpHeader, TcpOption } from "./types";

const TCP_HEADER_MIN = 20;
const UDP_HEADER = 8;
const ICMP_HEADER = 8;
/** What RFC 792 has an ICMP error quote at least: both ports and the sequence number. */
const QUOTED_MIN = 8;

export function parseTransport(packet: Draft, reading: Reading, transport: Transport): void {
  const { protocol, version } = transport;
  if (protocol === PROTOCOL_TCP) parseTcp(packet, reading, transport);
  else if (protocol === PROTOCOL_UDP) parseUdp(packet, reading, transport);
  else if (protocol === (version === 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6)) {
    parseIcmp(packet, reading, transport);
  }
}

/** RFC 9293 section 3.1. */
function parseTcp(packet: Draft, reading: Reading, transport: Transport): void {
  const { bytes, view } = reading;
  const { start, end } = transport;
  const available = end - start;
  const headerLength = available > 12 ? (view.getUint8(start + 12) >>> 4) * 4 : 0;
  const needed = Math.max(TCP_HEADER_MIN, headerLength);
  if (available < needed) {
    if (!reading.quoted) {
      packet.problems.push(`TCP header needs ${needed} bytes but only ${available} are here`);
    } else if (available >= QUOTED_MIN) {
      packet.tcp = readQuotedTcp(bytes.subarray(start, end), headerLength);
      packet.payload = bytes.subarray(end, end);
    }
    return;
  }
  if (headerLength < TCP_HEADER_MIN) {
    packet.problems.push(`TCP header length is ${headerLength}, less than 20`);
    return;
  }
  const optionsStart = start + TCP_HEADER_MIN;
  const payloadStart = start + headerLength;
  const options: TcpOption[] = [];
  if (payloadStart > optionsStart) {
    parseTcpOptions(bytes, view, optionsStart, payloadStart, options, packet.problems);
  }
  const optionBytes = bytes.subarray(optionsStart, payloadStart);
  const tcp = readTcp(view, start, headerLength, options, optionBytes);
  packet.tcp = tcp;
  packet.payload = bytes.subarray(payloadStart, end);
  verify(packet, reading, transport, "TCP", tcp.checksum);
}

function readTcp(
  view: DataView,
  start: number,
  headerLength: number,
  options: readonly TcpOption[],
  optionBytes: Uint8Array,
): TcpHeader {
  const bits = view.getUint16(start + 12);
  return {
    sourcePort: view.getUint16(start),
    destinationPort: view.getUint16(start + 2),
    sequence: view.getUint32(start + 4),
    acknowledgment: view.getUint32(start + 8),
    headerLength,
    flags: bits & 0x1ff,
    reserved: (bits >>> 9) & 7,
    window: view.getUint16(start + 14),
    checksum: view.getUint16(start + 16),
    urgentPointer: view.getUint16(start + 18),
    options,
    optionBytes,
  };
}

/** What is there of a header that ends early; the rest as if it were zero. */
function readQuotedTcp(quoted: Uint8Array, headerLength: number): TcpHeader {
  const bytes = new Uint8Array(TCP_HEADER_MIN);
  bytes.set(quoted.subarray(0, TCP_HEADER_MIN));
  const optionBytes = quoted.subarray(TCP_HEADER_MIN);
  return readTcp(new DataView(bytes.buffer), 0, headerLength, [], optionBytes);
}

/** RFC 768. */
function parseUdp(packet: Draft, reading: Reading, transport: Transport): void {
  const { bytes, view } = reading;
  const { start, end, isWhole, version } = transport;
  const available = end - start;
  if (available < UDP_HEADER) {
    if (!reading.quoted) {
      packet.problems.push(`UDP header needs 8 bytes but only ${available} are here`);
    }
    return;
  }
  const length = view.getUint16(start + 4);
  const checksum = view.getUint16(start + 6);
  packet.udp = {
    sourcePort: view.getUint16(start),
    destinationPort: view.getUint16(start + 2),
    length,
    checksum,
  };
  const payloadEnd = start + Math.max(UDP_HEADER, Math.min(length, available));
  packet.payload = bytes.subarray(start + UDP_HEADER, payloadEnd);
  if (length < UDP_HEADER) packet.problems.push(`UDP length is ${length}, less than 8`);
  else if (isWhole && length !== available) {
    packet.problems.push(`UDP length is ${length} but ${available} bytes are in the packet`);
    if (length < available)
      verify(packet, reading, { ...transport, end: payloadEnd }, "UDP", checksum);
  } else if (checksum !== 0) verify(packet, reading, transport, "UDP", checksum);
  else if (version === 6 && reading.checksums) {
    // RFC 8200 section 8.1.
    packet.problems.push("UDP checksum is 0, which IPv6 does not allow");
  }
}

/** RFC 792, RFC 4443. */
function parseIcmp(packet: Draft, reading: Reading, transport: Transport): void {
  const { bytes, view } = reading;
  const { start, end, version } = transport;
  const name = version === 4 ? "ICMP" : "ICMPv6";
  if (end - start < ICMP_HEADER) {
    if (!reading.quoted) {
      packet.problems.push(`${name} header needs 8 bytes but only ${end - start} are here`);
    }
    return;
  }
  const checksum = view.getUint16(start + 2);
  packet.icmp = {
    type: view.getUint8(start),
    code: view.getUint8(start + 1),
    checksum,
    rest: view.getUint32(start + 4),
  };
  packet.payload = bytes.subarray(start + ICMP_HEADER, end);
  verify(packet, reading, transport, name, checksum);
}

/** ICMP over IPv4 is the only one without a pseudo-header. */
function verify(
  packet: Draft,
  reading: Reading,
  transport: Transport,
  name: "TCP" | "UDP" | "ICMP" | "ICMPv6",
  checksum: number,
): void {
  const { protocol, start, end, addressesSum, isWhole } = transport;
  if (!reading.checksums || !isWhole) return;
  let pseudo = 0;
  if (name !== "ICMP") {
    if (addressesSum === undefined) return;
    pseudo = pseudoHeaderSum(addressesSum, protocol, end - start);
  }
  const sum = sumBytes(reading.view, start, end, pseudo);
  if (sum === 0xffff) return;
  const right = complement(sumWithout(sum, checksum));
  // RFC 768: a sum of zero is sent as all ones, for zero means that there is none.
  const expected = name === "UDP" && right === 0 ? 0xffff : right;
  packet.problems.push(`${name} checksum is ${hex16(checksum)}, should be ${hex16(expected)}`);
}
