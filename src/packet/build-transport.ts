/** TCP, UDP and ICMP as values to the bytes behind an IP header; see build.ts. */
import { ERRNO_EINVAL } from "../../assembly/layout";
import { DemibunError } from "../errors";
import { addressBytes } from "./address";
import { complement, pseudoHeaderSum, sumBytes } from "./checksum";
import { PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from "./protocols";
import { tcpOptionBytes } from "./tcp-option-bytes";
import type { TcpOption } from "./types";

/** Between whom, for the pseudo-header: IPv4 or IPv6, both the same. */
export interface Addresses {
  readonly source: string;
  readonly destination: string;
}

/** What is not given is zero, the window 65,535. */
export interface TcpFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  /** TCP_… bits. */
  readonly flags?: number;
  readonly reserved?: number;
  readonly window?: number;
  readonly urgentPointer?: number;
  /** Padded with zeros to whole words. */
  readonly options?: readonly TcpOption[];
  /** Instead of `options`: bytes as they are, padded too. */
  readonly optionBytes?: Uint8Array;
  /** Bytes; instead of what is right. */
  readonly headerLength?: number;
  readonly checksum?: number;
}

/** The header length field counts to 15 words. */
const OPTIONS_MAX = 40;

/** RFC 9293 section 3.1: a segment. Errors: EINVAL (more options than a header holds). */
export function buildTcp(fields: TcpFields, payload: Uint8Array, addresses: Addresses): Uint8Array {
  const options = fields.optionBytes ?? tcpOptionBytes(fields.options ?? []);
  if (options.length > OPTIONS_MAX && fields.headerLength === undefined) {
    throw new DemibunError({
      operation: "build a TCP segment",
      errno: ERRNO_EINVAL,
      detail: `its options take ${options.length} bytes, and a header has room for ${OPTIONS_MAX}`,
      hint: "leave some out",
    });
  }
  const headerLength = 20 + ((options.length + 3) & ~3);
  const bytes = new Uint8Array(headerLength + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, fields.sourcePort);
  view.setUint16(2, fields.destinationPort);
  view.setUint32(4, fields.sequence ?? 0);
  view.setUint32(8, fields.acknowledgment ?? 0);
  const words = ((fields.headerLength ?? headerLength) >>> 2) & 15;
  view.setUint16(12, (words << 12) | ((fields.reserved ?? 0) << 9) | (fields.flags ?? 0));
  view.setUint16(14, fields.window ?? 65535);
  view.setUint16(18, fields.urgentPointer ?? 0);
  bytes.set(options, 20);
  bytes.set(payload, headerLength);
  view.setUint16(16, fields.checksum ?? transportChecksum(view, PROTOCOL_TCP, addresses));
  return bytes;
}

export interface UdpFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Instead of what is right. */
  readonly length?: number;
  /** Instead of what is right; 0 for none. */
  readonly checksum?: number;
}

/** RFC 768: a datagram. */
export function buildUdp(fields: UdpFields, payload: Uint8Array, addresses: Addresses): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, fields.sourcePort);
  view.setUint16(2, fields.destinationPort);
  view.setUint16(4, fields.length ?? bytes.length);
  bytes.set(payload, 8);
  // A sum of zero is sent as all ones, for zero means that there is none.
  const checksum = fields.checksum ?? (transportChecksum(view, PROTOCOL_UDP, addresses) || 0xffff);
  view.setUint16(6, checksum);
  return bytes;
}

export interface IcmpFields {
  readonly type: number;
  readonly code: number;
  /** The header's second word; zero when it is not given. */
  readonly rest?: number;
  /** Instead of what is right. */
  readonly checksum?: number;
}

/** RFC 792; between IPv6 addresses RFC 4443, whose checksum has a pseudo-header. */
export function buildIcmp(
  fields: IcmpFields,
  payload: Uint8Array,
  addresses?: Addresses,
): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = fields.type;
  bytes[1] = fields.code;
  view.setUint32(4, fields.rest ?? 0);
  bytes.set(payload, 8);
  const isVersion6 = addresses?.source.includes(":") === true;
  const checksum = isVersion6
    ? transportChecksum(view, PROTOCOL_ICMPV6, addresses)
    : complement(sumBytes(view, 0, bytes.length));
  view.setUint16(2, fields.checksum ?? checksum);
  return bytes;
}

export interface IcmpErrorOptions {
  /**
   * How much of the offending packet is quoted: its header and eight bytes (RFC 792, over IPv4 only)
   * or what makes the error no longer than 576 bytes (RFC 1812 section 4.3.2.3), over IPv6 1,280 (RFC
   * 4443 section 2.4). `"full"` when it is not given.
   */
  readonly quote?: "minimal" | "full";
  /** Of the error itself; needed over IPv6. */
  readonly addresses?: Addresses;
}

/** An error about an IP packet, whose beginning it quotes; for its version. */
export function buildIcmpError(
  type: number,
  code: number,
  rest: number,
  offendingPacket: Uint8Array,
  { quote = "full", addresses }: IcmpErrorOptions = {},
): Uint8Array {
  const first = offendingPacket[0] ?? 0;
  const room = first >>> 4 === 6 ? 1280 - 40 - 8 : 576 - 20 - 8;
  const isMinimal = quote === "minimal" && first >>> 4 !== 6;
  const length = isMinimal ? (first & 15) * 4 + 8 : room;
  return buildIcmp({ type, code, rest }, offendingPacket.subarray(0, length), addresses);
}

/** The checksum field is still zero. */
function transportChecksum(view: DataView, protocol: number, addresses: Addresses): number {
  const sum = addressSum(addresses.source) + addressSum(addresses.destination);
  const pseudo = pseudoHeaderSum(sum, protocol, view.byteLength);
  return complement(sumBytes(view, 0, view.byteLength, pseudo));
}

function addressSum(text: string): number {
  const bytes = addressBytes(text);
  return sumBytes(new DataView(bytes.buffer), 0, bytes.length);
}
