/** Blocks and their options, checked against every bound. */
import { BLOCK_SECTION, BYTE_ORDER_MAGIC, OPTION_END } from "./blocks";

const BLOCK_MIN = 12;
const SECTION_MIN = 28;
const decoder = new TextDecoder();

/** Says what is wrong with a block and where it starts. */
export class BrokenBlock extends Error {}

export interface Block {
  readonly type: number;
  readonly fields: Fields;
}

/** Every block in turn; each section may have the other byte order. Throws BrokenBlock. */
export function* readBlocks(bytes: Uint8Array): Generator<Block> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let isLittle = true;
  let at = 0;
  do {
    const broken = (what: string) => new BrokenBlock(`the block at byte ${at} ${what}`);
    const available = bytes.length - at;
    if (available < BLOCK_MIN) throw broken(`is cut off after ${available} bytes`);
    // The section header's type reads the same in both byte orders.
    const type = view.getUint32(at, isLittle);
    if (at === 0 && type !== BLOCK_SECTION) throw broken("is no section header");
    if (type === BLOCK_SECTION) {
      if (view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC) isLittle = true;
      else if (view.getUint32(at + 8, false) === BYTE_ORDER_MAGIC) isLittle = false;
      else throw broken("has no byte-order magic");
    }
    const length = view.getUint32(at + 4, isLittle);
    const lengthMin = type === BLOCK_SECTION ? SECTION_MIN : BLOCK_MIN;
    if (length < lengthMin || length % 4 !== 0) throw broken(`has the length ${length}`);
    if (length > available) throw broken(`is ${length} bytes long but ${available} are left`);
    const end = at + length;
    if (view.getUint32(end - 4, isLittle) !== length) throw broken("ends with another length");
    if (type === BLOCK_SECTION && view.getUint16(at + 12, isLittle) !== 1) {
      throw broken(`is of version ${view.getUint16(at + 12, isLittle)}`);
    }
    yield { type, fields: new Fields(bytes, view, at, at + 8, end - 4, isLittle) };
    at = end;
  } while (at < bytes.length);
}

/** A part of a block that is read from front to end. */
export class Fields {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #blockStart: number;
  readonly #end: number;
  readonly #isLittle: boolean;
  #at: number;

  constructor(
    bytes: Uint8Array,
    view: DataView,
    blockStart: number,
    start: number,
    end: number,
    isLittle: boolean,
  ) {
    this.#bytes = bytes;
    this.#view = view;
    this.#blockStart = blockStart;
    this.#at = start;
    this.#end = end;
    this.#isLittle = isLittle;
  }

  broken(what: string): BrokenBlock {
    return new BrokenBlock(`the block at byte ${this.#blockStart} ${what}`);
  }

  skip(count: number): void {
    this.#take(count);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), this.#isLittle);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), this.#isLittle);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), this.#isLittle);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), this.#isLittle);
  }

  /** Upper half first in either byte order. */
  timestamp(): bigint {
    const high = this.u32();
    return (BigInt(high) << 32n) | BigInt(this.u32());
  }

  /** A view; what pads it to whole words is passed over. */
  data(length: number): Uint8Array {
    const start = this.#take(length);
    this.#at = Math.min(this.#end, start + Math.ceil(length / 4) * 4);
    return this.#bytes.subarray(start, start + length);
  }

  /** All that is left. */
  text(): string {
    return decoder.decode(this.data(this.#end - this.#at));
  }

  /** The options up to their end mark or the block's end. */
  *options(): Generator<{ readonly code: number; readonly value: Fields }> {
    while (this.#at < this.#end) {
      const code = this.u16();
      const length = this.u16();
      if (code === OPTION_END) return;
      const start = this.#at;
      this.data(length);
      const view = this.#view;
      const end = start + length;
      const value = new Fields(this.#bytes, view, this.#blockStart, start, end, this.#isLittle);
      yield { code, value };
    }
  }

  #take(count: number): number {
    const start = this.#at;
    if (start + count > this.#end) throw this.broken("has contents that reach behind its end");
    this.#at = start + count;
    return start;
  }
}
