/**
 * One instance of the stack: its memory, its exports and the places it told at open. Nothing here
 * is specific to Bun; it runs wherever WebAssembly with SIMD does.
 */
import { type Imports, instantiate, instantiateSync } from "@assemblyscript/loader";
import {
  CAPABILITY_CHAINS,
  CAPABILITY_CHECKSUM,
  CAPABILITY_PARTIAL_RECEIVE,
  CAPABILITY_SEGMENTATION,
  CAPABILITY_SHARED_RINGS,
  CONTROL_ADDRESS,
  CONTROL_FAST_OPEN_KEY,
  CONTROL_MAC,
  CONTROL_MAP,
  CONTROL_PORT,
  FRAME_SIZE,
  INTERFACE_ADDRESS,
  INTERFACE_CAPABILITIES,
  INTERFACE_CHAIN_MAX,
  INTERFACE_MAC,
  INTERFACE_MTU,
  INTERFACE_POSTED_MAX,
  INTERFACE_PREFIX,
  INTERFACE_SEGMENT_MAX,
  INTERFACE_SIZE,
  MAP_COMPLETION_MASK,
  MAP_COMPLETIONS,
  MAP_CONNECTION_RECORDS,
  MAP_COUNTERS,
  MAP_FRAME_RECORDS,
  MAP_FRAMES,
  MAP_INTERFACES,
  MAP_QUEUE_RECORDS,
  MAP_RING_STRIDE,
  MAP_RINGS,
  RING_COMPLETION,
  RING_COUNT,
  RING_FILL,
  RING_RX,
  RING_TX,
} from "../../assembly/layout";
import { fail } from "../errors";
import { loadIpv4, storeIpv4 } from "./address";
import { fastOpenKeyBytes } from "./fast-open-key";
import type { StackExports } from "./exports";
import { type StackOptions, stackMemoryBytes, writeStackOptions } from "./stack-options";

/** Addresses in linear memory that the stack told at open. */
export interface StackMap {
  readonly interfaces: number;
  readonly rings: number;
  readonly ringStride: number;
  readonly completions: number;
  readonly completionMask: number;
  readonly frameRecords: number;
  readonly frames: number;
  readonly counters: number;
  readonly connectionRecords: number;
  readonly queueRecords: number;
}

/** What a device is, as the stack needs to know it. */
export interface InterfaceOptions {
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly checksum: boolean;
  readonly segmentMax: number;
  readonly chainMax: number;
  /** Frames to keep posted for receiving; 0: as many as the ring holds. */
  readonly postedMax: number;
  readonly partialReceive: boolean;
  readonly sharedRings: boolean;
  /** IPv4 address of the stack on this interface. */
  readonly address: number;
  readonly prefix: number;
}

/** Memories whose addresses a device may hold: kept reachable so that no collection unmaps them. */
const held = new Set<WebAssembly.Memory>();

export class Stack implements Disposable {
  readonly memory: WebAssembly.Memory;
  readonly exports: StackExports;
  readonly options: StackOptions;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  readonly map: StackMap;

  private constructor(
    memory: WebAssembly.Memory,
    exports: StackExports,
    options: StackOptions,
    nowUs: number,
  ) {
    this.memory = memory;
    this.exports = exports;
    this.options = options;
    const buffer = memory.buffer as ArrayBuffer;
    this.bytes = new Uint8Array(buffer);
    this.halves = new Uint16Array(buffer);
    this.words = new Uint32Array(buffer);
    this.doubles = new Float64Array(buffer);
    writeStackOptions(memory, options);
    this.check("open", exports.open(nowUs));
    this.map = this.#readMap();
    if (options.fastOpenKeys !== undefined) this.setFastOpenKeys(options.fastOpenKeys);
    held.add(memory);
  }

  /**
   * Instantiates a compiled module. `nowUs` is the host's monotonic clock. `memory` may be that of a
   * stack that is gone, filled with zeros, of `stackMemoryBytes` of these options: an engine takes
   * milliseconds to map a new one.
   */
  static open(
    module: WebAssembly.Module,
    options: StackOptions,
    nowUs: number,
    memory: WebAssembly.Memory = createMemory(options),
  ): Stack {
    const { instance } = instantiateSync(module, imports(memory));
    return new Stack(memory, instance.exports as unknown as StackExports, options, nowUs);
  }

  /** The same for hosts that forbid large synchronous compilation (a browser's main thread). */
  static async openAsync(
    source: WebAssembly.Module | BufferSource | Response,
    options: StackOptions,
    nowUs: () => number,
  ): Promise<Stack> {
    const memory = createMemory(options);
    const { instance } = await instantiate(source, imports(memory));
    return new Stack(memory, instance.exports as unknown as StackExports, options, nowUs());
  }

  /** Returns a result that is not negative; throws the errno that a negative one is. */
  check(operation: string, result: number, hint?: string): number {
    if (result < 0) fail(operation, -result, hint);
    return result;
  }

