/**
 * Drives one stack from Bun's event loop. While there is work, one bounded turn runs in each
 * setImmediate, so that the program's other I/O gets its share; after a budget without work the
 * loop sleeps until a packet, an operation or the next deadline wakes it.
 */
import type { Clock } from "./clock";

/** What the reactor drives. */
export interface Source {
  /** Runs the stack once, bounded; returns how much it did. */
  poll(nowUs: number): number;
  /** Hands completions to those who wait for them; returns how many there were. */
  collect(): number;
  /** Sends what operations since the last poll made ready. */
  flush(): number;
  /** The next time at which `poll` must run; Infinity when there is none. */
  readonly deadlineUs: number;
  /** Calls `wake` once when there may be packets; false when only polling can tell. */
  arm(wake: () => void): boolean;
  /** Told once when a turn threw: nothing can go on. */
  failed(cause: unknown): void;
}

export interface ReactorOptions {
  readonly clock: Clock;
  /** How long to go on polling after the last work, in microseconds. */
  readonly spinUs: number;
}

/** Polling period when nothing can wake the loop: from the first to the second, doubling. */
const POLL_FIRST_MS = 1;
const POLL_LAST_MS = 4;
const TIMER_MAX_MS = 2 ** 31 - 1;

export class Reactor implements Disposable {
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #spinUs: number;
  #activeUs = Number.NEGATIVE_INFINITY;
  #scheduled = false;
  #inTurn = false;
  #armed = false;
  #closed = false;
  #pollMs = POLL_FIRST_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDueUs = Number.POSITIVE_INFINITY;
  #holders = 0;
  #keepAlive: ReturnType<typeof setInterval> | undefined;

  constructor(source: Source, { clock, spinUs }: ReactorOptions) {
    this.#source = source;
    this.#clock = clock;
    this.#spinUs = spinUs;
  }

  get nowUs(): number {
    return this.#clock();
  }

  /** Makes a turn run soon: an operation was issued or a packet may have come. */
  readonly kick = (): void => {
    this.#activeUs = this.#clock();
    this.#schedule();
  };

  /** Keeps the process alive until as many `letGo` follow. */
  hold(): void {
    if (this.#holders++ === 0) this.#keepAlive = setInterval(() => {}, TIMER_MAX_MS);
  }

  letGo(): void {
    if (--this.#holders === 0) clearInterval(this.#keepAlive);
  }

  /** Runs one bounded round now; returns how much was done. */
  step(): number {
    const source = this.#source;
    const work = source.poll(this.#clock()) + source.collect();
    return work + source.flush();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#keepAlive);
  }

  #schedule(): void {
    // A turn decides at its end whether another follows, so a kick from inside adds none.
    if (this.#scheduled || this.#inTurn || this.#closed) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#closed) return;
    this.#inTurn = true;
    let work = 0;
    try {
      work = this.step();
      if (work > 0) this.#activeUs = this.#clock();
    } catch (cause) {
      this.#closed = true;
      clearTimeout(this.#timer);
      this.#source.failed(cause);
      return;
    } finally {
      this.#inTurn = false;
    }
    if (work > 0 || this.#clock() - this.#activeUs <= this.#spinUs) {
      this.#pollMs = POLL_FIRST_MS;
      this.#schedule();
    } else {
      this.#sleep();
    }
  };

  #sleep(): void {
    let dueUs = this.#source.deadlineUs;
    this.#armed ||= this.#source.arm(this.#wake);
    if (!this.#armed) {
      dueUs = Math.min(dueUs, this.#clock() + this.#pollMs * 1000);
      this.#pollMs = Math.min(this.#pollMs * 2, POLL_LAST_MS);
    }
    // A timer that is due earlier stays: a turn too many costs less than a timer per sleep.
    if (dueUs >= this.#timerDueUs) return;
    clearTimeout(this.#timer);
    const afterMs = Math.ceil((dueUs - this.#clock()) / 1000);
    this.#timerDueUs = dueUs;
    this.#timer = setTimeout(this.#expire, Math.min(Math.max(afterMs, 1), TIMER_MAX_MS));
    this.#timer.unref();
  }

  /** A wake-up must not count as activity: the turn it causes finds out whether there is work. */
  readonly #wake = (): void => {
    this.#armed = false;
    this.#schedule();
  };

  readonly #expire = (): void => {
    this.#timerDueUs = Number.POSITIVE_INFINITY;
    this.#timer = undefined;
    this.#schedule();
  };
}
