/** The plain queue: who finds it full is dropped; who finds it long may be marked. */
import { markCongestion } from "./frame-fields";
import type { QueueOptions } from "./options";
import { Fifo, type Queue, type QueueContext, type Queued } from "./queue";

/** As Linux's default transmit queue. */
const packetsMaxUsual = 1000;

export class DropTail implements Queue {
  readonly measures = false;
  readonly #fifo = new Fifo();
  readonly #context: QueueContext;
  readonly #bytesMax: number;
  readonly #packetsMax: number;
  readonly #markBytes: number;

  constructor(options: Extract<QueueOptions, { kind: "drop-tail" }>, context: QueueContext) {
    const { bytesMax, packetsMax, markBytes } = options;
    this.#context = context;
    this.#bytesMax = bytesMax ?? Number.POSITIVE_INFINITY;
    this.#markBytes = markBytes ?? Number.POSITIVE_INFINITY;
    const unlimited = bytesMax === undefined ? packetsMaxUsual : Number.POSITIVE_INFINITY;
    this.#packetsMax = packetsMax ?? unlimited;
  }

  get bytes(): number {
    return this.#fifo.bytes;
  }

  get packets(): number {
    return this.#fifo.packets;
  }

  push(entry: Queued): boolean {
    const full =
      this.bytes + entry.frame.length > this.#bytesMax || this.packets >= this.#packetsMax;
    if (full) {
      this.#context.log.drop(entry.frame, "queue full");
      return false;
    }
    if (this.bytes >= this.#markBytes && markCongestion(entry.frame)) {
      this.#context.log.tell("marked", entry.frame);
    }
    this.#fifo.push(entry);
    return true;
  }

  shift(): Queued | undefined {
    return this.#fifo.shift();
  }
}
