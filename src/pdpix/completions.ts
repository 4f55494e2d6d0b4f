/**
 * Pending operations and their results on this side of the completion ring. Each collection takes
 * all completions there are; each goes to the listener of its token, else to whoever waits for any,
 * else it is kept until somebody asks for it.
 */
import {
  COMPLETION_ACCEPTED,
  COMPLETION_ADDRESS,
  COMPLETION_BYTES,
  COMPLETION_ERRNO,
  COMPLETION_FRAME,
  COMPLETION_OPCODE,
  COMPLETION_PORT,
  COMPLETION_QD,
  COMPLETION_SIZE,
  CONTROL_COMPLETION_CONSUMER,
  CONTROL_COMPLETION_PRODUCER,
  ERRNO_EALREADY,
  ERRNO_EINVAL,
  ERRNO_EIO,
  OPCODE_ACCEPT,
  OPCODE_CLOSE,
  OPCODE_CONNECT,
  OPCODE_POP,
  OPCODE_PUSH,
  TOKEN_SLOTS,
} from "../../assembly/layout";
import { DemibunError } from "../errors";
import { loadIpv4 } from "../wasm/address";
import type { Stack } from "../wasm/stack";
import type { QueueDescriptor, QueueResult, QueueToken, SocketKind } from "./queue-result";
import { ScatterGatherArray } from "./scatter-gather-array";
import { SocketAddress } from "./socket-address";

/** Told of the completion of the tokens it listens to; must not throw. */
export interface CompletionListener {
  completed(result: QueueResult): void;
}

/** Told of completions nobody else listens to; returns false when it does not want it. */
export interface AnyListener {
  offered(result: QueueResult): boolean;
  /** All completions of one collection have been offered. */
  ended(): void;
}

/** The operation names of errors by opcode; "failed" completions know only their operation here. */
const operations = new Map<number, string>([
  [OPCODE_PUSH, "push"],
  [OPCODE_POP, "pop"],
  [OPCODE_ACCEPT, "accept"],
  [OPCODE_CONNECT, "connect"],
  [OPCODE_CLOSE, "close"],
]);

const SLOT_MASK = TOKEN_SLOTS - 1;
const PRODUCER = CONTROL_COMPLETION_PRODUCER >>> 2;
const CONSUMER = CONTROL_COMPLETION_CONSUMER >>> 2;

export class Completions {
  readonly #stack: Stack;
  /** By token slot: the pending token (0 for none), its opcode and who listens. */
  readonly #pending: Float64Array;
  readonly #opcodes: Uint8Array;
  readonly #listeners: (CompletionListener | undefined)[];
  readonly #results = new Map<QueueToken, QueueResult>();
  readonly #any: AnyListener[] = [];
  readonly #open = new Map<QueueDescriptor, SocketKind>();

  constructor(stack: Stack) {
    const { tokens } = stack.options;
    this.#stack = stack;
    this.#pending = new Float64Array(tokens);
    this.#opcodes = new Uint8Array(tokens);
    this.#listeners = new Array(tokens).fill(undefined);
  }

  /** Results that nobody has collected. */
  get uncollected(): number {
    return this.#results.size;
  }

  /** Descriptors that are the application's, with their kind. */
  get open(): ReadonlyMap<QueueDescriptor, SocketKind> {
    return this.#open;
  }

  opened(qd: QueueDescriptor, kind: SocketKind): void {
    this.#open.set(qd, kind);
  }

  closed(qd: QueueDescriptor): void {
    this.#open.delete(qd);
  }

  /** Notes an operation that the stack has accepted. */
  started(qt: QueueToken, opcode: number): void {
    const slot = qt & SLOT_MASK;
    this.#pending[slot] = qt;
    this.#opcodes[slot] = opcode;
  }

