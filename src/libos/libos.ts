/** What a library OS gives to the API: a stack instance and the devices that feed it. */
import type { Stack } from "../wasm/stack";

export interface LibOs extends Disposable {
  readonly name: string;
  /** Holds frames, queues, tokens and completions, and answers the operations. */
  readonly stack: Stack;
  /** Device counters by name, beside the stack's own. */
  readonly deviceStatistics: Readonly<Record<string, number>>;
  /** Moves packets both ways and runs the stack once, bounded; returns how much was done. */
  poll(nowUs: number): number;
  /** Sends what operations since the last poll made ready; returns how much was done. */
  flush(): number;
  /** Calls `wake` once when packets may wait; false when only polling can tell. */
  arm(wake: () => void): boolean;
  /** Blocks the thread until packets may wait, for at most `timeoutMs`. */
  sleep(timeoutMs: number): void;
}
