/** A stack in virtual time: its clock moves only when the script lets it, from event to event. */
import {
  COMPLETION_ACCEPTED,
  COMPLETION_ADDRESS,
  COMPLETION_BYTES,
  COMPLETION_ERRNO,
  COMPLETION_FRAME,
  COMPLETION_PORT,
  COMPLETION_SIZE,
  COMPLETION_TOKEN,
  CONTROL_COMPLETION_CONSUMER,
  CONTROL_COMPLETION_PRODUCER,
} from "../../../assembly/layout";
import { formatIpv4, loadIpv4 } from "../../wasm/address";
import { Connections } from "../../wasm/connections";
import { Stack } from "../../wasm/stack";
import { type StackOptions, stackMemoryBytes } from "../../wasm/stack-options";
import { StackDevice } from "./stack-device";
import type { SentPacket, SocketAddress, TargetOptions } from "./target";

/** The stack's clock at the script's time zero. */
export const START_US = 1_000_000;
const POLL_BUDGET = 256;

/** What an operation's token resolved to. */
export interface Completion {
  /** Positive; 0 when the operation succeeded. */
  readonly errno: number;
  readonly bytes: number;
  /** Frame record of the popped array, 0 for none. */
  readonly frame: number;
  readonly accepted: number;
  readonly peer: SocketAddress;
}

/** Memories of stacks that are gone, zeroed, by their bytes; a few, since runs follow each other. */
const spare = new Map<number, WebAssembly.Memory[]>();
const SPARE_MAX = 4;

function takeMemory(options: StackOptions): WebAssembly.Memory | undefined {
  return spare.get(stackMemoryBytes(options))?.pop();
}

function giveMemory(memory: WebAssembly.Memory): void {
  const bytes = memory.buffer.byteLength;
  const memories = spare.get(bytes) ?? [];
  spare.set(bytes, memories);
  if (memories.length >= SPARE_MAX) return;
  new Uint8Array(memory.buffer).fill(0);
  memories.push(memory);
}

export class StackMachine implements Disposable {
  readonly stack: Stack;
  readonly device: StackDevice;
  readonly connections: Connections;
  nowUs = 0;
  /** Called after every round of the stack, to move blocked calls on. */
  progress: () => void = () => {};
  readonly #sent: SentPacket[] = [];
  readonly #completions = new Map<number, Completion>();
  readonly #ignored = new Set<number>();
  readonly #view: DataView;

  constructor(module: WebAssembly.Module, stackOptions: StackOptions, options: TargetOptions) {
    this.stack = Stack.open(module, stackOptions, START_US, takeMemory(stackOptions));
    this.#view = new DataView(this.stack.memory.buffer);
    this.connections = new Connections(this.stack);
    this.device = new StackDevice(this.stack, options);
    this.poll();
  }

  /** The stack's own clock. */
  get stackNowUs(): number {
    return START_US + this.nowUs;
  }

  inject(packet: Uint8Array): void {
    this.device.receive(packet);
    this.poll();
  }

  /** The oldest packet sent; lets time pass from timer to timer until there is one. */
  nextPacket(untilUs: number): SentPacket | undefined {
    while (this.#sent.length === 0 && this.nowUs < untilUs) this.#step(untilUs);
    return this.#sent.shift();
  }

  advance(untilUs: number): void {
    while (this.nowUs < untilUs) this.#step(untilUs);
  }

  /** Lets time pass until `isDone` says so or the time comes. */
  advanceWhile(isWaiting: () => boolean, untilUs: number): void {
    while (isWaiting() && this.nowUs < untilUs) this.#step(untilUs);
  }

  /** When a blocked call has to look at the clock again. */
  wakeUs: () => number = () => Number.POSITIVE_INFINITY;

  #step(untilUs: number): void {
    const timer = Math.ceil(this.stack.deadlineUs) - START_US;
    const next = Math.min(untilUs, Math.max(timer, this.nowUs + 1), this.wakeUs());
    this.nowUs = Math.max(this.nowUs, next);
    this.poll();
  }

  /** One round at the present time; packets and completions are collected. */
  poll(): void {
    this.stack.exports.poll(START_US + this.nowUs, POLL_BUDGET);
    this.#collect();
    this.progress();
    this.flush();
  }

  /** Sends what operations made ready, and collects what that brought. */
  flush(): void {
    this.stack.exports.flush();
    this.#collect();
  }

  /** The result of an operation that has completed, once. */
  result(token: number): Completion | undefined {
    const completion = this.#completions.get(token);
    this.#completions.delete(token);
    return completion;
  }

  /** Nobody will ask for the operation's result. */
  ignore(token: number): void {
    if (token <= 0) return;
    if (!this.#completions.delete(token)) this.#ignored.add(token);
  }

  #collect(): void {
    const packets = this.device.sent();
    for (const bytes of packets) this.#sent.push({ timeUs: this.nowUs, bytes });
    const { words, map } = this.stack;
    const producer = words[CONTROL_COMPLETION_PRODUCER >>> 2] as number;
    let consumer = words[CONTROL_COMPLETION_CONSUMER >>> 2] as number;
    while (consumer !== producer) {
      this.#take(map.completions + (consumer & map.completionMask) * COMPLETION_SIZE);
      consumer = (consumer + 1) >>> 0;
    }
    words[CONTROL_COMPLETION_CONSUMER >>> 2] = consumer;
    if (packets.length === 0) return;
    // Frames given back let the stack send on.
    this.stack.exports.poll(START_US + this.nowUs, POLL_BUDGET);
    this.#collect();
  }

  /** Lets the stack go; nothing of it may be used any more. */
  [Symbol.dispose](): void {
    this.stack[Symbol.dispose]();
    giveMemory(this.stack.memory);
  }

  #take(at: number): void {
    const word = (offset: number) => this.stack.words[(at + offset) >>> 2] as number;
    const token = this.#view.getFloat64(at + COMPLETION_TOKEN, true);
    const frame = word(COMPLETION_FRAME);
    if (this.#ignored.delete(token)) {
      if (frame !== 0) this.stack.exports.release(frame);
      return;
    }
    const address = formatIpv4(loadIpv4(this.stack.bytes, at + COMPLETION_ADDRESS));
    this.#completions.set(token, {
      errno: word(COMPLETION_ERRNO),
      bytes: word(COMPLETION_BYTES),
      frame,
      accepted: word(COMPLETION_ACCEPTED),
      peer: { family: "ipv4", address, port: word(COMPLETION_PORT) },
    });
  }
}
