/** Sends a tx ring's packets in batches over a packet socket. */
import type { RingPlaces } from "../contract";
import { isPassing, sendmmsg } from "../libc";
import type { DeviceRings } from "../ring";
import { Gatherer } from "../vectors";
import { Messages } from "./messages";

const BATCH = 64;

export class PacketTransmitter {
  packets = 0;
  /** Packets that the device refused for good. */
  dropped = 0;
  readonly #fd: number;
  readonly #rings: DeviceRings;
  readonly #gatherer: Gatherer;
  readonly #messages = new Messages(BATCH);
  /** Descriptors of each message's packet. */
  readonly #descriptors = new Uint32Array(BATCH);
  /** Descriptors of the unsendable packet that ended the batch, or 0. */
  #unsendable = 0;

  constructor(fd: number, rings: DeviceRings, places: RingPlaces) {
    this.#fd = fd;
    this.#rings = rings;
    this.#gatherer = new Gatherer(rings.tx, places, BATCH);
  }

  /** Sends one batch; packets that the device cannot take yet stay in the ring. */
  transmit(): number {
    const count = this.#gatherAll();
    const sent = count === 0 ? 0 : sendmmsg(this.#fd, this.#messages.address, count);
    if (isPassing(sent)) return 0;
    let used = 0;
    for (let index = 0; index < sent; index++) used += this.#descriptors[index] as number;
    if (sent > 0) this.packets += sent;
    const refused = this.#refused(sent, count);
    if (refused > 0) this.dropped++;
    this.#rings.complete(0, used + refused);
    this.#rings.publishSent(used + refused);
    return Math.max(0, sent) + (refused > 0 ? 1 : 0);
  }

  /** Descriptors of the packet behind the sent ones when it can never be sent. */
  #refused(sent: number, count: number): number {
    if (sent < 0) return this.#descriptors[0] as number;
    return sent === count ? this.#unsendable : 0;
  }

  /** Describes packets as messages until the batch is full; returns how many. */
  #gatherAll(): number {
    const { tx, completion } = this.#rings;
    this.#unsendable = 0;
    const ready = tx.available();
    if (ready === 0) return 0;
    const limit = Math.min(ready, completion.room());
    let used = 0;
    let count = 0;
    while (count < BATCH && used < limit) {
      const descriptors = this.#gatherer.gather(tx.own + used, ready - used, count);
      if (descriptors === 0 || used + Math.abs(descriptors) > limit) break;
      if (descriptors < 0) {
        this.#unsendable = -descriptors;
        break;
      }
      const vectors = this.#gatherer.at(count);
      this.#messages.set(count, vectors, descriptors + 1);
      this.#descriptors[count++] = descriptors;
      used += descriptors;
    }
    return count;
  }
}
