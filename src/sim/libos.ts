/** The simulated libOS: our stack on a simulated device, in virtual time. */
import { CONTROL_COMPLETION_CONSUMER, CONTROL_COMPLETION_PRODUCER } from "../../assembly/layout";
import type { LibOs } from "../libos/libos";
import type { Stack } from "../wasm/stack";
import type { SimulatedDevice } from "./device";

const RECEIVE_BUDGET = 256;

export interface LibOsEvents {
  /** The stack has run: its records may have changed. `completed`: the application will hear of it. */
  ran(completed: boolean): void;
  /** The device took no more; asks to be polled again later. */
  blocked(): void;
  /** A blocking wait: runs the rest of the world until `untilMs` from now or `woken` answers true. */
  block(timeoutMs: number, woken: () => boolean): void;
}

export class SimulatedLibOs implements LibOs {
  readonly name = "simulated";
  readonly stack: Stack;
  readonly #device: SimulatedDevice;
  readonly #events: LibOsEvents;
  #wake: (() => void) | undefined;
  #packets = false;

  constructor(stack: Stack, device: SimulatedDevice, events: LibOsEvents) {
    this.stack = stack;
    this.#device = device;
    this.#events = events;
    device.attach(stack);
    device.onPacket = () => this.wake();
  }

  get deviceStatistics(): Readonly<Record<string, number>> {
    const { received, sent, overflowed } = this.#device;
    return { rxPackets: received, txPackets: sent, rxOverflow: overflowed };
  }

  poll(nowUs: number): number {
    this.#packets = false;
    const sent = this.#device.transmit();
    const received = this.stack.exports.poll(nowUs, RECEIVE_BUDGET);
    const { words } = this.stack;
    const producer = words[CONTROL_COMPLETION_PRODUCER >>> 2];
    this.#events.ran(producer !== words[CONTROL_COMPLETION_CONSUMER >>> 2]);
    return sent + received;
  }

  flush(): number {
    this.stack.exports.flush();
    const sent = this.#device.transmit();
    if (this.#device.isBlocked && this.#device.hasUnsent) this.#events.blocked();
    this.#events.ran(false);
    return sent;
  }

  arm(wake: () => void): boolean {
    // A packet that came after the last poll would find nobody to wake: poll again instead.
    if (this.#packets) return false;
    this.#wake = wake;
    return true;
  }

  wake(): void {
    this.#packets = true;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  sleep(timeoutMs: number): void {
    this.#events.block(timeoutMs, () => this.#packets);
  }

  [Symbol.dispose](): void {
    this.#device.detach();
    this.stack[Symbol.dispose]();
  }
}
