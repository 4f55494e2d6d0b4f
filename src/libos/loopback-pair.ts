/**
 * Two stacks joined back to back in one process. Whoever polls drives both, so that a blocking wait
 * on one side finds the other answering; the other side's reactor is woken when there is something
 * for its application.
 */
import { CONTROL_COMPLETION_CONSUMER, CONTROL_COMPLETION_PRODUCER } from "../../assembly/layout";
import { type LoopbackOptions, loopbackPair } from "../../shims/loopback/loopback";
import type { Backend } from "../../shims/contract";
import type { Stack } from "../wasm/stack";
import { attachDevice, type InterfaceAddress } from "./device-libos";
import type { LibOs } from "./libos";

const RECEIVE_BUDGET = 256;
/** Longest blocking sleep; the pair has nothing else than time to wait for. */
const SLEEP_MAX_MS = 1;

class LoopbackLibOs implements LibOs {
  readonly name = "simulated";
  readonly stack: Stack;
  peer: LoopbackLibOs | undefined;
  readonly #backend: Backend;
  #wake: (() => void) | undefined;

  constructor(stack: Stack, backend: Backend, address: InterfaceAddress) {
    this.stack = stack;
    this.#backend = backend;
    attachDevice(stack, backend, address);
  }

  get deviceStatistics(): Readonly<Record<string, number>> {
    return this.#backend.statistics();
  }

  poll(nowUs: number): number {
    const moved = this.#backend.poll() + this.stack.exports.poll(nowUs, RECEIVE_BUDGET);
    return this.peer === undefined ? moved : moved + this.peer.#follow(nowUs);
  }

  flush(): number {
    this.stack.exports.flush();
    return this.#backend.poll();
  }

  arm(wake: () => void): boolean {
    this.#wake = wake;
    return true;
  }

  sleep(timeoutMs: number): void {
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(nothing, 0, 0, Math.min(timeoutMs, SLEEP_MAX_MS));
  }

  [Symbol.dispose](): void {
    if (this.peer !== undefined) this.peer.peer = undefined;
    this.peer = undefined;
    this.#backend[Symbol.dispose]();
    this.stack[Symbol.dispose]();
  }

  /** Runs this stack on behalf of the other side. */
  #follow(nowUs: number): number {
    const { stack } = this;
    const moved = stack.exports.poll(nowUs, RECEIVE_BUDGET);
    const { words } = stack;
    const completed =
      words[CONTROL_COMPLETION_PRODUCER >>> 2] !== words[CONTROL_COMPLETION_CONSUMER >>> 2];
    if (moved > 0 || completed) {
      const wake = this.#wake;
      this.#wake = undefined;
      wake?.();
    }
    return moved;
  }
}

/** Joins two freshly opened stacks. */
export function joinStacks(
  stacks: readonly [Stack, Stack],
  addresses: readonly [InterfaceAddress, InterfaceAddress],
  options: LoopbackOptions = {},
): [LibOs, LibOs] {
  const [one, two] = loopbackPair(options);
  const first = new LoopbackLibOs(stacks[0], one, addresses[0]);
  const second = new LoopbackLibOs(stacks[1], two, addresses[1]);
  first.peer = second;
  second.peer = first;
  return [first, second];
}
