/** The application at one end of the split benchmarks: it drives a stack's exports by itself. */
import {
  COMPLETION_ACCEPTED,
  COMPLETION_BYTES,
  COMPLETION_FRAME,
  COMPLETION_OPCODE,
  COMPLETION_QD,
  COMPLETION_SIZE,
  CONTROL_COMPLETION_CONSUMER,
  CONTROL_COMPLETION_PRODUCER,
  FRAME_LENGTH,
  FRAME_NEXT,
  FRAME_OFFSET,
  FRAME_RECORD_SHIFT,
  FRAME_SHIFT,
  OPCODE_FAILED,
} from "../../assembly/layout";
import { defaultOffsets } from "../../shims/ring";
import type { StackExports } from "../../src/wasm/exports";
import { Stack } from "../../src/wasm/stack";
import { type Bytes, bytesOf, copyBytes } from "./bytes";
import { benchOptions, plainInterface } from "./stack-options";

const BUDGET = 64;
const APPLICATION_BYTES = 65536;

export class Host {
  readonly stack: Stack;
  readonly exports: StackExports;
  /** What the completion read last says. */
  opcode = 0;
  qd = 0;
  accepted = 0;
  bytes = 0;
  #frame = 0;
  #clockUs = 0;
  #consumer = 0;
  readonly #memory: Bytes;
  readonly #halves: Uint16Array;
  /** What the application copies from and to; no array of a benchmark is larger. */
  readonly #application = bytesOf(new ArrayBuffer(APPLICATION_BYTES));

  /** End 0 or 1 of the wire, on an instance of the module. */
  constructor(index: 0 | 1, module: WebAssembly.Module) {
    this.stack = Stack.open(module, benchOptions, 0);
    this.exports = this.stack.exports;
    this.#memory = bytesOf(this.stack.memory.buffer as ArrayBuffer);
    this.#halves = this.stack.halves;
    this.stack.attach(0, plainInterface(index), defaultOffsets);
  }

  /** Moves the clock on by a microsecond, as if it were read; its time. */
  tick(): number {
    this.#clockUs++;
    return this.#clockUs;
  }

  poll(): void {
    this.exports.poll(this.tick(), BUDGET);
  }

  /** Reads the next completion into the fields above; false when there is none. */
  next(): boolean {
    const { words, map } = this.stack;
    if (words[CONTROL_COMPLETION_PRODUCER >>> 2] === this.#consumer) return false;
    const at = map.completions + (this.#consumer & map.completionMask) * COMPLETION_SIZE;
    this.opcode = words[(at + COMPLETION_OPCODE) >>> 2] as number;
    this.qd = words[(at + COMPLETION_QD) >>> 2] as number;
    this.accepted = words[(at + COMPLETION_ACCEPTED) >>> 2] as number;
    this.bytes = words[(at + COMPLETION_BYTES) >>> 2] as number;
    this.#frame = words[(at + COMPLETION_FRAME) >>> 2] as number;
    this.#consumer = (this.#consumer + 1) >>> 0;
    words[CONTROL_COMPLETION_CONSUMER >>> 2] = this.#consumer;
    if (this.opcode === OPCODE_FAILED) throw new Error("an operation failed");
    return true;
  }

  /** Copies `bytes` from the application into a new array and pushes it; false without frames. */
  pushCopy(qd: number, bytes: number): boolean {
    const array = this.exports.allocate(bytes);
    if (array === 0) return false;
    let taken = 0;
    for (let frame = array; frame !== 0; frame = this.#after(frame)) {
      const length = this.#length(frame);
      copyBytes(this.#application, taken, this.#memory, this.#data(frame), length);
      taken += length;
    }
    return this.exports.push(qd, array) > 0;
  }

  /** Copies the array popped last out to the application and releases it. */
  popCopy(): void {
    let taken = 0;
    for (let frame = this.#frame; frame !== 0; frame = this.#after(frame)) {
      const length = this.#length(frame);
      copyBytes(this.#memory, this.#data(frame), this.#application, taken, length);
      taken += length;
    }
    this.exports.release(this.#frame);
  }

  #after(frame: number): number {
    return this.stack.words[(frame + FRAME_NEXT) >>> 2] as number;
  }

  #length(frame: number): number {
    return this.#halves[(frame + FRAME_LENGTH) >>> 1] as number;
  }

  #data(frame: number): number {
    const { frameRecords, frames } = this.stack.map;
    const buffer = frames + (((frame - frameRecords) >>> FRAME_RECORD_SHIFT) << FRAME_SHIFT);
    return buffer + (this.#halves[(frame + FRAME_OFFSET) >>> 1] as number);
  }
}
