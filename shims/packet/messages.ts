import { Struct } from "../libc";

/** struct mmsghdr on 64-bit Linux: a struct msghdr of 56 bytes and the message's length. */
const MESSAGE_SIZE = 64;
const VECTORS = 16;
const VECTOR_COUNT = 24;
const LENGTH = 56;
const WORD_RANGE = 2 ** 32;

/** A fixed array of struct mmsghdr for recvmmsg and sendmmsg. */
export class Messages {
  readonly address: number;
  readonly #words: Uint32Array;

  constructor(count: number) {
    const struct = new Struct(count * MESSAGE_SIZE);
    this.address = struct.address;
    this.#words = new Uint32Array(struct.bytes.buffer);
  }

  /** Makes message `index` consist of `count` vectors at address `vectors`. */
  set(index: number, vectors: number, count: number): void {
    const at = (index * MESSAGE_SIZE) >> 2;
    this.#words[at + (VECTORS >> 2)] = vectors;
    this.#words[at + (VECTORS >> 2) + 1] = vectors / WORD_RANGE;
    this.#words[at + (VECTOR_COUNT >> 2)] = count;
  }

  /** Bytes received into message `index`. */
  length(index: number): number {
    return this.#words[(index * MESSAGE_SIZE + LENGTH) >> 2] as number;
  }
}
