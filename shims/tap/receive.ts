/**
 * Reads packets from a TAP straight into posted frames. A window of frames from the front of the
 * fill ring is always described as vectors; what a packet did not need stays for the next one.
 */
import { ERRNO_EAGAIN, FRAME_SIZE, RX_HEADROOM, TX_HEADROOM } from "../../assembly/layout";
import type { RingPlaces } from "../contract";
import { memoryAddress, readv, Struct } from "../libc";
import { type DeviceRings, framesOf, PACKET_BYTES, PACKET_FRAMES, REST_BYTES } from "../ring";
import { Vectors } from "../vectors";
import { readVirtioHeader, VIRTIO_HEADER_SIZE } from "../virtio";

const WINDOW = PACKET_FRAMES;
const CAPACITY = 1024;
const BATCH = 64;

export class TapReceiver {
  packets = 0;
  /** Packets lost because too few frames were posted for them. */
  dropped = 0;
  errors = 0;
  readonly #fd: number;
  readonly #rings: DeviceRings;
  readonly #memory: DataView;
  readonly #frames: number;
  readonly #framesAddress: number;
  readonly #vectors = new Vectors(CAPACITY);
  /** Takes the end of a packet for which too few frames are posted, so that it is noticed. */
  readonly #spill = new Struct(PACKET_BYTES);
  /** Vectors `#head` to `#tail` describe the first frames of the fill ring. */
  #head = 0;
  #tail = 0;
  /** Packets to ask for next. */
  #expected = 1;

  constructor(fd: number, rings: DeviceRings, places: RingPlaces) {
    this.#fd = fd;
    this.#rings = rings;
    this.#memory = new DataView(places.memory.buffer);
    this.#frames = places.frames;
    this.#framesAddress = memoryAddress(places.memory) + places.frames;
  }

  /**
   * Reads one batch; returns how many packets were taken off the device. A TAP tells only by refusing
   * that nothing more waits. So that a lone packet costs one call, not two, the number asked for
   * follows what came: it doubles while it is met.
   */
  receive(): number {
    const taken = this.#read(this.#expected);
    this.#expected = taken === this.#expected ? Math.min(BATCH, taken * 2) : Math.max(1, taken);
    return taken;
  }

  #read(budget: number): number {
    const { rx, fill } = this.#rings;
    const posted = fill.available();
    const room = rx.room();
    let used = 0;
    let taken = 0;
    while (taken < budget) {
      const window = this.#extend(used, posted);
      if (window === 0 || room - used < window) break;
      const count = window < WINDOW ? window + 1 : window;
      const bytes = readv(this.#fd, this.#vectors.at(this.#head), count);
      if (bytes < 0) {
        if (bytes !== -ERRNO_EAGAIN) this.errors++;
        break;
      }
      taken++;
      used += this.#deliver(bytes - VIRTIO_HEADER_SIZE, window, used);
    }
    this.#rings.publishReceived(used);
    return taken;
  }

  /** Brings the window to its full size from entries `used` to `posted` of the fill ring. */
  #extend(used: number, posted: number): number {
    const wanted = Math.min(WINDOW, posted - used);
    const window = this.#tail - this.#head;
    if (window < wanted) this.#append(used, window, wanted);
    if (wanted < WINDOW) this.#vectors.set(this.#tail, this.#spill.address, PACKET_BYTES);
    return wanted;
  }

  /** Describes the window's frames `window` to `wanted`. */
  #append(used: number, window: number, wanted: number): void {
    const { fill } = this.#rings;
    // One more vector is kept free for the spill.
    if (this.#head + wanted >= CAPACITY) {
      this.#vectors.slide(this.#head, window);
      this.#head = 0;
      this.#tail = window;
    }
    for (let index = window; index < wanted; index++) {
      const frame = this.#framesAddress + fill.address(fill.own + used + index);
      this.#vectors.set(this.#tail++, frame + TX_HEADROOM, REST_BYTES);
    }
    if (window === 0) this.#lead(used);
  }

  /** Makes the window's first frame a packet's first: the header lies right before its data. */
  #lead(used: number): void {
    const { fill } = this.#rings;
    const frame = this.#framesAddress + fill.address(fill.own + used);
    const start = RX_HEADROOM - VIRTIO_HEADER_SIZE;
    this.#vectors.set(this.#head, frame + start, FRAME_SIZE - start);
  }

  /** Hands up a packet of `bytes` that was just read; returns the frames it took. */
  #deliver(bytes: number, window: number, used: number): number {
    const { fill } = this.#rings;
    if (bytes <= 0) return 0;
    const frames = framesOf(bytes);
    if (frames > window) {
      this.dropped++;
      return 0;
    }
    const data = this.#frames + fill.address(fill.own + used) + RX_HEADROOM;
    this.#rings.deliver(used, bytes, readVirtioHeader(this.#memory, data));
    this.packets++;
    this.#head += frames;
    if (this.#head < this.#tail) this.#lead(used + frames);
    return frames;
  }
}
