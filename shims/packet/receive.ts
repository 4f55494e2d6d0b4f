/**
 * Receives batches from a packet socket straight into posted frames.
 *
 * A message must be given its frames before its length is known. While packets are small each
 * message is given one frame and a spill, and what runs over is copied. After a packet that ran
 * over, messages are given the frames of a whole super-frame until small packets prevail again.
 * Frames that a message did not need move behind the used ones in the fill ring.
 */
import { ERRNO_EAGAIN, FRAME_SIZE, RX_HEADROOM, TX_HEADROOM } from "../../assembly/layout";
import type { RingPlaces } from "../contract";
import { memcpy, memoryAddress, recvmmsg, Struct } from "../libc";
import {
  type DeviceRings,
  FIRST_BYTES,
  framesOf,
  PACKET_BYTES,
  PACKET_FRAMES,
  REST_BYTES,
} from "../ring";
import { Vectors } from "../vectors";
import { readVirtioHeader, VIRTIO_HEADER_SIZE } from "../virtio";
import { Messages } from "./messages";

const BATCH_MIN = 4;
const BATCH_MAX = 64;
/** Super-frames in one batch at most. */
const BATCH_LARGE = 16;
/** Batches in a row of one-frame packets before messages are given one frame again. */
const CALM_BATCHES = 16;
const HEADER_START = RX_HEADROOM - VIRTIO_HEADER_SIZE;
/** Vectors of one message: a super-frame's frames and the spill. */
const MESSAGE_VECTORS = PACKET_FRAMES + 1;

export class PacketReceiver {
  packets = 0;
  /** Packets lost because too few frames were posted for them. */
  dropped = 0;
  errors = 0;
  readonly #fd: number;
  readonly #rings: DeviceRings;
  readonly #memory: DataView;
  readonly #frames: number;
  readonly #framesAddress: number;
  readonly #messages = new Messages(BATCH_MAX);
  readonly #vectors = new Vectors(BATCH_MAX * MESSAGE_VECTORS);
  readonly #spills = new Struct(BATCH_MAX * PACKET_BYTES);
  /** Addresses of the frames given to the batch, in order. */
  readonly #given = new Uint32Array(BATCH_MAX * PACKET_FRAMES);
  /** Addresses of those among them that were not needed. */
  readonly #unused = new Uint32Array(BATCH_MAX * PACKET_FRAMES);
  #unusedCount = 0;
  /** Messages to ask for: grows with the load, so that an idle poll prepares little. */
  #batch = BATCH_MIN;
  #framesEach = 1;
  #calm = 0;
  /** What is prepared already, of which ring position and how many frames a message. */
  #prepared = 0;
  #preparedOwn = -1;
  #preparedEach = 0;

  constructor(fd: number, rings: DeviceRings, places: RingPlaces) {
    this.#fd = fd;
    this.#rings = rings;
    this.#memory = new DataView(places.memory.buffer);
    this.#frames = places.frames;
    this.#framesAddress = memoryAddress(places.memory) + places.frames;
  }

  /** Receives one batch; returns the packets taken off the socket. */
  receive(): number {
    const { rx, fill } = this.#rings;
    const usable = Math.min(fill.available(), rx.room());
    if (usable === 0) return 0;
    const each = Math.min(this.#framesEach, usable);
    const count = Math.min(this.#batch, Math.floor(usable / each));
    this.#prepareAll(count, each);
    const received = recvmmsg(this.#fd, this.#messages.address, count);
    if (received <= 0) {
      if (received < 0 && received !== -ERRNO_EAGAIN) this.errors++;
      return 0;
    }
    this.#preparedOwn = -1;
    this.#rings.publishReceived(this.#deliverAll(received, each, usable));
    this.#adapt(received, count);
    return received;
  }

  #prepareAll(count: number, each: number): void {
    const { own } = this.#rings.fill;
    if (own !== this.#preparedOwn || each !== this.#preparedEach) this.#prepared = 0;
    this.#preparedOwn = own;
    this.#preparedEach = each;
    while (this.#prepared < count) this.#prepare(this.#prepared++, each);
  }

  /** Describes `each` posted frames and a spill as message `message`. */
  #prepare(message: number, each: number): void {
    const { fill } = this.#rings;
    const base = message * MESSAGE_VECTORS;
    for (let index = 0; index < each; index++) {
      const given = message * each + index;
      const frame = fill.address(fill.own + given);
      this.#given[given] = frame;
      const start = index === 0 ? HEADER_START : TX_HEADROOM;
      this.#vectors.set(base + index, this.#framesAddress + frame + start, FRAME_SIZE - start);
    }
    this.#vectors.set(base + each, this.#spillAddress(message), PACKET_BYTES);
    this.#messages.set(message, this.#vectors.at(base), each + 1);
  }

  #spillAddress(message: number): number {
    return this.#spills.address + message * PACKET_BYTES;
  }

  /** Hands up the batch's packets and sorts the fill ring's front; returns the frames used. */
  #deliverAll(received: number, each: number, usable: number): number {
    const { fill } = this.#rings;
    let used = 0;
    let spare = received * each;
    this.#unusedCount = 0;
    for (let message = 0; message < received; message++) {
      const bytes = this.#messages.length(message) - VIRTIO_HEADER_SIZE;
      const frames = bytes > 0 ? framesOf(bytes) : 0;
      const extra = Math.max(0, frames - each);
      const first = message * each;
      if (spare + extra > usable || bytes <= 0) {
        this.dropped++;
        this.#keep(first, first + each);
        continue;
      }
      for (let index = 0; index < frames - extra; index++) {
        fill.setAddress(fill.own + used + index, this.#given[first + index] as number);
      }
      this.#keep(first + frames - extra, first + each);
      if (extra > 0) this.#unspill(message, each, used + each, spare, bytes);
      spare += extra;
      used += this.#deliver(used, bytes);
    }
    for (let index = 0; index < this.#unusedCount; index++) {
      fill.setAddress(fill.own + used + index, this.#unused[index] as number);
    }
    return used;
  }

  #keep(from: number, to: number): void {
    for (let index = from; index < to; index++) {
      this.#unused[this.#unusedCount++] = this.#given[index] as number;
    }
  }

  /** Copies what ran over `each` frames to frames from position `spare`, moving them to `used`. */
  #unspill(message: number, each: number, used: number, spare: number, bytes: number): void {
    const { fill } = this.#rings;
    let left = bytes - FIRST_BYTES - (each - 1) * REST_BYTES;
    let from = this.#spillAddress(message);
    for (let index = 0; left > 0; index++) {
      const frame = fill.address(fill.own + spare + index);
      const length = Math.min(left, REST_BYTES);
      memcpy(this.#framesAddress + frame + TX_HEADROOM, from, length);
      fill.setAddress(fill.own + used + index, frame);
      from += length;
      left -= length;
    }
    this.#framesEach = PACKET_FRAMES;
  }

  #deliver(used: number, bytes: number): number {
    const { fill } = this.#rings;
    const data = this.#frames + fill.address(fill.own + used) + RX_HEADROOM;
    if (bytes > FIRST_BYTES) this.#calm = 0;
    this.packets++;
    return this.#rings.deliver(used, bytes, readVirtioHeader(this.#memory, data));
  }

  #adapt(received: number, count: number): void {
    if (++this.#calm > CALM_BATCHES) this.#framesEach = 1;
    const limit = this.#framesEach === 1 ? BATCH_MAX : BATCH_LARGE;
    const wanted = received === count ? count * 2 : received + 1;
    this.#batch = Math.min(limit, Math.max(BATCH_MIN, wanted));
  }
}
