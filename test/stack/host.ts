/** A stack with one interface whose device is the test: it hands packets in and reads what goes out. */
import { readFileSync } from "node:fs";
import {
  COMPLETION_ACCEPTED,
  COMPLETION_ADDRESS,
  COMPLETION_BYTES,
  COMPLETION_ERRNO,
  COMPLETION_FRAME,
  COMPLETION_OPCODE,
  COMPLETION_PORT,
  COMPLETION_SIZE,
  COMPLETION_TOKEN,
  CONTROL_COMPLETION_CONSUMER,
  CONTROL_COMPLETION_PRODUCER,
  COUNTER_FRAMES_OUT,
  FRAME_LENGTH,
  FRAME_NEXT,
  FRAME_OFFSET,
  FRAME_RECORD_SIZE,
  FRAME_SIZE,
  METADATA_SIZE,
  OFFLOAD_CHECKSUM_PARTIAL,
  OFFLOAD_CHECKSUM_VERIFIED,
  OPTION_CONTINUED,
  OPTION_METADATA,
  RX_HEADROOM,
} from "../../assembly/layout";
import { DeviceRings, defaultOffsets } from "../../shims/ring";
import { loadIpv4, parseIpv4 } from "../../src/wasm/address";
import { type InterfaceOptions, Stack } from "../../src/wasm/stack";
import { defaultStackOptions, type StackOptions } from "../../src/wasm/stack-options";
import { hostAddress, hostMac } from "./packets";

const probe = new WebAssembly.Module(
  readFileSync(new URL("../../build/wasm/probe.wasm", import.meta.url)),
);

/** What assembly/probe.ts adds to the stack's exports. */
export interface ProbeExports {
  sumBytes(address: number, length: number): number;
  sumHeader(address: number): number;
  sumChain(packet: number, skip: number, bytes: number): number;
  pseudoHeaderSum(source: number, destination: number, protocol: number, length: number): number;
  sipHash24(k0: bigint, k1: bigint, a: bigint, b: bigint): bigint;
  seedRandom(seed: number): void;
  randomU32(): number;
  randomBelow(limit: number): number;
  portTake(protocol: number, port: number): void;
  portRelease(protocol: number, port: number): void;
  portInUse(protocol: number, port: number): number;
  portEphemeral(protocol: number, remoteAddress: number, remotePort: number): number;
}

export interface Completion {
  readonly token: number;
  readonly opcode: number;
  readonly errno: number;
  readonly bytes: number;
  /** Frame record of the popped array, 0 for none; `take` reads and releases it. */
  readonly frame: number;
  readonly address: number;
  readonly port: number;
  /** Queue descriptor of the accepted connection. */
  readonly accepted: number;
}

export interface SentPacket {
  readonly bytes: Uint8Array;
  /** The 24 bytes before the packet when its first descriptor announced them. */
  readonly metadata: DataView | undefined;
  /** Descriptors it took. */
  readonly pieces: number;
}

export interface SendOptions {
  /** Bytes in each frame; the rest goes into the last one. */
  readonly split?: readonly number[];
  readonly checksum?: "verified" | "partial";
}

const small: StackOptions = {
  ...defaultStackOptions,
  frames: 2048,
  connections: 64,
  queues: 64,
  tokens: 1024,
  datagramSockets: 32,
  neighbours: 16,
  ringEntries: 512,
  reassemblySets: 4,
  receiveBufferBytes: 1 << 20,
  receiveBufferMaxBytes: 0,
  sendBufferBytes: 1 << 20,
  sendBufferMaxBytes: 0,
  quickAcks: false,
  seed: Uint8Array.from({ length: 64 }, (_, index) => index * 7 + 1),
};

const plainDevice: InterfaceOptions = {
  mac: hostMac,
  mtu: 1500,
  checksum: false,
  segmentMax: 0,
  chainMax: 16,
  postedMax: 0,
  partialReceive: false,
  sharedRings: false,
  address: parseIpv4(hostAddress, "test"),
  prefix: 24,
};

export class Host {
  readonly stack: Stack;
  readonly probe: ProbeExports;
  readonly rings: DeviceRings;
  nowUs = 1_000_000;
  readonly #view: DataView;

  constructor(options: Partial<StackOptions> = {}, device: Partial<InterfaceOptions> = {}) {
    this.stack = Stack.open(probe, { ...small, ...options }, this.nowUs);
    this.probe = this.stack.exports as unknown as ProbeExports;
    this.#view = new DataView(this.stack.memory.buffer);
    this.stack.attach(0, { ...plainDevice, ...device }, defaultOffsets);
    this.rings = new DeviceRings(this.stack.places(0));
    this.poll();
    this.sent();
  }

  /** One round of the stack at the present time. */
  poll(): void {
    this.stack.exports.poll(this.nowUs, 256);
  }

  /** Lets time pass in steps, polling after each, so that every timer in between runs. */
  advance(microseconds: number, stepUs = 100_000): void {
    const end = this.nowUs + microseconds;
    while (this.nowUs < end) {
      this.nowUs = Math.min(end, this.nowUs + stepUs);
      this.poll();
    }
  }

  /** Hands a packet to the stack and polls. */
  send(packet: Uint8Array, options: SendOptions = {}): void {
    const { rx, fill } = this.rings;
    const pieces = cut(packet, options.split ?? []);
    if (fill.available() < pieces.length) throw new Error("the stack has posted too few frames");
    pieces.forEach((piece, index) => {
      const address = fill.address(fill.own + index) + RX_HEADROOM;
      this.stack.bytes.set(piece, this.stack.map.frames + address);
      const more = index < pieces.length - 1 ? OPTION_CONTINUED : 0;
      const metadata = index === 0 && options.checksum !== undefined ? OPTION_METADATA : 0;
      if (metadata !== 0) this.#writeMetadata(address, options.checksum);
      rx.setDescriptor(rx.own + index, address, piece.length, more | metadata);
    });
    this.rings.publishReceived(pieces.length);
    this.poll();
  }

