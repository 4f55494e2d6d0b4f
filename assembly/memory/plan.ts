/**
 * How large the linear memory must be. Pure arithmetic, compiled by asc and run by Bun, because the
 * host sizes the memory (initial == maximum) before the module exists; `open` carves the same sizes.
 */
import {
  ADDRESS_ENTRY_SIZE,
  COMPLETION_SIZE,
  CONNECTION_SIZE,
  CONTROL_SIZE,
  DATAGRAM_SOCKET_SIZE,
  DESCRIPTOR_SIZE,
  FRAME_RECORD_SIZE,
  FRAME_SIZE,
  INTERFACE_SIZE,
  NEIGHBOUR_SIZE,
  PAGE_SIZE,
  QUEUE_SIZE,
  REASSEMBLY_SIZE,
  REGIONS_BASE,
  RING_COUNT,
  RING_DESCRIPTORS,
  TOKEN_SIZE,
  WHEEL_LEVELS,
  WHEEL_SLOTS,
} from "../layout";

export function alignUp(value: u32, alignment: u32): u32 {
  return value + ((alignment - (value & (alignment - 1))) & (alignment - 1));
}

/** The next power of two at or above `value`; 1 for 0. */
export function powerOfTwo(value: u32): u32 {
  let power: u32 = 1;
  while (power < value) power = power + power;
  return power;
}

/** Bytes of one ring's place: header, `entries` of the larger kind, whole pages for MAP_FIXED. */
export function ringBytes(entries: u32): u32 {
  const entry: u32 = DESCRIPTOR_SIZE > ADDRESS_ENTRY_SIZE ? DESCRIPTOR_SIZE : ADDRESS_ENTRY_SIZE;
  return alignUp(RING_DESCRIPTORS + entries * entry, PAGE_SIZE);
}

/** Rings of all interfaces. */
export function ringsBytes(interfaces: u32, ringEntries: u32): u32 {
  return interfaces * RING_COUNT * ringBytes(ringEntries);
}

/** Hash buckets of u32 for `connections`: at most half full. */
export function bucketCount(connections: u32): u32 {
  return powerOfTwo(connections) * 2;
}

/** Completion ring entries: every token may complete before the host reads. */
export function completionCount(tokens: u32): u32 {
  return powerOfTwo(tokens);
}

/** Two tables (TCP, UDP) of a u16 use count a port. */
export const PORT_TABLE_BYTES: u32 = 2 * 65536 * 2;
/** The table of path MTUs (assembly/network/path-mtu.ts). */
export const PATHS_BYTES: u32 = 4096;
/** What is known of servers for Fast Open (assembly/transport/tcp/fast-open-cache.ts). */
export const FAST_OPEN_CACHE_BYTES: u32 = 16384;
export const WHEEL_BYTES: u32 = WHEEL_LEVELS * WHEEL_SLOTS * 8;

/** Bytes of linear memory for these limits, a whole number of 64 KiB WASM pages. */
export function memoryBytes(
  frames: u32,
  connections: u32,
  queues: u32,
  tokens: u32,
  datagramSockets: u32,
  neighbours: u32,
  interfaces: u32,
  ringEntries: u32,
  reassemblySets: u32,
): u32 {
  let bytes: u32 = REGIONS_BASE + CONTROL_SIZE;
  bytes += ringsBytes(interfaces, ringEntries);
  bytes += interfaces * INTERFACE_SIZE;
  bytes += completionCount(tokens) * COMPLETION_SIZE;
  bytes += queues * QUEUE_SIZE + tokens * TOKEN_SIZE;
  bytes += connections * CONNECTION_SIZE + bucketCount(connections) * 4;
  bytes += datagramSockets * DATAGRAM_SOCKET_SIZE + bucketCount(datagramSockets) * 4;
  bytes += neighbours * NEIGHBOUR_SIZE + bucketCount(neighbours) * 4;
  bytes += reassemblySets * REASSEMBLY_SIZE;
  bytes += PORT_TABLE_BYTES + WHEEL_BYTES + PATHS_BYTES + FAST_OPEN_CACHE_BYTES;
  // Frame records, one more than frames because record 0 stands for none, then the frames.
  bytes += (frames + 1) * FRAME_RECORD_SIZE;
  // Each region may start on a cache line, the frames on a page.
  bytes += 32 * 64 + PAGE_SIZE;
  bytes += (frames + 1) * FRAME_SIZE;
  return alignUp(bytes, 65536);
}
