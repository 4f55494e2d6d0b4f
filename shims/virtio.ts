/**
 * struct virtio_net_hdr (linux/virtio_net.h) and the offload metadata of assembly/layout.ts, each
 * turned into the other. TAP and AF_PACKET put this header before every packet.
 */
import {
  METADATA_CHECKSUM_OFFSET,
  METADATA_CHECKSUM_START,
  METADATA_FLAGS,
  METADATA_HEADER_LENGTH,
  METADATA_SEGMENT_SIZE,
  METADATA_SIZE,
  OFFLOAD_CHECKSUM_PARTIAL,
  OFFLOAD_CHECKSUM_VERIFIED,
  OPTION_METADATA,
} from "../assembly/layout";

export const VIRTIO_HEADER_SIZE = 10;

const FLAGS = 0;
const SEGMENTATION = 1;
const HEADER_LENGTH = 2;
const SEGMENT_SIZE = 4;
const CHECKSUM_START = 6;
const CHECKSUM_OFFSET = 8;

const NEEDS_CHECKSUM = 1;
const DATA_VALID = 2;
const SEGMENTATION_TCP4 = 1;
const SEGMENTATION_TCP6 = 4;

const ETHERTYPE = 12;
const ETHERTYPE_IPV6 = 0x86dd;

/**
 * Replaces the header that stands right before a received packet's data at `data` of `memory` by
 * metadata, whose place overlaps it. Returns the descriptor's options.
 */
export function readVirtioHeader(memory: DataView, data: number): number {
  const header = data - VIRTIO_HEADER_SIZE;
  const kind = memory.getUint16(header + FLAGS, true);
  if (kind === 0) return 0;
  const flags = kind & 0xff;
  const segmentSize = kind >>> 8 === 0 ? 0 : memory.getUint16(header + SEGMENT_SIZE, true);
  const headerLength = memory.getUint16(header + HEADER_LENGTH, true);
  const start = memory.getUint16(header + CHECKSUM_START, true);
  const offset = memory.getUint16(header + CHECKSUM_OFFSET, true);

  const partial = (flags & NEEDS_CHECKSUM) === 0 ? 0 : OFFLOAD_CHECKSUM_PARTIAL;
  const verified = (flags & DATA_VALID) === 0 ? 0 : OFFLOAD_CHECKSUM_VERIFIED;
  const metadata = data - METADATA_SIZE;
  memory.setUint32(metadata + METADATA_FLAGS, partial | verified, true);
  memory.setUint32(metadata + METADATA_FLAGS + 4, 0, true);
  memory.setUint16(metadata + METADATA_CHECKSUM_START, partial === 0 ? 0 : start, true);
  memory.setUint16(metadata + METADATA_CHECKSUM_OFFSET, partial === 0 ? 0 : offset, true);
  memory.setUint16(metadata + METADATA_SEGMENT_SIZE, segmentSize, true);
  memory.setUint16(metadata + METADATA_HEADER_LENGTH, headerLength, true);
  return OPTION_METADATA;
}

/**
 * Writes to `at` of `target` the header of the packet to send whose data is at `data` of `memory`
 * with metadata before it, or an empty header when `data` is 0.
 */
export function writeVirtioHeader(
  memory: DataView,
  data: number,
  target: DataView,
  at: number,
): void {
  const metadata = data - METADATA_SIZE;
  if (data === 0 || (memory.getUint32(metadata, true) & OFFLOAD_CHECKSUM_PARTIAL) === 0) {
    target.setUint32(at, 0, true);
    target.setUint32(at + 4, 0, true);
    target.setUint16(at + CHECKSUM_OFFSET, 0, true);
    return;
  }
  const segmentSize = memory.getUint16(metadata + METADATA_SEGMENT_SIZE, true);
  const start = memory.getUint16(metadata + METADATA_CHECKSUM_START, true);
  const offset = memory.getUint16(metadata + METADATA_CHECKSUM_OFFSET, true);
  const headerLength = memory.getUint16(metadata + METADATA_HEADER_LENGTH, true);
  target.setUint8(at + FLAGS, NEEDS_CHECKSUM);
  target.setUint8(at + SEGMENTATION, segmentSize === 0 ? 0 : segmentation(memory, data));
  target.setUint16(at + HEADER_LENGTH, headerLength, true);
  target.setUint16(at + SEGMENT_SIZE, segmentSize, true);
  target.setUint16(at + CHECKSUM_START, start, true);
  target.setUint16(at + CHECKSUM_OFFSET, offset, true);
}

function segmentation(memory: DataView, data: number): number {
  const ethertype = memory.getUint16(data + ETHERTYPE);
  return ethertype === ETHERTYPE_IPV6 ? SEGMENTATION_TCP6 : SEGMENTATION_TCP4;
}
