/** The stack's side of one backend's rings, played by TypeScript. */
import {
  FRAME_SIZE,
  METADATA_CHECKSUM_OFFSET,
  METADATA_CHECKSUM_START,
  METADATA_FLAGS,
  METADATA_HEADER_LENGTH,
  METADATA_SEGMENT_SIZE,
  METADATA_SIZE,
  OPTION_CONTINUED,
  OPTION_METADATA,
  TX_HEADROOM,
} from "../../assembly/layout";
import { alignUp, ringBytes } from "../../assembly/memory/plan";
import type { Backend, RingPlaces } from "../../shims/contract";
import { Consumer, Producer } from "../../shims/ring";

export interface Metadata {
  readonly flags: number;
  readonly checksumStart: number;
  readonly checksumOffset: number;
  readonly segmentSize: number;
  readonly headerLength: number;
}

export interface Packet {
  readonly bytes: Uint8Array;
  readonly frames: number;
  readonly metadata: Metadata | undefined;
}

const RINGS = 65536;

export function ringPlaces(entries: number, frames: number): RingPlaces {
  const size = ringBytes(entries);
  const at = alignUp(RINGS + 4 * size, 4096);
  const framesBytes = (frames + 1) * FRAME_SIZE;
  const pages = Math.ceil((at + framesBytes) / 65536);
  return {
    memory: new WebAssembly.Memory({ initial: pages, maximum: pages }),
    rx: RINGS,
    tx: RINGS + size,
    fill: RINGS + 2 * size,
    completion: RINGS + 3 * size,
    ringBytes: size,
    entries,
    frames: at,
    framesBytes,
  };
}

export class Stack {
  readonly places: RingPlaces;
  readonly rx: Consumer;
  readonly tx: Producer;
  readonly fill: Producer;
  readonly completion: Consumer;
  readonly frames: number;
  /** Addresses of free frames. */
  readonly free: number[] = [];
  readonly #view: DataView;
  readonly #bytes: Uint8Array;

  constructor(backend: Backend, { entries = 256, frames = 512 } = {}) {
    this.frames = frames;
    this.places = ringPlaces(entries, frames);
    const offsets = backend.attach(this.places);
    const { memory, rx, tx, fill, completion } = this.places;
    const words = new Int32Array(memory.buffer);
    this.rx = new Consumer(words, rx, entries, offsets);
    this.tx = new Producer(words, tx, entries, offsets);
    this.fill = new Producer(words, fill, entries, offsets);
    this.completion = new Consumer(words, completion, entries, offsets);
    this.#view = new DataView(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    for (let index = frames; index > 0; index--) this.free.push(index * FRAME_SIZE);
  }

  /** Posts up to `count` free frames to the device; returns how many. */
  post(count = this.fill.entries): number {
    const posted = Math.min(count, this.fill.room(), this.free.length);
    for (let index = 0; index < posted; index++) {
      this.fill.setAddress(this.fill.own + index, this.free.pop() as number);
    }
    this.fill.advance(posted);
    return posted;
  }

  /** Puts one packet of the given pieces into the tx ring; false when there is no room. */
  send(pieces: readonly Uint8Array[], metadata?: Metadata): boolean {
    if (this.tx.room() < pieces.length || this.free.length < pieces.length) return false;
    pieces.forEach((piece, index) => {
      const address = (this.free.pop() as number) + TX_HEADROOM;
      this.#bytes.set(piece, this.places.frames + address);
      const isLast = index === pieces.length - 1;
      let options = isLast ? 0 : OPTION_CONTINUED;
      if (index === 0 && metadata !== undefined) {
        this.#writeMetadata(this.places.frames + address - METADATA_SIZE, metadata);
        options |= OPTION_METADATA;
      }
      this.tx.setDescriptor(this.tx.own + index, address, piece.length, options);
    });
    this.tx.advance(pieces.length);
    return true;
  }

  /** Frames whose sending is done go back to the free list; returns how many. */
  reap(): number {
    const done = this.completion.available();
    for (let index = 0; index < done; index++) {
      const address = this.completion.address(this.completion.own + index);
      this.free.push(address - (address % FRAME_SIZE));
    }
    this.completion.advance(done);
    return done;
  }

  /** Takes all packets that have arrived; their frames go back to the free list. */
  receive(): Packet[] {
    const packets: Packet[] = [];
    const ready = this.rx.available();
    let pieces: Uint8Array[] = [];
    let metadata: Metadata | undefined;
    for (let index = 0; index < ready; index++) {
      const address = this.rx.descriptorAddress(this.rx.own + index);
      const length = this.rx.descriptorLength(this.rx.own + index);
      const options = this.rx.descriptorOptions(this.rx.own + index);
      const at = this.places.frames + address;
      if ((options & OPTION_METADATA) !== 0) metadata = this.#readMetadata(at - METADATA_SIZE);
      pieces.push(this.#bytes.slice(at, at + length));
      this.free.push(address - (address % FRAME_SIZE));
      if ((options & OPTION_CONTINUED) !== 0) continue;
      packets.push({
        bytes: new Uint8Array(Buffer.concat(pieces)),
        frames: pieces.length,
        metadata,
      });
      pieces = [];
      metadata = undefined;
    }
    this.rx.advance(ready);
    return packets;
  }

  #writeMetadata(at: number, metadata: Metadata): void {
    this.#view.setBigUint64(at + METADATA_FLAGS, BigInt(metadata.flags), true);
    this.#view.setUint16(at + METADATA_CHECKSUM_START, metadata.checksumStart, true);
    this.#view.setUint16(at + METADATA_CHECKSUM_OFFSET, metadata.checksumOffset, true);
    this.#view.setUint16(at + METADATA_SEGMENT_SIZE, metadata.segmentSize, true);
    this.#view.setUint16(at + METADATA_HEADER_LENGTH, metadata.headerLength, true);
  }

  #readMetadata(at: number): Metadata {
    return {
      flags: Number(this.#view.getBigUint64(at + METADATA_FLAGS, true)),
      checksumStart: this.#view.getUint16(at + METADATA_CHECKSUM_START, true),
      checksumOffset: this.#view.getUint16(at + METADATA_CHECKSUM_OFFSET, true),
      segmentSize: this.#view.getUint16(at + METADATA_SEGMENT_SIZE, true),
      headerLength: this.#view.getUint16(at + METADATA_HEADER_LENGTH, true),
    };
  }
}
