/**
 * Single-producer single-consumer rings in AF_XDP's format (linux/if_xdp.h) over a linear memory, as
 * TypeScript sees them: a software backend's side, or the stack's side in tests.
 *
 * Indexes run freely over 32 bits. The other side's index is read with Atomics.load, which orders
 * the reads of entries after it; ours is published with Atomics.store after the last entry's access.
 */
import {
  ADDRESS_ENTRY_SIZE,
  DESCRIPTOR_LENGTH,
  DESCRIPTOR_OPTIONS,
  DESCRIPTOR_SIZE,
  FRAME_SIZE,
  OPTION_CONTINUED,
  RING_CONSUMER,
  RING_DESCRIPTORS,
  RING_FLAGS,
  RING_PRODUCER,
  RX_HEADROOM,
  TX_HEADROOM,
} from "../assembly/layout";
import type { RingOffsets, RingPlaces } from "./contract";

/** Where a software ring's fields are: layout.ts's defaults for all four kinds. */
export const defaultOffsets: RingOffsets = {
  producer: RING_PRODUCER,
  consumer: RING_CONSUMER,
  flags: RING_FLAGS,
  descriptors: RING_DESCRIPTORS,
};

/** Data bytes of a received packet's first frame, and of each frame that continues it. */
export const FIRST_BYTES = FRAME_SIZE - RX_HEADROOM;
export const REST_BYTES = FRAME_SIZE - TX_HEADROOM;
/** Largest packet a device hands over: 64 KiB of IP and an Ethernet header with two tags. */
export const PACKET_BYTES = 65_535 + 22;
/** Frames that the largest packet takes. */
export const PACKET_FRAMES = framesOf(PACKET_BYTES);

/** Frames that a received packet of `bytes` takes. */
export function framesOf(bytes: number): number {
  return bytes <= FIRST_BYTES ? 1 : 1 + Math.ceil((bytes - FIRST_BYTES) / REST_BYTES);
}

abstract class Ring {
  readonly entries: number;
  /** Our own index as it will be published next. */
  own: number;
  protected readonly words: Int32Array;
  protected readonly producer: number;
  protected readonly consumer: number;
  readonly #flags: number;
  readonly #descriptors: number;
  readonly #mask: number;

  constructor(words: Int32Array, place: number, entries: number, offsets: RingOffsets) {
    this.words = words;
    this.entries = entries;
    this.producer = (place + offsets.producer) >>> 2;
    this.consumer = (place + offsets.consumer) >>> 2;
    this.#flags = (place + offsets.flags) >>> 2;
    this.#descriptors = (place + offsets.descriptors) >>> 2;
    this.#mask = entries - 1;
    this.own = 0;
  }

  /** RING_NEED_WAKEUP and the like, as the kernel set them. */
  get flags(): number {
    return Atomics.load(this.words, this.#flags);
  }

  /** The indexes as they stand in memory now, whoever wrote them. */
  producerIndex(): number {
    return Atomics.load(this.words, this.producer) >>> 0;
  }

  consumerIndex(): number {
    return Atomics.load(this.words, this.consumer) >>> 0;
  }

  /** Entries that the consumer has not taken yet. */
  published(): number {
    return (this.producerIndex() - this.consumerIndex()) >>> 0;
  }

  /** Word index of entry `index` of an rx or tx ring. */
  descriptor(index: number): number {
    return this.#descriptors + (index & this.#mask) * (DESCRIPTOR_SIZE >> 2);
  }

  /** Word index of entry `index` of a fill or completion ring. */
  entry(index: number): number {
    return this.#descriptors + (index & this.#mask) * (ADDRESS_ENTRY_SIZE >> 2);
  }

  address(index: number): number {
    return (this.words[this.entry(index)] as number) >>> 0;
  }

  setAddress(index: number, address: number): void {
    const at = this.entry(index);
    this.words[at] = address;
    this.words[at + 1] = 0;
  }

  descriptorAddress(index: number): number {
    return (this.words[this.descriptor(index)] as number) >>> 0;
  }

  descriptorLength(index: number): number {
    return (this.words[this.descriptor(index) + (DESCRIPTOR_LENGTH >> 2)] as number) >>> 0;
  }

  descriptorOptions(index: number): number {
    return (this.words[this.descriptor(index) + (DESCRIPTOR_OPTIONS >> 2)] as number) >>> 0;
  }

  setDescriptor(index: number, address: number, length: number, options: number): void {
    const at = this.descriptor(index);
    this.words[at] = address;
    this.words[at + 1] = 0;
    this.words[at + (DESCRIPTOR_LENGTH >> 2)] = length;
    this.words[at + (DESCRIPTOR_OPTIONS >> 2)] = options;
  }
}

/** The side that takes entries, from index `own` on. */
export class Consumer extends Ring {
  constructor(words: Int32Array, place: number, entries: number, offsets: RingOffsets) {
    super(words, place, entries, offsets);
    this.own = Atomics.load(words, this.consumer) >>> 0;
  }

