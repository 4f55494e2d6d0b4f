/** What happens to the frames of one direction: counted, and told to whoever listens. */
import type { Scheduler } from "../scheduler";
import type { Station } from "../station";
import type { DropReason, FrameEvent, FrameListener } from "../trace";

export class FrameLog {
  /** How many frames each thing has happened to. */
  readonly counts: Record<FrameEvent["what"], number> = {
    sent: 0,
    queued: 0,
    dropped: 0,
    duplicated: 0,
    corrupted: 0,
    reordered: 0,
    truncated: 0,
    marked: 0,
    delivered: 0,
  };
  readonly #scheduler: Scheduler;
  readonly #direction: string;
  readonly #from: Station;
  readonly #to: Station;
  readonly #queuedBytes: () => number;
  #listeners: readonly FrameListener[];

  constructor(scheduler: Scheduler, { name, from, to, trace, queuedBytes }: FrameLogOptions) {
    this.#scheduler = scheduler;
    this.#direction = name;
    this.#from = from;
    this.#to = to;
    this.#queuedBytes = queuedBytes;
    this.#listeners = trace === undefined ? [] : [trace];
  }

  listen(listener: FrameListener): Disposable {
    this.#listeners = [...this.#listeners, listener];
    return {
      [Symbol.dispose]: () => {
        this.#listeners = this.#listeners.filter((other) => other !== listener);
      },
    };
  }

  drop(frame: Uint8Array, reason: DropReason): void {
    this.tell("dropped", frame, reason);
  }

  /** `by`: who has done it, if that is not the station at this end. */
  tell(what: FrameEvent["what"], frame: Uint8Array, reason?: DropReason, by?: string): void {
    this.counts[what]++;
    if (this.#listeners.length === 0) return;
    const event: FrameEvent = {
      timeNs: this.#scheduler.nowNs,
      what,
      direction: this.#direction,
      station: by ?? (what === "delivered" ? this.#to.name : this.#from.name),
      frame,
      reason,
      queuedBytes: this.#queuedBytes(),
    };
    for (const listener of this.#listeners) listener(event);
  }
}

interface FrameLogOptions {
  /** `a>b`. */
  readonly name: string;
  readonly from: Station;
  readonly to: Station;
  readonly trace: FrameListener | undefined;
  readonly queuedBytes: () => number;
}
