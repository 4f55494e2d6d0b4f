/**
 * Time and the event loop, as everything above the stack knows them. Injected everywhere, so that a
 * simulator can own time.
 */

export interface Timer {
  cancel(): void;
  /** Lets the process end although the timer runs. */
  unref(): void;
}

export interface EventLoop {
  /** Microseconds of a monotonic clock. */
  nowUs(): number;
  /** Milliseconds since 1970, for what people read. */
  dateMs(): number;
  /** Runs `run` after what is going on now, in another turn. */
  soon(run: () => void): void;
  /** Runs `run` once, no earlier than after `delayMs`. */
  after(delayMs: number, run: () => void): Timer;
  /** What a program threw where nobody waits for it. */
  uncaught(cause: unknown): void;
}

const TIMER_MAX_MS = 2 ** 31 - 1;

class HostTimer implements Timer {
  readonly #handle: ReturnType<typeof setTimeout>;

  constructor(delayMs: number, run: () => void) {
    this.#handle = setTimeout(run, Math.min(Math.max(Math.ceil(delayMs), 1), TIMER_MAX_MS));
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  unref(): void {
    this.#handle.unref();
  }
}

/** The event loop of the JavaScript host. */
export const hostEventLoop: EventLoop = {
  nowUs: () => performance.now() * 1000,
  dateMs: () => Date.now(),
  soon: (run) => void setImmediate(run),
  after: (delayMs, run) => new HostTimer(delayMs, run),
  uncaught: (cause) => void Promise.reject(cause),
};
