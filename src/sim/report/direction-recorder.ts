/** One direction of a link: its queue, what it delivers, and what it loses and why. */
import type { DropReason, FrameEvent } from "../trace";
import { Series, type SeriesData } from "./series";

export interface DirectionData {
  /** `a>b`; `>b` is what host b's device itself turned away. */
  readonly name: string;
  readonly queueBytes: SeriesData;
  /** Bits per second, averaged over intervals of `intervalMs` from time 0. */
  readonly throughput: { readonly intervalMs: number; readonly bitsPerSecond: readonly number[] };
  readonly drops: readonly { readonly timeMs: number; readonly reason: DropReason }[];
  /** All of them, listed or not. */
  readonly dropsByReason: Readonly<Partial<Record<DropReason, number>>>;
  /** How many frames each thing happened to. */
  readonly counts: Readonly<Partial<Record<FrameEvent["what"], number>>>;
  readonly deliveredBytes: number;
}

const intervalsMax = 600;

export class DirectionRecorder {
  readonly #name: string;
  readonly #pointsMax: number;
  readonly #queue: Series;
  readonly #drops: { timeMs: number; reason: DropReason }[] = [];
  readonly #dropsByReason: Partial<Record<DropReason, number>> = {};
  readonly #counts: Partial<Record<FrameEvent["what"], number>> = {};
  #deliveredBytes = 0;
  #intervalMs = 1;
  /** Delivered bytes of each interval. */
  #intervals: number[] = [];

  constructor(name: string, pointsMax: number) {
    this.#name = name;
    this.#pointsMax = pointsMax;
    this.#queue = new Series(pointsMax);
  }

  add({ timeNs, what, frame, reason, queuedBytes }: FrameEvent): void {
    const timeMs = timeNs / 1e6;
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
    if (queuedBytes !== undefined) this.#queue.add(timeMs, queuedBytes);
    if (what === "delivered") this.#deliver(timeMs, frame.length);
    if (what !== "dropped" || reason === undefined) return;
    this.#dropsByReason[reason] = (this.#dropsByReason[reason] ?? 0) + 1;
    if (this.#drops.length < this.#pointsMax) this.#drops.push({ timeMs, reason });
  }

  data(pointsMax: number): DirectionData {
    return {
      name: this.#name,
      queueBytes: this.#queue.data(pointsMax),
      throughput: {
        intervalMs: this.#intervalMs,
        bitsPerSecond: Array.from(this.#intervals, (bytes = 0) =>
          Math.round((bytes * 8000) / this.#intervalMs),
        ),
      },
      drops: this.#drops.slice(0, pointsMax),
      dropsByReason: this.#dropsByReason,
      counts: this.#counts,
      deliveredBytes: this.#deliveredBytes,
    };
  }

  #deliver(timeMs: number, bytes: number): void {
    this.#deliveredBytes += bytes;
    while (timeMs / this.#intervalMs >= intervalsMax) this.#widen();
    const index = Math.floor(timeMs / this.#intervalMs);
    this.#intervals[index] = (this.#intervals[index] ?? 0) + bytes;
  }

  /** Twice as long intervals, half as many. */
  #widen(): void {
    this.#intervalMs *= 2;
    const wide: number[] = [];
    for (let index = 0; index < this.#intervals.length; index += 2) {
      wide.push((this.#intervals[index] ?? 0) + (this.#intervals[index + 1] ?? 0));
    }
    this.#intervals = wide;
  }
}
