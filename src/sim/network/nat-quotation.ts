/** The packet that an ICMP error quotes, as a NAT sees it (RFC 5508 section 4). */
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from "../../packet/protocols";
import { read16, setCovered32, setCoveredByte, type Transport } from "./frame-fields";

export interface Quotation {
  readonly protocol: number;
  /** Where the quoted IP header begins. */
  readonly header: number;
  /** Where the port, or the ping's identifier, of its sender stands. */
  readonly port: number;
}

/** Undefined when the packet is no ICMP error about a TCP, UDP or ping packet. */
export function quotationOf(frame: Uint8Array, transport: Transport): Quotation | undefined {
  const { protocol, header, payload, end } = transport;
  const type = frame[header] as number;
  const isError = protocol === PROTOCOL_ICMP && (type === 3 || type === 11 || type === 12);
  if (!isError || payload + 28 > end || (frame[payload] as number) >>> 4 !== 4) return undefined;
  const inner = payload + ((frame[payload] as number) & 15) * 4;
  const quoted = frame[payload + 9] as number;
  const isFirst = (read16(frame, payload + 6) & 0x1fff) === 0;
  if (!isFirst || inner + 8 > end) return undefined;
  if (quoted === PROTOCOL_TCP || quoted === PROTOCOL_UDP) {
    return { protocol: quoted, header: payload, port: inner };
  }
  const isPing = quoted === PROTOCOL_ICMP && frame[inner] === 8;
  return isPing ? { protocol: quoted, header: payload, port: inner + 4 } : undefined;
}

/**
 * Writes the inside sender back into the quotation. Its IP header is summed anew by differences, the
 * transport's checksum stays as the outside saw it, for it may lie behind what is quoted.
 */
export function restoreQuotation(
  frame: Uint8Array,
  transport: Transport,
  { header, port }: Quotation,
  inside: { readonly address: number; readonly port: number },
): void {
  const before = [read16(frame, header + 12), read16(frame, header + 14)] as const;
  setCovered32(frame, transport, header + 12, inside.address);
  let sum = ~read16(frame, header + 10) & 0xffff;
  sum += (~before[0] & 0xffff) + (~before[1] & 0xffff);
  sum += (inside.address >>> 16) + (inside.address & 0xffff);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  setCovered16(frame, transport, header + 10, ~sum & 0xffff);
  setCovered16(frame, transport, port, inside.port);
}

function setCovered16(frame: Uint8Array, transport: Transport, at: number, value: number): void {
  setCoveredByte(frame, transport, at, value >>> 8);
  setCoveredByte(frame, transport, at + 1, value & 255);
}
