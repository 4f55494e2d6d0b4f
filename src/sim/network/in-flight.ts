/** The frames on a direction's wire, by the time they arrive; at the same time, first come first. */
import type { Nanoseconds } from "../scheduler";

export class InFlight {
  #frames: Uint8Array[] = [];
  #times: Nanoseconds[] = [];
  #head = 0;

  get length(): number {
    return this.#frames.length - this.#head;
  }

  /** When the first of them arrives; Infinity when there is none. */
  get firstNs(): Nanoseconds {
    return this.#times[this.#head] ?? Number.POSITIVE_INFINITY;
  }

  /** True when the frame is now the first. Nearly all come in order, and are appended. */
  push(timeNs: Nanoseconds, frame: Uint8Array): boolean {
    const frames = this.#frames;
    const times = this.#times;
    let at = frames.length;
    while (at > this.#head && (times[at - 1] as number) > timeNs) {
      frames[at] = frames[at - 1] as Uint8Array;
      times[at] = times[at - 1] as number;
      at--;
    }
    frames[at] = frame;
    times[at] = timeNs;
    return at === this.#head;
  }

  /** Takes the first. */
  shift(): Uint8Array {
    const frame = this.#frames[this.#head++] as Uint8Array;
    if (this.#head === this.#frames.length) {
      this.#frames.length = 0;
      this.#times.length = 0;
      this.#head = 0;
    } else if (this.#head === 1024) {
      this.#frames.splice(0, 1024);
      this.#times.splice(0, 1024);
      this.#head = 0;
    }
    return frame;
  }
}
