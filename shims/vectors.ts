import { FRAME_SIZE, OPTION_CONTINUED, OPTION_METADATA } from "../assembly/layout";
import type { RingPlaces } from "./contract";
import { memoryAddress, Struct } from "./libc";
import type { Consumer } from "./ring";
import { VIRTIO_HEADER_SIZE, writeVirtioHeader } from "./virtio";

const VECTOR_SIZE = 16;
const VECTOR_WORDS = VECTOR_SIZE / 4;
const WORD_RANGE = 2 ** 32;

/** Descriptors that one packet to send may consist of. */
export const CHAIN_MAX = 64;
/** Vectors that one packet to send may need: its virtio header and its pieces. */
const GATHER_VECTORS = CHAIN_MAX + 1;

/** A fixed array of struct iovec, prepared once, rewritten in place. */
export class Vectors {
  readonly #words: Uint32Array;
  readonly #struct: Struct;

  constructor(count: number) {
    this.#struct = new Struct(count * VECTOR_SIZE);
    this.#words = new Uint32Array(this.#struct.bytes.buffer);
  }

  /** Address of vector `index`. */
  at(index: number): number {
    return this.#struct.address + index * VECTOR_SIZE;
  }

  set(index: number, address: number, length: number): void {
    const at = index * VECTOR_WORDS;
    this.#words[at] = address;
    this.#words[at + 1] = address / WORD_RANGE;
    this.#words[at + 2] = length;
    this.#words[at + 3] = 0;
  }

  /** Moves `count` vectors from `index` to the array's start. */
  slide(index: number, count: number): void {
    this.#words.copyWithin(0, index * VECTOR_WORDS, (index + count) * VECTOR_WORDS);
  }
}

/** Describes packets of a tx ring as vectors: one for the virtio header, one for each piece. */
export class Gatherer {
  readonly #vectors: Vectors;
  readonly #headers: Struct;
  readonly #tx: Consumer;
  readonly #memory: DataView;
  readonly #frames: number;
  readonly #framesBytes: number;
  readonly #framesAddress: number;

  /** For `packets` packets at a time. */
  constructor(tx: Consumer, places: RingPlaces, packets: number) {
    this.#vectors = new Vectors(packets * GATHER_VECTORS);
    this.#headers = new Struct(packets * VIRTIO_HEADER_SIZE);
    this.#tx = tx;
    this.#memory = new DataView(places.memory.buffer);
    this.#frames = places.frames;
    this.#framesBytes = places.framesBytes;
    this.#framesAddress = memoryAddress(places.memory) + places.frames;
  }

  /** Address of the first vector of `slot`. */
  at(slot: number): number {
    return this.#vectors.at(slot * GATHER_VECTORS);
  }

  /**
   * Describes the packet that starts at descriptor `index`, of which `available` are published, in
   * the vectors of `slot`. Returns its descriptors; 0 when its end is not published yet; negative
   * when so many descriptors make no packet that can be sent.
   */
  gather(index: number, available: number, slot: number): number {
    const tx = this.#tx;
    const base = slot * GATHER_VECTORS;
    let count = 0;
    let valid = true;
    let options = OPTION_CONTINUED;
    while ((options & OPTION_CONTINUED) !== 0) {
      if (count === available) return available < tx.entries ? 0 : -available;
      const address = tx.descriptorAddress(index + count);
      const length = tx.descriptorLength(index + count);
      options = tx.descriptorOptions(index + count);
      if (!this.#holds(address, length) || count >= CHAIN_MAX) valid = false;
      else {
        if (count === 0) this.#head(base, slot, address, options);
        this.#vectors.set(base + count + 1, this.#framesAddress + address, length);
      }
      count++;
    }
    return valid ? count : -count;
  }

  /** Says whether a piece lies within one frame of the region. */
  #holds(address: number, length: number): boolean {
    return length <= FRAME_SIZE - (address & (FRAME_SIZE - 1)) && address < this.#framesBytes;
  }

  #head(base: number, slot: number, address: number, options: number): void {
    const header = slot * VIRTIO_HEADER_SIZE;
    const data = (options & OPTION_METADATA) === 0 ? 0 : this.#frames + address;
    writeVirtioHeader(this.#memory, data, this.#headers.view, header);
    this.#vectors.set(base, this.#headers.address + header, VIRTIO_HEADER_SIZE);
  }
}
