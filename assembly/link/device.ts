/** The stack's side of a device's four rings: taking received packets, handing over packets to send. */
import {
  COUNTER_DROP_DESCRIPTOR,
  COUNTER_RX_BYTES,
  COUNTER_RX_FRAMES,
  COUNTER_TX_BYTES,
  COUNTER_TX_FRAMES,
  COUNTER_TX_RING_FULL,
  DESCRIPTOR_LENGTH,
  DESCRIPTOR_OPTIONS,
  FRAME_SIZE,
  METADATA_FLAGS,
  METADATA_SIZE,
  OFFLOAD_CHECKSUM_PARTIAL,
  OFFLOAD_CHECKSUM_VERIFIED,
  OPTION_CONTINUED,
  OPTION_METADATA,
  RX_HEADROOM,
} from "../layout";
import { count, countMany } from "../counters";
import {
  Frame,
  frameAddress,
  frameAt,
  framesFree,
  framesTotal,
  release,
  releaseFrame,
  takeFrame,
} from "../memory/frame";
import { lastFrame } from "../memory/chain";
import { ethernetReceive } from "./ethernet";
import { Interface } from "./interface";

/** Frame flags of a received packet's first frame: what its device said of the checksum. */
export const FRAME_CHECKSUM_VERIFIED: u16 = 1;
export const FRAME_CHECKSUM_PARTIAL: u16 = 2;

/**
 * Takes back sent frames and posts free ones, in batches: the indexes that devices watch are stored
 * once for many frames. An idle turn leaves nothing behind.
 */
export function maintainRings(nic: Interface, idle: bool): void {
  const worthwhile: u32 = idle ? 1 : (nic.tx.mask + 1) >> 3;
  const sent = nic.completion.available();
  if (sent != 0 && sent >= worthwhile) reapCompletions(nic, sent);
  if (refillRoom(nic) >= worthwhile) refill(nic);
}

function reapCompletions(nic: Interface, sent: u32): void {
  const ring = nic.completion;
  let left = sent;
  while (left > 0) {
    const frame = frameAt(load<u64>(ring.entry(ring.own)));
    if (frame !== null && frame.references != 0) releaseFrame(frame);
    else count(COUNTER_DROP_DESCRIPTOR);
    ring.own++;
    left--;
  }
  ring.publishConsumer();
}

/** Takes up to `budget` packets from the rx ring up the stack; returns how many. */
export function receiveBatch(nic: Interface, budget: u32): u32 {
  const ring = nic.rx;
  let left = ring.available();
  if (left == 0) return 0;
  let packets: u32 = 0;
  let bytes: u32 = 0;
  while (left > 0 && packets < budget) {
    const at = ring.descriptor(ring.own);
    const options = load<u32>(at, DESCRIPTOR_OPTIONS);
    const taken = takeDescriptor(nic, load<u64>(at), load<u32>(at, DESCRIPTOR_LENGTH), options);
    ring.own++;
    left--;
    if (!taken || (options & OPTION_CONTINUED) != 0) continue;
    const packet = changetype<Frame>(nic.partialHead);
    nic.partialHead = 0;
    packets++;
    bytes += packet.total;
    ethernetReceive(nic, packet);
  }
  ring.publishConsumer();
  countMany(COUNTER_RX_FRAMES, packets);
  countMany(COUNTER_RX_BYTES, bytes);
  return packets;
}

/** Adds one descriptor to the packet under way; false when its place or length is impossible. */
function takeDescriptor(nic: Interface, address: u64, length: u32, options: u32): bool {
  const frame = frameAt(address);
  const offset = (<u32>address) & (FRAME_SIZE - 1);
  if (frame === null || frame.references == 0 || length > FRAME_SIZE - offset) {
    count(COUNTER_DROP_DESCRIPTOR);
    if (frame !== null && frame.references != 0) releaseFrame(frame);
    return false;
  }
  nic.posted--;
  frame.offset = <u16>offset;
  frame.length = <u16>length;
  frame.next = null;
  frame.flags = 0;
  if (nic.partialHead != 0) {
    const head = changetype<Frame>(nic.partialHead);
    lastFrame(head).next = frame;
    head.total += length;
    return true;
  }
  frame.total = length;
  if ((options & OPTION_METADATA) != 0 && offset >= METADATA_SIZE) {
    const flags = load<u32>(frame.data - METADATA_SIZE, METADATA_FLAGS);
    if ((flags & OFFLOAD_CHECKSUM_VERIFIED) != 0) frame.flags = FRAME_CHECKSUM_VERIFIED;
    if ((flags & OFFLOAD_CHECKSUM_PARTIAL) != 0) frame.flags |= FRAME_CHECKSUM_PARTIAL;
  }
  nic.partialHead = changetype<usize>(frame);
  return true;
}

/** Frames the device would take. */
function refillRoom(nic: Interface): u32 {
  const wanted = nic.postedMax > nic.posted ? nic.postedMax - nic.posted : 0;
  return min(nic.fill.room(), wanted);
}

/**
 * Tops up the fill ring with free frames. An eighth of the pool is kept back, so that a device with
 * a deep ring cannot starve sending.
 */
export function refill(nic: Interface): void {
  const ring = nic.fill;
  const reserve = framesTotal() >> 3;
  const spare = framesFree() > reserve ? framesFree() - reserve : 0;
  const room = min(refillRoom(nic), spare);
  if (room == 0) return;
  nic.posted += room;
  for (let left = room; left > 0; left--) {
    const frame = <Frame>takeFrame(RX_HEADROOM);
    store<u64>(ring.entry(ring.own), frameAddress(frame));
    ring.own++;
  }
  ring.publishProducer();
}

/** Says whether `descriptors` more fit into the tx ring. */
export function canTransmit(nic: Interface, descriptors: u32): bool {
  if (nic.tx.room() >= descriptors) return true;
  count(COUNTER_TX_RING_FULL);
  return false;
}

/**
 * Hands one piece of a packet to the device: `length` bytes at `offset` of the frame's buffer. The
 * caller has asked `canTransmit` and gives one reference to the frame away.
 */
export function transmitPiece(
  nic: Interface,
  frame: Frame,
  offset: u32,
  length: u32,
  options: u32,
): void {
  const ring = nic.tx;
  ring.write(ring.own, frameAddress(frame) + offset, length, options);
  ring.own++;
  nic.transmitDirty = 1;
}

/**
 * Hands over a whole packet, its references included, with `options` for its first descriptor
 * (OPTION_METADATA). A packet that finds no room is released and counted: false.
 */
export function transmit(nic: Interface, packet: Frame, options: u32): bool {
  let pieces: u32 = 0;
  for (let frame: Frame | null = packet; frame !== null; frame = frame.next) pieces++;
  if (pieces > nic.chainMax || !canTransmit(nic, pieces)) {
    release(packet);
    return false;
  }
  count(COUNTER_TX_FRAMES);
  countMany(COUNTER_TX_BYTES, packet.total);
  let frame: Frame | null = packet;
  let flags = options;
  while (frame !== null) {
    const next: Frame | null = frame.next;
    const more: u32 = next !== null ? OPTION_CONTINUED : 0;
    transmitPiece(nic, frame, frame.offset, frame.length, flags | more);
    flags = 0;
    frame = next;
  }
  return true;
}

/** Publishes what was handed over since the last call. */
export function publishTransmit(nic: Interface): void {
  if (nic.transmitDirty == 0) return;
  nic.transmitDirty = 0;
  nic.tx.publishProducer();
}
