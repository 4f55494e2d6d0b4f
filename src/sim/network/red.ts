/** Random Early Detection (Floyd and Jacobson 1993, with the gentle slope of Floyd 2000). */
import { power } from "../deterministic-math";
import type { Nanoseconds } from "../scheduler";
import { markCongestion } from "./frame-fields";
import type { QueueOptions } from "./options";
import { Fifo, type Queue, type QueueContext, type Queued } from "./queue";

type RedOptions = Extract<QueueOptions, { kind: "red" }>;
type Filled = { readonly [Key in keyof RedOptions]-?: Exclude<RedOptions[Key], undefined> };

/** The size by which an idle line's missed departures are counted (section 4: "typical"). */
const typicalBytes = 1000;

export class Red implements Queue {
  readonly measures = true;
  readonly #fifo = new Fifo();
  readonly #context: QueueContext;
  readonly #options: Filled;
  /** The average queue length, in bytes. */
  #average = 0;
  /** Frames since the last early drop; -1 while the average is below the lower threshold. */
  #count = -1;
  #emptySinceNs: Nanoseconds | undefined = 0;

  constructor(options: RedOptions, context: QueueContext) {
    this.#context = context;
    this.#options = {
      ...options,
      bytesMax: options.bytesMax ?? options.maximumBytes * 4,
      maximumProbability: options.maximumProbability ?? 0.1,
      weight: options.weight ?? 0.002,
      gentle: options.gentle ?? true,
      marksEcn: options.marksEcn ?? false,
    };
  }

  get bytes(): number {
    return this.#fifo.bytes;
  }

  get packets(): number {
    return this.#fifo.packets;
  }

  push(entry: Queued): boolean {
    const { log } = this.#context;
    this.#measure(entry.timeNs);
    if (this.bytes + entry.frame.length > this.#options.bytesMax) {
      log.drop(entry.frame, "queue full");
      this.#count = 0;
      return false;
    }
    if (this.#chosen()) {
      // Above the marking region ECN is no excuse (RFC 7567 section 4.2.1).
      const marks = this.#options.marksEcn && this.#average < this.#dropsAllBytes();
      if (!marks || !markCongestion(entry.frame)) {
        log.drop(entry.frame, "early drop");
        return false;
      }
      log.tell("marked", entry.frame);
    }
    this.#fifo.push(entry);
    return true;
  }

  shift(nowNs: Nanoseconds): Queued | undefined {
    const entry = this.#fifo.shift();
    if (this.packets === 0) this.#emptySinceNs = nowNs;
    return entry;
  }

  /** Where every arrival is chosen. */
  #dropsAllBytes(): number {
    return this.#options.gentle ? this.#options.maximumBytes * 2 : this.#options.maximumBytes;
  }

  /** Moves the average; an idle time counts as so many arrivals at an empty queue. */
  #measure(nowNs: Nanoseconds): void {
    const { weight } = this.#options;
    if (this.packets === 0 && this.#emptySinceNs !== undefined) {
      const typicalNs = (typicalBytes * 8e9) / this.#context.bandwidthBitsPerSecond;
      const missed = Math.min((nowNs - this.#emptySinceNs) / typicalNs, 1e6);
      const kept = 1 - weight;
      // So small a factor is no normal number any more, and the average is as good as 0.
      const factor = kept <= 0 || missed * weight > 600 ? 0 : power(kept, missed);
      this.#average *= missed === 0 ? 1 : factor;
      this.#emptySinceNs = undefined;
    } else {
      this.#average += weight * (this.bytes - this.#average);
    }
  }

  #chosen(): boolean {
    const { minimumBytes, maximumBytes, maximumProbability, gentle } = this.#options;
    const average = this.#average;
    if (average < minimumBytes) {
      this.#count = -1;
      return false;
    }
    this.#count++;
    if (average >= this.#dropsAllBytes()) {
      this.#count = 0;
      return true;
    }
    const base =
      gentle && average >= maximumBytes
        ? maximumProbability + ((1 - maximumProbability) * (average - maximumBytes)) / maximumBytes
        : (maximumProbability * (average - minimumBytes)) / (maximumBytes - minimumBytes);
    // Spreads the choices evenly instead of geometrically (section 5 of the paper).
    const probability = this.#count * base >= 1 ? 1 : base / (1 - this.#count * base);
    if (!this.#context.random.chance(probability)) return false;
    this.#count = 0;
    return true;
  }
}
