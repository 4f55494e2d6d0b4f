/** Cuts an IPv4 packet into fragments (RFC 791 section 3.2). */
import { ETHERNET_HEADER_BYTES, read16, write16 } from "./frame-fields";
import { complement, sumBytes } from "../../packet/checksum";

const MORE_FRAGMENTS = 0x2000;

/** Fragments of the packet in `frame`, as frames with the same Ethernet header, none above `mtu`. */
export function fragment(frame: Uint8Array, mtu: number): Uint8Array[] {
  const ip = ETHERNET_HEADER_BYTES;
  const headerBytes = ((frame[ip] as number) & 15) * 4;
  const end = ip + read16(frame, ip + 2);
  const flags = read16(frame, ip + 6);
  const laterHeader = copiedHeader(frame.subarray(0, ip + headerBytes));
  const result: Uint8Array[] = [];
  for (let at = ip + headerBytes; at < end;) {
    const first = at === ip + headerBytes;
    const header = first ? frame.subarray(0, at) : laterHeader;
    const room = (mtu - (header.length - ip)) & ~7;
    const bytes = Math.min(room, end - at);
    const piece = new Uint8Array(header.length + bytes);
    piece.set(header);
    piece.set(frame.subarray(at, at + bytes), header.length);
    const offset = (flags & 0x1fff) + ((at - ip - headerBytes) >>> 3);
    const more = at + bytes < end ? MORE_FRAGMENTS : flags & MORE_FRAGMENTS;
    write16(piece, ip + 2, piece.length - ip);
    write16(piece, ip + 6, (flags & 0xc000) | more | offset);
    sumHeader(piece, header.length);
    result.push(piece);
    at += bytes;
  }
  return result;
}

/** The header of later fragments: of the options, only those with the copied flag. */
function copiedHeader(header: Uint8Array): Uint8Array {
  const options: number[] = [];
  const first = ETHERNET_HEADER_BYTES + 20;
  for (let at = first; at < header.length;) {
    const kind = header[at] as number;
    if (kind === 0) break;
    const length = kind === 1 ? 1 : (header[at + 1] ?? 0);
    if (kind !== 1 && (length < 2 || at + length > header.length)) break;
    if ((kind & 0x80) !== 0) options.push(...header.subarray(at, at + length));
    at += length;
  }
  const copied = new Uint8Array(first + ((options.length + 3) & ~3));
  copied.set(header.subarray(0, first));
  copied.set(options, first);
  copied[ETHERNET_HEADER_BYTES] = 0x40 | ((copied.length - ETHERNET_HEADER_BYTES) >>> 2);
  return copied;
}

/** Writes the checksum of the IPv4 header that ends at `end`. */
function sumHeader(frame: Uint8Array, end: number): void {
  write16(frame, ETHERNET_HEADER_BYTES + 10, 0);
  const view = new DataView(frame.buffer, frame.byteOffset);
  const sum = sumBytes(view, ETHERNET_HEADER_BYTES, end);
  write16(frame, ETHERNET_HEADER_BYTES + 10, complement(sum));
}
