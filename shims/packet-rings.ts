/**
 * The device's side of an interface whose device is TypeScript: whole packets, copied out of the tx
 * ring and into posted frames.
 */
import { FRAME_SIZE, OPTION_CONTINUED, RX_HEADROOM, TX_HEADROOM } from "../assembly/layout";
import type { RingPlaces } from "./contract";
import { DeviceRings, FIRST_BYTES, framesOf, PACKET_BYTES, REST_BYTES } from "./ring";

export class PacketRings {
  readonly #rings: DeviceRings;
  readonly #bytes: Uint8Array;
  readonly #frames: number;
  readonly #framesBytes: number;

  constructor(places: RingPlaces) {
    this.#rings = new DeviceRings(places);
    this.#bytes = new Uint8Array(places.memory.buffer);
    this.#frames = places.frames;
    this.#framesBytes = places.framesBytes;
  }

  /** Descriptors that wait in the tx ring. */
  get unsent(): number {
    return this.#rings.tx.available();
  }

  /** The next packet the stack has sent, Ethernet header first, as a copy; undefined for none. */
  take(): Uint8Array | undefined {
    const { tx, completion } = this.#rings;
    const ready = tx.available();
    let descriptors = 0;
    let bytes = 0;
    for (;;) {
      if (descriptors === ready) return undefined;
      const index = tx.own + descriptors++;
      bytes += tx.descriptorLength(index);
      if ((tx.descriptorOptions(index) & OPTION_CONTINUED) === 0) break;
    }
    if (completion.room() < descriptors) return undefined;
    const packet = new Uint8Array(Math.min(bytes, PACKET_BYTES));
    let at = 0;
    for (let index = tx.own; index < tx.own + descriptors; index++) {
      const address = tx.descriptorAddress(index);
      const length = tx.descriptorLength(index);
      if (length > FRAME_SIZE || address + length > this.#framesBytes || at + length > bytes) {
        throw new RangeError(`the stack sent a descriptor of ${length} bytes at ${address}`);
      }
      const start = this.#frames + address;
      packet.set(this.#bytes.subarray(start, start + length), at);
      at += length;
    }
    this.#rings.complete(0, descriptors);
    this.#rings.publishSent(descriptors);
    return packet;
  }

  /** Puts a packet into posted frames; false when too few are posted or the ring is full. */
  give(packet: Uint8Array): boolean {
    const { fill, rx } = this.#rings;
    const frames = framesOf(packet.length);
    if (packet.length > PACKET_BYTES) return false;
    if (fill.available() < frames || rx.room() < frames) return false;
    let taken = 0;
    for (let index = 0; index < frames; index++) {
      const isFirst = index === 0;
      const length = Math.min(packet.length - taken, isFirst ? FIRST_BYTES : REST_BYTES);
      const headroom = isFirst ? RX_HEADROOM : TX_HEADROOM;
      const at = this.#frames + fill.address(fill.own + index) + headroom;
      this.#bytes.set(packet.subarray(taken, taken + length), at);
      taken += length;
    }
    this.#rings.deliver(0, packet.length, 0);
    this.#rings.publishReceived(frames);
    return true;
  }
}
