/** The frames that wait for a direction's line, and who may join them. */
import type { Random } from "../random";
import type { Nanoseconds } from "../scheduler";
import type { Fate } from "./faults";
import type { FrameLog } from "./frame-log";

export interface Queued {
  readonly frame: Uint8Array;
  readonly fate: Fate | undefined;
  /** When it joined. */
  readonly timeNs: Nanoseconds;
}

export interface QueueContext {
  /** Told of what is dropped, and of what is marked (Congestion Experienced, RFC 3168). */
  readonly log: FrameLog;
  /** For queues that draw. */
  readonly random: Random;
  readonly bandwidthBitsPerSecond: number;
}

export interface Queue {
  readonly bytes: number;
  readonly packets: number;
  /** Frames pass through it even when the line is free, since it measures. */
  readonly measures: boolean;
  /** True when the frame joined; otherwise the log was told why it was dropped. */
  push(entry: Queued): boolean;
  /** Takes the next frame to send at `nowNs`; undefined when all that waited were dropped. */
  shift(nowNs: Nanoseconds): Queued | undefined;
}

/** First in, first out, counted. */
export class Fifo {
  #entries: Queued[] = [];
  #head = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get packets(): number {
    return this.#entries.length - this.#head;
  }

  push(entry: Queued): void {
    this.#entries.push(entry);
    this.#bytes += entry.frame.length;
  }

  shift(): Queued | undefined {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return undefined;
    this.#head++;
    this.#bytes -= entry.frame.length;
    if (this.#head === this.#entries.length) {
      this.#entries.length = 0;
      this.#head = 0;
    } else if (this.#head === 1024) {
      this.#entries.splice(0, 1024);
      this.#head = 0;
    }
    return entry;
  }
}