  /** Throws EINVAL for a token that is neither pending nor has a result to collect. */
  assertKnown(qt: QueueToken, operation: string): void {
    if (this.#results.has(qt) || (qt > 0 && this.#pending[qt & SLOT_MASK] === qt)) return;
    throw new DemibunError({
      operation,
      errno: ERRNO_EINVAL,
      detail: `token ${qt} is unknown or its result has been collected`,
    });
  }

  /** Takes the kept result of a token; undefined when there is none. */
  take(qt: QueueToken): QueueResult | undefined {
    if (this.#results.size === 0) return undefined;
    const result = this.#results.get(qt);
    if (result !== undefined) this.#results.delete(qt);
    return result;
  }

  /** Takes up to `countMax` kept results, oldest first. */
  takeNext(countMax: number): QueueResult[] {
    const taken: QueueResult[] = [];
    for (const [qt, result] of this.#results) {
      if (taken.length >= countMax) break;
      taken.push(result);
      this.#results.delete(qt);
    }
    return taken;
  }

  /** Sends the completion of a pending token to `listener`. Throws EALREADY when it has one. */
  listen(qt: QueueToken, listener: CompletionListener, operation: string): void {
    const slot = qt & SLOT_MASK;
    if (this.#listeners[slot] !== undefined) {
      throw new DemibunError({
        operation,
        errno: ERRNO_EALREADY,
        detail: `somebody waits for token ${qt} already`,
      });
    }
    this.#listeners[slot] = listener;
  }

  unlisten(qt: QueueToken, listener: CompletionListener): void {
    const slot = qt & SLOT_MASK;
    if (this.#listeners[slot] === listener) this.#listeners[slot] = undefined;
  }

  listenAny(listener: AnyListener): void {
    this.#any.push(listener);
  }

  unlistenAny(listener: AnyListener): void {
    const at = this.#any.indexOf(listener);
    if (at >= 0) this.#any.splice(at, 1);
  }

  /** Takes every completion in the ring; returns how many. */
  collect(): number {
    const { words, map } = this.#stack;
    let count = 0;
    // A listener may wait synchronously and so collect: the index is read anew for each completion.
    for (;;) {
      const consumer = words[CONSUMER] as number;
      if (consumer === words[PRODUCER]) break;
      const at = map.completions + (consumer & map.completionMask) * COMPLETION_SIZE;
      const result = this.#read(at);
      words[CONSUMER] = consumer + 1;
      count++;
      this.#deliver(result);
    }
    if (count > 0) for (const listener of this.#any.slice()) listener.ended();
    return count;
  }

  /** Fails every pending operation: the stack can complete nothing any more. */
  failAll(error: DemibunError): void {
    for (let slot = 0; slot < this.#pending.length; slot++) {
      const qt = this.#pending[slot] as QueueToken;
      if (qt === 0) continue;
      this.#deliver({ opcode: "failed", qd: 0 as QueueDescriptor, qt, error });
    }
    for (const listener of this.#any.slice()) listener.ended();
  }

  #deliver(result: QueueResult): void {
    const slot = result.qt & SLOT_MASK;
    this.#pending[slot] = 0;
    const listener = this.#listeners[slot];
    if (listener !== undefined) {
      this.#listeners[slot] = undefined;
      listener.completed(result);
      return;
    }
    for (const any of this.#any) if (any.offered(result)) return;
    this.#results.set(result.qt, result);
  }

  #read(at: number): QueueResult {
    const { words, doubles } = this.#stack;
    const word = at >>> 2;
    const qt = doubles[at >>> 3] as QueueToken;
    const qd = words[word + (COMPLETION_QD >>> 2)] as QueueDescriptor;
    switch (words[word + (COMPLETION_OPCODE >>> 2)]) {
      case OPCODE_PUSH:
        return { opcode: "push", qd, qt };
      case OPCODE_POP:
        return { opcode: "pop", qd, qt, sga: this.#readArray(at, qd) };
      case OPCODE_ACCEPT: {
        const accepted = words[word + (COMPLETION_ACCEPTED >>> 2)] as QueueDescriptor;
        this.#open.set(accepted, "stream");
        return { opcode: "accept", qd, qt, accepted, peer: this.#readPeer(at) };
      }
      case OPCODE_CONNECT:
        return { opcode: "connect", qd, qt };
      case OPCODE_CLOSE:
        return { opcode: "close", qd, qt };
      default: {
        const errno = (words[word + (COMPLETION_ERRNO >>> 2)] as number) || ERRNO_EIO;
        const opcode = this.#opcodes[qt & SLOT_MASK] as number;
        const operation = operations.get(opcode) ?? "operation";
        return { opcode: "failed", qd, qt, error: new DemibunError({ operation, errno }) };
      }
    }
  }

  #readArray(at: number, qd: QueueDescriptor): ScatterGatherArray {
    const { words } = this.#stack;
    const frame = words[(at + COMPLETION_FRAME) >>> 2] as number;
    const byteLength = words[(at + COMPLETION_BYTES) >>> 2] as number;
    const from = this.#open.get(qd) === "datagram" ? this.#readPeer(at) : undefined;
    return new ScatterGatherArray(this.#stack, frame, byteLength, from);
  }

  #readPeer(at: number): SocketAddress {
    const port = this.#stack.words[(at + COMPLETION_PORT) >>> 2] as number;
    return new SocketAddress(loadIpv4(this.#stack.bytes, at + COMPLETION_ADDRESS), port);
  }
}
