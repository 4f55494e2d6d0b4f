/** Little-endian blocks with options, into an array that grows. */
import { OPTION_END } from "./blocks";

const INITIAL_BYTES = 4096;
/** The longest value of an option. */
const OPTION_MAX = 65535;
const encoder = new TextEncoder();

export class BlockWriter {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #blockStart = 0;

  begin(type: number): void {
    this.#blockStart = this.#length;
    this.u32(type);
    this.u32(0);
  }

  /** Writes the block's length at both of its ends. */
  end(): void {
    const length = this.#length - this.#blockStart + 4;
    this.u32(length);
    this.#view.setUint32(this.#blockStart + 4, length, true);
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  /** Upper half first, as timestamps are. */
  timestamp(value: bigint): void {
    this.u32(Number((value >> 32n) & 0xffffffffn));
    this.u32(Number(value & 0xffffffffn));
  }

  /** Padded to whole words. */
  data(bytes: Uint8Array): void {
    const padded = (bytes.length + 3) & ~3;
    this.#reserve(padded);
    this.#bytes.set(bytes, this.#length);
    this.#bytes.fill(0, this.#length + bytes.length, this.#length + padded);
    this.#length += padded;
  }

  option(code: number, value: Uint8Array): void {
    const cut = value.subarray(0, OPTION_MAX);
    this.u16(code);
    this.u16(cut.length);
    this.data(cut);
  }

  /** Nothing without a text. A text that is too long is cut before a character. */
  text(code: number, text: string | undefined): void {
    if (text === undefined) return;
    let value = encoder.encode(text);
    if (value.length > OPTION_MAX) {
      let end = OPTION_MAX;
      while (((value[end] as number) & 0xc0) === 0x80) end--;
      value = value.subarray(0, end);
    }
    this.option(code, value);
  }

  endOptions(): void {
    this.u32(OPTION_END);
  }

  /** What was written since the last call. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