  /** Entries ready to take; never more than the ring has, whatever the memory says. */
  available(): number {
    const ready = (Atomics.load(this.words, this.producer) - this.own) >>> 0;
    return ready <= this.entries ? ready : 0;
  }

  /** Gives back the entries before `own + count` to the producer. */
  advance(count: number): void {
    this.own = (this.own + count) >>> 0;
    Atomics.store(this.words, this.consumer, this.own | 0);
  }
}

/** The side that adds entries, from index `own` on. */
export class Producer extends Ring {
  constructor(words: Int32Array, place: number, entries: number, offsets: RingOffsets) {
    super(words, place, entries, offsets);
    this.own = Atomics.load(words, this.producer) >>> 0;
  }

  /** Room for entries. */
  room(): number {
    const used = (this.own - Atomics.load(this.words, this.consumer)) >>> 0;
    return used <= this.entries ? this.entries - used : 0;
  }

  /** Shows the entries before `own + count` to the consumer. */
  advance(count: number): void {
    this.own = (this.own + count) >>> 0;
    Atomics.store(this.words, this.producer, this.own | 0);
  }
}

/** The device's side of an interface's four rings. */
export class DeviceRings {
  readonly rx: Producer;
  readonly tx: Consumer;
  readonly fill: Consumer;
  readonly completion: Producer;

  constructor(places: RingPlaces, offsets: RingOffsets = defaultOffsets) {
    const words = new Int32Array(places.memory.buffer);
    this.rx = new Producer(words, places.rx, places.entries, offsets);
    this.tx = new Consumer(words, places.tx, places.entries, offsets);
    this.fill = new Consumer(words, places.fill, places.entries, offsets);
    this.completion = new Producer(words, places.completion, places.entries, offsets);
  }

  /**
   * Writes the rx descriptors of a packet of `bytes` that lies in the posted frames from `used` on;
   * `metadata` is the first one's options. Returns the frames it took, to be shown by `publish`.
   */
  deliver(used: number, bytes: number, metadata: number): number {
    const { rx, fill } = this;
    const frames = framesOf(bytes);
    let left = bytes;
    for (let index = 0; index < frames; index++) {
      const isFirst = index === 0;
      const address = fill.address(fill.own + used + index) + (isFirst ? RX_HEADROOM : TX_HEADROOM);
      const length = Math.min(left, isFirst ? FIRST_BYTES : REST_BYTES);
      left -= length;
      const more = left > 0 ? OPTION_CONTINUED : 0;
      rx.setDescriptor(rx.own + used + index, address, length, (isFirst ? metadata : 0) | more);
    }
    return frames;
  }

  /** Shows the stack the `used` descriptors delivered since the last call. */
  publishReceived(used: number): void {
    if (used === 0) return;
    this.fill.advance(used);
    this.rx.advance(used);
  }

  /** Prepares the return of descriptors `from` to `from + count`, counted from the tx ring's own. */
  complete(from: number, count: number): void {
    const { tx, completion } = this;
    for (let index = from; index < from + count; index++) {
      completion.setAddress(completion.own + index, tx.descriptorAddress(tx.own + index));
    }
  }

  /** Gives the stack back the `used` descriptors completed since the last call. */
  publishSent(used: number): void {
    if (used === 0) return;
    this.completion.advance(used);
    this.tx.advance(used);
  }
}
