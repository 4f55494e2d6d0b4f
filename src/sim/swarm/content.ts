/** The bytes that flows carry: from key and position anyone can tell which byte belongs there. */
import { Random } from "../random";

/** Prime, so that no buffer size divides it. */
const PERIOD_BYTES = 1_048_583;

let noise: Uint8Array | undefined;

/** Made at the first use: a second period follows the first, so that short pieces never wrap. */
function noiseBytes(): Uint8Array {
  if (noise !== undefined) return noise;
  const random = new Random("content");
  const bytes = new Uint8Array(PERIOD_BYTES + 65_536);
  const words = new DataView(bytes.buffer);
  for (let at = 0; at + 4 <= PERIOD_BYTES; at += 4) words.setUint32(at, random.u32());
  bytes.copyWithin(PERIOD_BYTES, 0, 65_536);
  noise = bytes;
  return bytes;
}

/** An endless stream of bytes. */
export class Content {
  readonly #start: number;

  constructor(key: string) {
    this.#start = new Random(key, "/content").below(PERIOD_BYTES);
  }

  /** The bytes from `at` on, at most `size` of them and 64 KiB; not to be changed. */
  piece(at: number, size: number): Uint8Array {
    const from = (this.#start + at) % PERIOD_BYTES;
    return noiseBytes().subarray(from, from + Math.min(size, 65_536));
  }

  /** Where `bytes` first differ from those that belong at `at`; undefined when they do not. */
  mismatch(at: number, bytes: Uint8Array): number | undefined {
    const all = noiseBytes();
    let from = (this.#start + at) % PERIOD_BYTES;
    for (let index = 0; index < bytes.length; index++) {
      if (bytes[index] !== all[from]) return index;
      from = from + 1 === PERIOD_BYTES ? 0 : from + 1;
    }
    return undefined;
  }
}
