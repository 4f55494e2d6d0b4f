/**
 * Two backends joined back to back inside one process: what one stack sends, the other receives.
 * Frames are copied between their memories by TypeScript, so this one runs in a browser too.
 */
import {
  FRAME_SIZE,
  METADATA_SIZE,
  OPTION_CONTINUED,
  OPTION_METADATA,
  RX_HEADROOM,
  TX_HEADROOM,
} from "../../assembly/layout";
import type { Backend, Capabilities, RingOffsets, RingPlaces } from "../contract";
import {
  DeviceRings,
  defaultOffsets,
  FIRST_BYTES,
  framesOf,
  PACKET_BYTES,
  REST_BYTES,
} from "../ring";

const ETHERNET_BYTES = 14;
const BATCH = 64;
const CHAIN_MAX = 64;
/** Up to this length a loop beats the view that `TypedArray.set` needs. */
const SHORT_BYTES = 256;

export interface LoopbackOptions {
  /** Largest IP packet in bytes; 1,500 by default. */
  readonly mtu?: number;
  /** Largest super-frame's IP packet in bytes; 0 (the default) for a device without them. */
  readonly segmentMax?: number;
  /** Takes partial checksums, true by default; the receiver is told of them by metadata. */
  readonly checksum?: boolean;
  /**
   * Sees every packet on its way to end 0 or 1 and may change its bytes in place; returns how often
   * to deliver it: 0 drops, 2 duplicates. The view is valid during the call only.
   */
  readonly fault?: (packet: Uint8Array, end: 0 | 1) => number;
}

function copy(from: DataView, fromAt: number, to: DataView, toAt: number, length: number): void {
  if (length > SHORT_BYTES) {
    const source = new Uint8Array(from.buffer, from.byteOffset + fromAt, length);
    new Uint8Array(to.buffer, to.byteOffset + toAt, length).set(source);
    return;
  }
  let at = 0;
  for (; at + 4 <= length; at += 4) to.setUint32(toAt + at, from.getUint32(fromAt + at));
  for (; at < length; at++) to.setUint8(toAt + at, from.getUint8(fromAt + at));
}

class End implements Backend {
  readonly name = "loopback";
  readonly capabilities: Capabilities;
  /** Nothing outside this process brings packets, so there is nothing to sleep on. */
  readonly readiness = undefined;
  readonly index: 0 | 1;
  peer: End | undefined;
  rings: DeviceRings | undefined;
  memory = new DataView(new ArrayBuffer(0));
  framesBytes = 0;
  frames = 0;
  received = 0;
  dropped = 0;
  readonly #options: LoopbackOptions;
  readonly #packet = new DataView(new ArrayBuffer(PACKET_BYTES));

  constructor(index: 0 | 1, options: LoopbackOptions) {
    const mtu = options.mtu ?? 1500;
    this.index = index;
    this.#options = options;
    this.capabilities = {
      mac: Uint8Array.of(2, 0, 0, 0, 0, index + 1),
      mtu,
      checksum: options.checksum ?? true,
      segmentMax: options.segmentMax ?? 0,
      chainMax: CHAIN_MAX,
      postedMax: 0,
      partialReceive: false,
      sharedRings: false,
    };
  }

  attach(places: RingPlaces): RingOffsets {
    this.rings = new DeviceRings(places);
    this.memory = new DataView(places.memory.buffer);
    this.frames = places.frames;
    this.framesBytes = places.framesBytes;
    return defaultOffsets;
  }

  poll(): number {
    const { peer } = this;
    return this.#send() + (peer === undefined ? 0 : peer.#send());
  }

  transmit(): number {
    return this.#send();
  }

  statistics(): Readonly<Record<string, number>> {
    return { rxPackets: this.received, txPackets: this.peer?.received ?? 0, dropped: this.dropped };
  }

  [Symbol.dispose](): void {
    this.rings = undefined;
  }