  /** Earliest time at which a timer must run, in microseconds of the host's clock; or Infinity. */
  get deadlineUs(): number {
    return this.exports.nextDeadline();
  }

  /** Where interface `index` has its rings, and the frame region: what a backend attaches to. */
  places(index: number) {
    const { rings, ringStride, frames } = this.map;
    const ring = (kind: number) => rings + (index * RING_COUNT + kind) * ringStride;
    return {
      memory: this.memory,
      rx: ring(RING_RX),
      tx: ring(RING_TX),
      fill: ring(RING_FILL),
      completion: ring(RING_COMPLETION),
      ringBytes: ringStride,
      entries: this.options.ringEntries,
      frames,
      framesBytes: (this.options.frames + 1) * FRAME_SIZE,
    };
  }

  /** Brings interface `index` up on the ring offsets that its backend told. */
  attach(
    index: number,
    options: InterfaceOptions,
    offsets: { producer: number; consumer: number; flags: number; descriptors: number },
  ): void {
    const record = this.map.interfaces + index * INTERFACE_SIZE;
    this.bytes.set(options.mac, record + INTERFACE_MAC);
    this.bytes[record + INTERFACE_PREFIX] = options.prefix;
    storeIpv4(this.bytes, record + INTERFACE_ADDRESS, options.address);
    const capabilities =
      (options.checksum ? CAPABILITY_CHECKSUM : 0) |
      (options.segmentMax > 0 ? CAPABILITY_SEGMENTATION : 0) |
      (options.chainMax > 1 ? CAPABILITY_CHAINS : 0) |
      (options.partialReceive ? CAPABILITY_PARTIAL_RECEIVE : 0) |
      (options.sharedRings ? CAPABILITY_SHARED_RINGS : 0);
    this.words[(record + INTERFACE_MTU) >>> 2] = options.mtu;
    this.words[(record + INTERFACE_CAPABILITIES) >>> 2] = capabilities;
    this.words[(record + INTERFACE_SEGMENT_MAX) >>> 2] = options.segmentMax || options.mtu;
    this.words[(record + INTERFACE_CHAIN_MAX) >>> 2] = options.chainMax;
    this.words[(record + INTERFACE_POSTED_MAX) >>> 2] = options.postedMax;
    const { producer, consumer, flags, descriptors } = offsets;
    this.check("attach", this.exports.attach(index, producer, consumer, flags, descriptors));
  }

  setGateway(index: number, address: number): void {
    this.writeAddress(address);
    this.check("gateway", this.exports.gatewaySet(index));
  }

  /** Adds a static ARP entry. */
  setNeighbour(index: number, address: number, mac: Uint8Array): void {
    this.writeAddress(address);
    this.bytes.set(mac, CONTROL_MAC);
    this.check("arp table", this.exports.neighbourSet(index));
  }

  /**
   * Makes the cookies of Fast Open by another key (see StackOptions); a single one leaves those of the
   * key before it good. Throws EINVAL.
   */
  setFastOpenKeys(text: string): void {
    for (const key of fastOpenKeyBytes(text).reverse()) {
      this.bytes.set(key, CONTROL_FAST_OPEN_KEY);
      this.exports.fastOpenKeySet();
    }
  }

  /** Puts an address where the next call takes it from. */
  writeAddress(address: number): void {
    storeIpv4(this.bytes, CONTROL_ADDRESS, address);
  }

  /** The address that the last call left. */
  readAddress(): number {
    return loadIpv4(this.bytes, CONTROL_ADDRESS);
  }

  /** The port that the last call left. */
  readPort(): number {
    return this.words[CONTROL_PORT >>> 2] as number;
  }

  /** Counter number `index`; exact up to 2^53. */
  counter(index: number): number {
    const at = (this.map.counters >>> 2) + index * 2;
    return (this.words[at] as number) + (this.words[at + 1] as number) * 2 ** 32;
  }

  /** Lets the memory go. No device may hold an address in it any more. */
  [Symbol.dispose](): void {
    held.delete(this.memory);
  }

  #readMap(): StackMap {
    const word = (offset: number) => this.words[(CONTROL_MAP + offset) >>> 2] as number;
    return {
      interfaces: word(MAP_INTERFACES),
      rings: word(MAP_RINGS),
      ringStride: word(MAP_RING_STRIDE),
      completions: word(MAP_COMPLETIONS),
      completionMask: word(MAP_COMPLETION_MASK),
      frameRecords: word(MAP_FRAME_RECORDS),
      frames: word(MAP_FRAMES),
      counters: word(MAP_COUNTERS),
      connectionRecords: word(MAP_CONNECTION_RECORDS),
      queueRecords: word(MAP_QUEUE_RECORDS),
    };
  }
}

function createMemory(options: StackOptions): WebAssembly.Memory {
  const pages = stackMemoryBytes(options) / 65536;
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}

/** The loader adds `abort`, which turns an assertion's address into its text and place. */
function imports(memory: WebAssembly.Memory): Imports {
  return { env: { memory } };
}
