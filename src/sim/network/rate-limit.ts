/** A policer: a bucket of bytes that fills at a steady rate; a frame that finds too little is refused. */
import type { Nanoseconds } from "../scheduler";
import type { DirectionOptions } from "./options";

export class RateLimit {
  readonly #bytesPerNs: number;
  readonly #burstBytes: number;
  #bytes: number;
  #filledNs: Nanoseconds = 0;

  constructor(options: NonNullable<DirectionOptions["rateLimit"]>) {
    this.#bytesPerNs = options.bitsPerSecond / 8e9;
    this.#burstBytes = options.burstBytes;
    this.#bytes = options.burstBytes;
  }

  /** False when the frame is too much now. */
  take(bytes: number, nowNs: Nanoseconds): boolean {
    const gained = (nowNs - this.#filledNs) * this.#bytesPerNs;
    this.#bytes = Math.min(this.#burstBytes, this.#bytes + gained);
    this.#filledNs = nowNs;
    if (this.#bytes < bytes) return false;
    this.#bytes -= bytes;
    return true;
  }
}