  /** Carries this end's packets to the peer; those it has no frames for stay in the tx ring. */
  #send(): number {
    const { rings, peer } = this;
    if (rings === undefined || peer?.rings === undefined) return 0;
    const ready = rings.tx.available();
    const room = rings.completion.room();
    let used = 0;
    let packets = 0;
    while (used < ready && packets < BATCH) {
      const descriptors = this.#descriptors(rings, used, ready);
      if (descriptors === 0 || used + descriptors > room) break;
      if (!this.#carry(rings, used, descriptors, peer)) break;
      rings.complete(used, descriptors);
      used += descriptors;
      packets++;
    }
    rings.publishSent(used);
    return packets;
  }

  /** Descriptors of the packet at `from`; 0 when its last one is not published yet. */
  #descriptors({ tx }: DeviceRings, from: number, ready: number): number {
    for (let index = from; index < ready; index++) {
      if ((tx.descriptorOptions(tx.own + index) & OPTION_CONTINUED) === 0) return index - from + 1;
    }
    return 0;
  }

  /** False when the peer has no frames posted for the packet. */
  #carry(rings: DeviceRings, from: number, descriptors: number, peer: End): boolean {
    const bytes = this.#linearize(rings, from, descriptors);
    if (bytes === 0) {
      this.dropped++;
      return true;
    }
    if (!peer.#hasRoom(framesOf(bytes))) return false;
    const view = new Uint8Array(this.#packet.buffer, 0, bytes);
    const copies = this.#options.fault?.(view, peer.index) ?? 1;
    const metadata = this.#metadata(rings, from);
    if (copies === 0) this.dropped++;
    for (let index = 0; index < copies && peer.#hasRoom(framesOf(bytes)); index++) {
      peer.#receive(this.#packet, bytes, this.memory, metadata);
    }
    return true;
  }

  /** Copies a packet into one piece; 0 when this device does not carry such a packet. */
  #linearize({ tx }: DeviceRings, from: number, descriptors: number): number {
    let bytes = 0;
    for (let index = from; index < from + descriptors; index++) {
      const address = tx.descriptorAddress(tx.own + index);
      const length = tx.descriptorLength(tx.own + index);
      if (length > FRAME_SIZE || address + length > this.framesBytes) return 0;
      if (bytes + length > PACKET_BYTES) return 0;
      copy(this.memory, this.frames + address, this.#packet, bytes, length);
      bytes += length;
    }
    const { mtu, segmentMax } = this.capabilities;
    return bytes <= ETHERNET_BYTES + Math.max(mtu, segmentMax) ? bytes : 0;
  }

  /** Where the packet's metadata lies in this end's memory; 0 for none. */
  #metadata({ tx }: DeviceRings, from: number): number {
    const has = (tx.descriptorOptions(tx.own + from) & OPTION_METADATA) !== 0;
    if (!has || !this.capabilities.checksum) return 0;
    return this.frames + tx.descriptorAddress(tx.own + from) - METADATA_SIZE;
  }

  #hasRoom(frames: number): boolean {
    const rings = this.rings as DeviceRings;
    return rings.fill.available() >= frames && rings.rx.room() >= frames;
  }

  #receive(packet: DataView, bytes: number, source: DataView, metadata: number): void {
    const { memory } = this;
    const rings = this.rings as DeviceRings;
    const { fill } = rings;
    const frames = framesOf(bytes);
    let taken = 0;
    for (let index = 0; index < frames; index++) {
      const headroom = index === 0 ? RX_HEADROOM : TX_HEADROOM;
      const length = Math.min(bytes - taken, index === 0 ? FIRST_BYTES : REST_BYTES);
      const at = this.frames + fill.address(fill.own + index) + headroom;
      if (index === 0 && metadata !== 0) {
        copy(source, metadata, memory, at - METADATA_SIZE, METADATA_SIZE);
      }
      copy(packet, taken, memory, at, length);
      taken += length;
    }
    rings.deliver(0, bytes, metadata === 0 ? 0 : OPTION_METADATA);
    rings.publishReceived(frames);
    this.received++;
  }
}

/** Two joined backends; a poll of either carries packets both ways. */
export function loopbackPair(options: LoopbackOptions = {}): [Backend, Backend] {
  const first = new End(0, options);
  const second = new End(1, options);
  first.peer = second;
  second.peer = first;
  return [first, second];
}
