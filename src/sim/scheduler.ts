/**
 * Virtual time: one heap of events ordered by (time, sequence number). Events of the same instant run
 * in the order they were made, so a run depends on nothing but what was scheduled.
 */

/** Nanoseconds of virtual time: whole numbers, exact for 104 days. */
export type Nanoseconds = number;

export interface Event {
  readonly timeNs: Nanoseconds;
  readonly sequence: number;
  /** Undefined once it ran or was cancelled. */
  run: (() => void) | undefined;
}

function earlier(left: Event, right: Event): boolean {
  return (
    left.timeNs < right.timeNs || (left.timeNs === right.timeNs && left.sequence < right.sequence)
  );
}

export class Scheduler {
  readonly #heap: Event[] = [];
  #nowNs: Nanoseconds = 0;
  #sequence = 0;
  #cancelled = 0;
  #ran = 0;

  get nowNs(): Nanoseconds {
    return this.#nowNs;
  }

  /** Events that wait. */
  get pending(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Events that have run. */
  get ran(): number {
    return this.#ran;
  }

  /** Runs `run` at `timeNs`, or now when that has passed. Fractions are rounded up. */
  at(timeNs: Nanoseconds, run: () => void): Event {
    const event: Event = {
      timeNs: Math.max(this.#nowNs, Math.ceil(timeNs)),
      sequence: this.#sequence++,
      run,
    };
    this.#push(event);
    return event;
  }

  after(delayNs: Nanoseconds, run: () => void): Event {
    return this.at(this.#nowNs + delayNs, run);
  }

  cancel(event: Event): void {
    if (event.run === undefined) return;
    event.run = undefined;
    this.#cancelled++;
    if (this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) this.#sweep();
  }

  /** Time of the next event; Infinity when there is none. */
  get nextNs(): Nanoseconds {
    this.#dropCancelled();
    return this.#heap[0]?.timeNs ?? Number.POSITIVE_INFINITY;
  }

  /** Runs the next event unless it is later than `untilNs`; false when there is none. */
  step(untilNs: Nanoseconds = Number.POSITIVE_INFINITY): boolean {
    this.#dropCancelled();
    const event = this.#heap[0];
    if (event === undefined || event.timeNs > untilNs) return false;
    this.#pop();
    this.#nowNs = event.timeNs;
    const { run } = event;
    event.run = undefined;
    this.#ran++;
    run?.();
    return true;
  }

  /** Moves the clock forward to `timeNs`, which no event may precede. */
  advance(timeNs: Nanoseconds): void {
    if (timeNs > this.#nowNs && timeNs <= this.nextNs) this.#nowNs = timeNs;
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && (this.#heap[0] as Event).run === undefined) {
      this.#pop();
      this.#cancelled--;
    }
  }

  /** Rebuilds the heap without the cancelled events. */
  #sweep(): void {
    const live = this.#heap.filter((event) => event.run !== undefined);
    live.sort((left, right) => (earlier(left, right) ? -1 : 1));
    this.#heap.splice(0, this.#heap.length, ...live);
    this.#cancelled = 0;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (!earlier(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= length) break;
      if (child + 1 < length && earlier(heap[child + 1] as Event, heap[child] as Event)) child++;
      if (!earlier(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
  }
}
