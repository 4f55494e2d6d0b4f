/**
 * A backend that loses packets, around any other: before a packet is sent, or after it was received,
 * its destination MAC may be changed, so that whoever gets it drops it. Deterministic by seed, but
 * for what a kernel delivers between our look at the rx ring and the stack's, which is not lost.
 */
import { OPTION_CONTINUED } from "../../assembly/layout";
import type { Backend, Capabilities, RingOffsets, RingPlaces } from "../../shims/contract";
import { Consumer } from "../../shims/ring";

/** The destination of lost packets. */
export const lostMac = Uint8Array.of(2, 0, 0xde, 0xad, 0, 0);

export interface FaultOptions {
  /** Fraction of packets lost in each direction. */
  readonly loss: number;
  /** Not 0. */
  readonly seed: number;
}

/** Follows a ring that another consumer empties. */
class Watcher extends Consumer {
  /** Entries before `own` were looked at or are gone; returns those after it that are still there. */
  fresh(): number {
    const taken = Atomics.load(this.words, this.consumer);
    if (((taken - this.own) | 0) > 0) this.own = taken >>> 0;
    return this.available();
  }
}

export class FaultyBackend implements Backend {
  readonly name: string;
  readonly readiness: number | undefined;
  readonly capabilities: Capabilities;
  readonly #device: Backend;
  readonly #loss: number;
  #state: number;
  #bytes = new Uint8Array(0);
  #frames = 0;
  #sending: Watcher | undefined;
  #receiving: Watcher | undefined;
  #sendLost = 0;
  #receiveLost = 0;

  constructor(device: Backend, { loss, seed }: FaultOptions) {
    this.name = device.name;
    this.readiness = device.readiness;
    // Loss strikes packets as a wire carries them, not super-frames.
    this.capabilities = { ...device.capabilities, segmentMax: 0 };
    this.#device = device;
    this.#loss = loss;
    this.#state = seed;
  }

  attach(places: RingPlaces): RingOffsets {
    const offsets = this.#device.attach(places);
    const words = new Int32Array(places.memory.buffer);
    this.#bytes = new Uint8Array(places.memory.buffer);
    this.#frames = places.frames;
    this.#sending = new Watcher(words, places.tx, places.entries, offsets);
    this.#receiving = new Watcher(words, places.rx, places.entries, offsets);
    return offsets;
  }

  poll(): number {
    this.#sendLost += this.#lose(this.#sending);
    const moved = this.#device.poll();
    this.#receiveLost += this.#lose(this.#receiving);
    return moved;
  }

  transmit(): number {
    this.#sendLost += this.#lose(this.#sending);
    return this.#device.transmit();
  }

  statistics(): Readonly<Record<string, number>> {
    const lost = { sendLost: this.#sendLost, receiveLost: this.#receiveLost };
    return { ...this.#device.statistics(), ...lost };
  }

  [Symbol.dispose](): void {
    this.#device[Symbol.dispose]();
  }

  /** Strikes the packets published since the last look that nobody has taken yet. */
  #lose(ring: Watcher | undefined): number {
    if (ring === undefined) return 0;
    const ready = ring.fresh();
    let lost = 0;
    for (let index = 0; index < ready; index++) {
      const at = ring.own + index;
      const continues = (ring.descriptorOptions(at - 1) & OPTION_CONTINUED) !== 0;
      if (continues || this.#random() >= this.#loss) continue;
      this.#bytes.set(lostMac, this.#frames + ring.descriptorAddress(at));
      lost++;
    }
    ring.own = (ring.own + ready) >>> 0;
    return lost;
  }

  /** xorshift32 as a fraction. */
  #random(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 2 ** 32;
  }
}
