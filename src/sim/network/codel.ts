/** Controlled Delay (RFC 8289): what has waited too long for too long is dropped or marked. */
import type { Nanoseconds } from "../scheduler";
import { markCongestion } from "./frame-fields";
import type { QueueOptions } from "./options";
import { Fifo, type Queue, type QueueContext, type Queued } from "./queue";

type CodelOptions = Extract<QueueOptions, { kind: "codel" }>;

const nsPerMs = 1e6;
/** One full Ethernet frame: a queue of no more is never at fault (section 5.3). */
const mtuBytes = 1514;

export class Codel implements Queue {
  readonly measures = true;
  readonly #fifo = new Fifo();
  readonly #context: QueueContext;
  readonly #targetNs: Nanoseconds;
  readonly #intervalNs: Nanoseconds;
  readonly #bytesMax: number;
  readonly #marksEcn: boolean;
  /** When the waiting time will have been above target for an interval; 0: it is below. */
  #firstAboveNs: Nanoseconds = 0;
  #dropNextNs: Nanoseconds = 0;
  #count = 0;
  #lastCount = 0;
  #dropping = false;

  constructor(options: CodelOptions, context: QueueContext) {
    this.#context = context;
    this.#targetNs = (options.targetMs ?? 5) * nsPerMs;
    this.#intervalNs = (options.intervalMs ?? 100) * nsPerMs;
    this.#bytesMax = options.bytesMax ?? 10_000_000;
    this.#marksEcn = options.marksEcn ?? false;
  }

  get bytes(): number {
    return this.#fifo.bytes;
  }

  get packets(): number {
    return this.#fifo.packets;
  }

  push(entry: Queued): boolean {
    if (this.bytes + entry.frame.length > this.#bytesMax) {
      this.#context.log.drop(entry.frame, "queue full");
      return false;
    }
    this.#fifo.push(entry);
    return true;
  }

  /** RFC 8289 section 5.5. */
  shift(nowNs: Nanoseconds): Queued | undefined {
    let entry = this.#fifo.shift();
    let late = this.#tooLate(entry, nowNs);
    if (this.#dropping) {
      if (!late) this.#dropping = false;
      while (this.#dropping && nowNs >= this.#dropNextNs) {
        this.#count++;
        if (this.#punish(entry as Queued)) {
          this.#dropNextNs = this.#controlLaw(this.#dropNextNs);
          return entry;
        }
        entry = this.#fifo.shift();
        late = this.#tooLate(entry, nowNs);
        if (late) this.#dropNextNs = this.#controlLaw(this.#dropNextNs);
        else this.#dropping = false;
      }
      return entry;
    }
    if (!late) return entry;
    const marked = this.#punish(entry as Queued);
    if (!marked) {
      entry = this.#fifo.shift();
      this.#tooLate(entry, nowNs);
    }
    this.#startDropping(nowNs);
    return entry;
  }

  /** Section 5.5: after a short pause the rate goes on where it was. */
  #startDropping(nowNs: Nanoseconds): void {
    this.#dropping = true;
    const delta = this.#count - this.#lastCount;
    this.#count = delta > 1 && nowNs - this.#dropNextNs < 16 * this.#intervalNs ? delta : 1;
    this.#dropNextNs = this.#controlLaw(nowNs);
    this.#lastCount = this.#count;
  }

  /** Section 5.6. */
  #tooLate(entry: Queued | undefined, nowNs: Nanoseconds): boolean {
    const waitedNs = entry === undefined ? 0 : nowNs - entry.timeNs;
    if (waitedNs < this.#targetNs || this.bytes <= mtuBytes) {
      this.#firstAboveNs = 0;
      return false;
    }
    if (this.#firstAboveNs === 0) {
      this.#firstAboveNs = nowNs + this.#intervalNs;
      return false;
    }
    return nowNs >= this.#firstAboveNs;
  }

  /** True when the frame could be marked and so goes on. */
  #punish(entry: Queued): boolean {
    const { log } = this.#context;
    if (this.#marksEcn && markCongestion(entry.frame)) {
      log.tell("marked", entry.frame);
      return true;
    }
    log.drop(entry.frame, "CoDel");
    return false;
  }

  /** The square root makes the drop rate grow so that TCP's throughput falls linearly. */
  #controlLaw(timeNs: Nanoseconds): Nanoseconds {
    return timeNs + this.#intervalNs / Math.sqrt(this.#count);
  }
}
