/** The two ways to wait for a device: the event loop's, and the blocking one of synchronous calls. */
import { sleepOn } from "./sleep-on";
import { Waker, type WakerMode } from "./waker";

/** Longest sleep where nothing tells of packets. */
const BLIND_SLEEP_MS = 1;

export interface Sleeper extends Disposable {
  readonly mode: WakerMode;
  /** Calls `wake` once when `fd` turns readable; false when the caller has to look by itself. */
  arm(fd: number, wake: () => void): boolean;
  /** Blocks the thread until `fd` is readable, for at most `timeoutMs`. */
  sleep(fd: number | undefined, timeoutMs: number): void;
}

/** Dispose it before the descriptor that it watches is closed. */
export function openSleeper(): Sleeper {
  const waker = new Waker();
  return {
    mode: waker.mode,
    arm: (fd, wake) => waker.arm(fd, wake),
    sleep(fd, timeoutMs) {
      if (fd === undefined) sleepOn([], Math.min(timeoutMs, BLIND_SLEEP_MS));
      else sleepOn([fd], timeoutMs);
    },
    [Symbol.dispose]: () => waker[Symbol.dispose](),
  };
}