  #writeMetadata(address: number, checksum: SendOptions["checksum"]): void {
    const flags = checksum === "partial" ? OFFLOAD_CHECKSUM_PARTIAL : OFFLOAD_CHECKSUM_VERIFIED;
    const at = this.stack.map.frames + address - METADATA_SIZE;
    this.#view.setBigUint64(at, BigInt(flags), true);
  }

  /** Takes everything the stack has sent since the last call. */
  sent(): SentPacket[] {
    this.stack.exports.flush();
    const { tx } = this.rings;
    const ready = tx.available();
    const packets: SentPacket[] = [];
    let pieces: Uint8Array[] = [];
    let metadata: DataView | undefined;
    for (let index = 0; index < ready; index++) {
      const at = this.stack.map.frames + tx.descriptorAddress(tx.own + index);
      const options = tx.descriptorOptions(tx.own + index);
      pieces.push(this.stack.bytes.slice(at, at + tx.descriptorLength(tx.own + index)));
      if ((options & OPTION_METADATA) !== 0) {
        metadata = new DataView(this.stack.memory.buffer.slice(at - METADATA_SIZE, at));
      }
      if ((options & OPTION_CONTINUED) !== 0) continue;
      packets.push({ bytes: join(pieces), metadata, pieces: pieces.length });
      pieces = [];
      metadata = undefined;
    }
    this.rings.complete(0, ready);
    this.rings.publishSent(ready);
    this.poll();
    return packets;
  }

  /** The one packet the stack has sent since the last call; throws when there are more or none. */
  sentOne(): SentPacket {
    const [packet, ...rest] = this.sent();
    if (packet === undefined || rest.length > 0) throw new Error("not exactly one packet was sent");
    return packet;
  }

  /** Sends a packet and takes what the stack answers. */
  exchange(packet: Uint8Array, options: SendOptions = {}): Uint8Array[] {
    this.send(packet, options);
    return this.sent().map(({ bytes }) => bytes);
  }

  counter(index: number): number {
    return this.stack.counter(index);
  }

  /** Frames that are neither free nor posted to the device. */
  framesOut(): number {
    this.stack.exports.measure();
    return this.counter(COUNTER_FRAMES_OUT);
  }

  /** Takes the completions since the last call. */
  completions(): Completion[] {
    const { words, bytes, map } = this.stack;
    const producer = words[CONTROL_COMPLETION_PRODUCER >>> 2] as number;
    let consumer = words[CONTROL_COMPLETION_CONSUMER >>> 2] as number;
    const taken: Completion[] = [];
    while (consumer !== producer) {
      const at = map.completions + (consumer & map.completionMask) * COMPLETION_SIZE;
      const word = (offset: number) => words[(at + offset) >>> 2] as number;
      taken.push({
        token: this.#view.getFloat64(at + COMPLETION_TOKEN, true),
        opcode: word(COMPLETION_OPCODE),
        errno: word(COMPLETION_ERRNO),
        bytes: word(COMPLETION_BYTES),
        frame: word(COMPLETION_FRAME),
        address: loadIpv4(bytes, at + COMPLETION_ADDRESS),
        port: word(COMPLETION_PORT),
        accepted: word(COMPLETION_ACCEPTED),
      });
      consumer = (consumer + 1) >>> 0;
    }
    words[CONTROL_COMPLETION_CONSUMER >>> 2] = consumer;
    return taken;
  }

  /** The one completion since the last call; throws when there are more or none. */
  completion(): Completion {
    const [completion, ...rest] = this.completions();
    if (completion === undefined || rest.length > 0) throw new Error("not exactly one completion");
    return completion;
  }

  /** The bytes of a popped array, which is released. */
  take(frame: number): Uint8Array {
    const bytes = this.#readChain(frame);
    this.stack.exports.release(frame);
    return bytes;
  }

  /** Allocates an array with these contents. */
  array(contents: Uint8Array): number {
    const frame = this.stack.exports.allocate(contents.length);
    if (frame === 0) throw new Error("no frames");
    let at = 0;
    for (const [start, length] of this.#pieces(frame)) {
      this.stack.bytes.set(contents.subarray(at, at + length), start);
      at += length;
    }
    return frame;
  }

  #readChain(frame: number): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (const [start, length] of this.#pieces(frame)) {
      pieces.push(this.stack.bytes.slice(start, start + length));
    }
    return join(pieces);
  }

  /** Address and length of each frame's data. */
  *#pieces(first: number): Generator<[start: number, length: number]> {
    const { map } = this.stack;
    for (let frame = first; frame !== 0; frame = this.#view.getUint32(frame + FRAME_NEXT, true)) {
      const index = (frame - map.frameRecords) / FRAME_RECORD_SIZE;
      const offset = this.#view.getUint16(frame + FRAME_OFFSET, true);
      yield [
        map.frames + index * FRAME_SIZE + offset,
        this.#view.getUint16(frame + FRAME_LENGTH, true),
      ];
    }
  }
}

function cut(packet: Uint8Array, split: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of split) {
    pieces.push(packet.subarray(at, at + length));
    at += length;
  }
  const room = FRAME_SIZE - RX_HEADROOM;
  do {
    pieces.push(packet.subarray(at, at + room));
    at += room;
  } while (at < packet.length);
  return pieces;
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
