/** Sends a tx ring's packets by a call that takes one packet at a time. */
import { ERRNO_EIO } from "../../assembly/layout";
import type { RingPlaces } from "../contract";
import { isPassing, writev } from "../libc";
import type { DeviceRings } from "../ring";
import { Gatherer } from "../vectors";

const BATCH = 64;

export class WriteTransmitter {
  packets = 0;
  /** Packets that the device refused for good. */
  dropped = 0;
  readonly #fd: number;
  readonly #rings: DeviceRings;
  readonly #gatherer: Gatherer;

  constructor(fd: number, rings: DeviceRings, places: RingPlaces) {
    this.#fd = fd;
    this.#rings = rings;
    this.#gatherer = new Gatherer(rings.tx, places, 1);
  }

  /** Writes one batch; packets that the device cannot take yet stay in the ring. */
  transmit(): number {
    const { tx, completion } = this.#rings;
    const ready = tx.available();
    if (ready === 0) return 0;
    const room = completion.room();
    let used = 0;
    let taken = 0;
    while (taken < BATCH && used < ready) {
      const count = this.#gatherer.gather(tx.own + used, ready - used, 0);
      const descriptors = Math.abs(count);
      if (count === 0 || used + descriptors > room) break;
      const result = count < 0 ? -ERRNO_EIO : writev(this.#fd, this.#gatherer.at(0), count + 1);
      if (isPassing(result)) break;
      if (result < 0) this.dropped++;
      else this.packets++;
      this.#rings.complete(used, descriptors);
      used += descriptors;
      taken++;
    }
    this.#rings.publishSent(used);
    return taken;
  }
}
