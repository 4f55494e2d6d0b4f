/** A libOS of our own stack over one NIC backend: interface 0 of the stack is the device. */
import type { Backend } from "../../shims/contract";
import type { InterfaceOptions, Stack } from "../wasm/stack";
import type { LibOs } from "./libos";

/** Packets that one poll takes from the device at most. */
const RECEIVE_BUDGET = 256;

/** How to sleep on a backend's readiness descriptor; the shims know, this side is told. */
export interface Sleeper extends Disposable {
  /** Calls `wake` once when `fd` turns readable; false when that is not possible. */
  arm(fd: number, wake: () => void): boolean;
  /** Blocks the thread until `fd` is readable, for at most `timeoutMs`. */
  sleep(fd: number | undefined, timeoutMs: number): void;
}

export type InterfaceAddress = Pick<InterfaceOptions, "address" | "prefix"> & {
  /** The MAC to answer to; undefined: the device's. */
  readonly mac?: Uint8Array | undefined;
  /** An upper limit on the device's MTU in bytes. */
  readonly mtu?: number | undefined;
};

/** Joins interface 0 of the stack to a device; returns where its tx ring's indexes are, in words. */
export function attachDevice(
  stack: Stack,
  backend: Backend,
  { address, prefix, mac, mtu }: InterfaceAddress,
): { producer: number; consumer: number } {
  const places = stack.places(0);
  const offsets = backend.attach(places);
  const device = backend.capabilities;
  const mtuBytes = Math.min(mtu ?? device.mtu, device.mtu);
  stack.attach(0, { ...device, mac: mac ?? device.mac, mtu: mtuBytes, address, prefix }, offsets);
  return {
    producer: (places.tx + offsets.producer) >>> 2,
    consumer: (places.tx + offsets.consumer) >>> 2,
  };
}

export class DeviceLibOs implements LibOs {
  readonly name: string;
  readonly stack: Stack;
  readonly #backend: Backend;
  readonly #sleeper: Sleeper;
  readonly #transmit: { producer: number; consumer: number };

  /** Takes stack, backend and sleeper over. */
  constructor(
    name: string,
    stack: Stack,
    backend: Backend,
    sleeper: Sleeper,
    address: InterfaceAddress,
  ) {
    this.name = name;
    this.stack = stack;
    this.#backend = backend;
    this.#sleeper = sleeper;
    this.#transmit = attachDevice(stack, backend, address);
  }

  get deviceStatistics(): Readonly<Record<string, number>> {
    return this.#backend.statistics();
  }

  poll(nowUs: number): number {
    return this.#backend.poll() + this.stack.exports.poll(nowUs, RECEIVE_BUDGET);
  }

  flush(): number {
    this.stack.exports.flush();
    return this.#unsent() ? this.#backend.transmit() : 0;
  }

  arm(wake: () => void): boolean {
    const { readiness } = this.#backend;
    // Readiness tells of packets to receive only; a device that refused packets must be asked again.
    if (readiness === undefined || this.#unsent()) return false;
    return this.#sleeper.arm(readiness, wake);
  }

  sleep(timeoutMs: number): void {
    this.#sleeper.sleep(
      this.#backend.readiness,
      this.#unsent() ? Math.min(timeoutMs, 1) : timeoutMs,
    );
  }

  [Symbol.dispose](): void {
    this.#sleeper[Symbol.dispose]();
    this.#backend[Symbol.dispose]();
    this.stack[Symbol.dispose]();
  }

  #unsent(): boolean {
    const { words } = this.stack;
    return words[this.#transmit.producer] !== words[this.#transmit.consumer];
  }
}
