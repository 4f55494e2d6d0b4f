/** A running hash over everything that happens in a run: equal hashes mean equal runs. */
import type { FrameEvent } from "./trace";

const kinds = [
  "sent",
  "queued",
  "dropped",
  "duplicated",
  "corrupted",
  "reordered",
  "truncated",
  "marked",
  "delivered",
] as const satisfies readonly FrameEvent["what"][];

/** Two lanes of a multiplicative hash over 32-bit words (the mixing of MurmurHash3). */
export class Fingerprint {
  #a = 0x9747b28c;
  #b = 0x3c6ef372;
  #events = 0;
  readonly #names = new Map<string, number>();

  word(value: number): void {
    let mixed = Math.imul(value, 0xcc9e2d51);
    mixed = (mixed << 15) | (mixed >>> 17);
    this.#a ^= Math.imul(mixed, 0x1b873593);
    this.#a = (Math.imul((this.#a << 13) | (this.#a >>> 19), 5) + 0xe6546b64) | 0;
    this.#b = (Math.imul(this.#b ^ value, 0x85ebca77) + this.#a) | 0;
    this.#b = (this.#b << 11) | (this.#b >>> 21);
  }

  time(nanoseconds: number): void {
    this.word(nanoseconds | 0);
    this.word(Math.floor(nanoseconds / 2 ** 32));
  }

  bytes(bytes: Uint8Array): void {
    this.word(bytes.length);
    // Words at a time, wherever the bytes lie: the hash is of their values only.
    const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    const words = bytes.length >>> 2;
    if (words > 0) {
      const view = new Uint32Array(buffer, byteOffset, words);
      for (let index = 0; index < words; index++) this.word(view[index] as number);
    }
    for (let index = words * 4; index < bytes.length; index++) this.word(bytes[index] as number);
  }

  text(text: string): void {
    let number = this.#names.get(text);
    if (number === undefined) {
      number = 0;
      for (let index = 0; index < text.length; index++) {
        number = (Math.imul(number, 31) + text.charCodeAt(index)) | 0;
      }
      this.#names.set(text, number);
    }
    this.word(number);
  }

  frame(event: FrameEvent): void {
    this.#events++;
    this.time(event.timeNs);
    this.word(kinds.indexOf(event.what));
    this.text(event.direction);
    // Where the bytes are those of an earlier event, hashing them again says nothing new.
    if (event.what !== "queued" && event.what !== "dropped") this.bytes(event.frame);
  }

  /** Frame events so far. */
  get events(): number {
    return this.#events;
  }

  /** Sixteen hexadecimal digits. */
  toString(): string {
    const hex = (lane: number) => (lane >>> 0).toString(16).padStart(8, "0");
    return hex(this.#a) + hex(this.#b);
  }
}
