/**
 * Drives one stack from an event loop. While there is work, each of its turns runs one bounded round, so that the program's other I/O gets its share; after a budget without work the
 * loop sleeps until a packet, an operation or the next deadline wakes it.
 */
import { type EventLoop, hostEventLoop, type Timer } from "./event-loop";

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
  readonly eventLoop?: EventLoop | undefined;
  /** How long to go on polling after the last work, in microseconds. */
  readonly spinUs: number;
}

/** Polling period when nothing can wake the loop: from the first to the second, doubling. */
const POLL_FIRST_MS = 1;
const POLL_LAST_MS = 4;
/** Renews itself while somebody waits; its length does not matter. */
const KEEP_ALIVE_MS = 2 ** 31 - 1;

export class Reactor implements Disposable {
  readonly #source: Source;
  readonly #eventLoop: EventLoop;
  readonly #spinUs: number;
  #activeUs = Number.NEGATIVE_INFINITY;
  #scheduled = false;
  #inTurn = false;
  #armed = false;
  #closed = false;
  #pollMs = POLL_FIRST_MS;
  #timer: Timer | undefined;
  #timerDueUs = Number.POSITIVE_INFINITY;
  #holders = 0;
  #keepAlive: Timer | undefined;

  constructor(source: Source, { eventLoop = hostEventLoop, spinUs }: ReactorOptions) {
    this.#source = source;
    this.#eventLoop = eventLoop;
    this.#spinUs = spinUs;
  }

  get nowUs(): number {
    return this.#eventLoop.nowUs();
  }

  /** Makes a turn run soon: an operation was issued or a packet may have come. */
  readonly kick = (): void => {
    this.#activeUs = this.#eventLoop.nowUs();
    this.#schedule();
  };

  /** Keeps the process alive until as many `letGo` follow. */
  hold(): void {
    if (this.#holders++ === 0) this.#stayAlive();
  }

  letGo(): void {
    if (--this.#holders === 0) this.#keepAlive?.cancel();
  }

  #stayAlive(): void {
    this.#keepAlive = this.#eventLoop.after(KEEP_ALIVE_MS, () => this.#stayAlive());
  }

  /** Runs one bounded round now; returns how much was done. */
  step(): number {
    const source = this.#source;
    const work = source.poll(this.#eventLoop.nowUs()) + source.collect();
    return work + source.flush();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#keepAlive?.cancel();
  }

  #schedule(): void {
    // A turn decides at its end whether another follows, so a kick from inside adds none.
    if (this.#scheduled || this.#inTurn || this.#closed) return;
    this.#scheduled = true;
    this.#eventLoop.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#closed) return;
    this.#inTurn = true;
    let work = 0;
    try {
      work = this.step();
      if (work > 0) this.#activeUs = this.#eventLoop.nowUs();
    } catch (cause) {
      this.#closed = true;
      this.#timer?.cancel();
      this.#source.failed(cause);
      return;
    } finally {
      this.#inTurn = false;
    }
    if (work > 0 || this.#eventLoop.nowUs() - this.#activeUs < this.#spinUs) {
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
      dueUs = Math.min(dueUs, this.#eventLoop.nowUs() + this.#pollMs * 1000);
      this.#pollMs = Math.min(this.#pollMs * 2, POLL_LAST_MS);
    }
    // A timer that is due earlier stays: a turn too many costs less than a timer per sleep.
    if (dueUs >= this.#timerDueUs) return;
    this.#timer?.cancel();
    this.#timerDueUs = dueUs;
    const delayMs = (dueUs - this.#eventLoop.nowUs()) / 1000;
    this.#timer = this.#eventLoop.after(delayMs, this.#expire);
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
