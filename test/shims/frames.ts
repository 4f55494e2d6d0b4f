/** Frames made by hand. */
import { OFFLOAD_CHECKSUM_PARTIAL } from "../../assembly/layout";
import type { Metadata } from "./stack";

export const ownAddress = "10.77.0.2";
const PEER_MAC = [2, 0, 0, 0, 0, 0x77];
const ETHERNET_BYTES = 14;
const HEADER_BYTES = 54;
const SEGMENT_BYTES = 1448;

/** An IPv4 TCP frame of `size` bytes from the peer's MAC, filled by a pattern that `seed` shifts. */
export function frame(mac: Uint8Array, size: number, seed = 0): Uint8Array {
  const bytes = Uint8Array.from({ length: size }, (_, index) => (index * 7 + seed) & 0xff);
  bytes.set(mac, 0);
  bytes.set(PEER_MAC, 6);
  const view = new DataView(bytes.buffer);
  view.setUint16(12, 0x0800);
  const total = size - ETHERNET_BYTES;
  bytes.set([0x45, 0, total >> 8, total & 0xff, 0, 0, 0x40, 0, 64, 6, 0, 0], ETHERNET_BYTES);
  bytes.set([10, 77, 0, 1, 10, 77, 0, 2], 26);
  if (size < HEADER_BYTES) return bytes;
  bytes.set([0x50, 0x10], 46);
  view.setUint16(24, checksum(view, ETHERNET_BYTES, 20));
  return bytes;
}

function checksum(view: DataView, at: number, length: number): number {
  let sum = 0;
  for (let index = 0; index < length; index += 2) sum += view.getUint16(at + index);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum ^ 0xffff;
}

export function isOurs(bytes: Uint8Array): boolean {
  return PEER_MAC.every((byte, index) => bytes[6 + index] === byte);
}

/** A partial checksum of a TCP segment; with a segment size when the frame needs cutting. */
export function partial(size: number, mtu: number): Metadata {
  return {
    flags: OFFLOAD_CHECKSUM_PARTIAL,
    checksumStart: 34,
    checksumOffset: 16,
    segmentSize: size > mtu + ETHERNET_BYTES ? SEGMENT_BYTES : 0,
    headerLength: HEADER_BYTES,
  };
}

/** The frame in pieces of at most `size` bytes. */
export function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, index) => bytes.slice(index * size, (index + 1) * size));
}
