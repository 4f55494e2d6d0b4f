/**
 * What backends share that move packets by system calls on one file descriptor: a receiver that reads
 * into posted frames, a transmitter that writes from the tx ring, both bounded.
 */
import type { Backend, Capabilities, RingOffsets, RingPlaces } from "./contract";
import { close } from "./libc";
import { DeviceRings, defaultOffsets } from "./ring";

export interface Receiver {
  /** Packets handed up, packets lost, reads that failed. */
  readonly packets: number;
  readonly dropped: number;
  readonly errors: number;
  /** Reads one batch; returns the packets taken off the device. */
  receive(): number;
}

export interface Transmitter {
  /** Packets the device took, packets it refused for good. */
  readonly packets: number;
  readonly dropped: number;
  /** Writes one batch; returns the packets taken off the tx ring. */
  transmit(): number;
}

export abstract class CallBackend implements Backend {
  abstract readonly name: string;
  readonly capabilities: Capabilities;
  /** The descriptor; it polls readable when packets wait. */
  readonly readiness: number;
  protected open = true;
  #receiver: Receiver | undefined;
  #transmitter: Transmitter | undefined;

  /** Takes the descriptor over. */
  constructor(fd: number, capabilities: Capabilities) {
    this.readiness = fd;
    this.capabilities = capabilities;
  }

  protected abstract connect(
    rings: DeviceRings,
    places: RingPlaces,
  ): { receiver: Receiver; transmitter: Transmitter };

  attach(places: RingPlaces): RingOffsets {
    const { receiver, transmitter } = this.connect(new DeviceRings(places), places);
    this.#receiver = receiver;
    this.#transmitter = transmitter;
    return defaultOffsets;
  }

  poll(): number {
    const sent = this.transmit();
    return this.open && this.#receiver !== undefined ? sent + this.#receiver.receive() : sent;
  }

  transmit(): number {
    return this.open && this.#transmitter !== undefined ? this.#transmitter.transmit() : 0;
  }

  statistics(): Readonly<Record<string, number>> {
    return {
      rxPackets: this.#receiver?.packets ?? 0,
      rxDropped: this.#receiver?.dropped ?? 0,
      rxErrors: this.#receiver?.errors ?? 0,
      txPackets: this.#transmitter?.packets ?? 0,
      txDropped: this.#transmitter?.dropped ?? 0,
    };
  }

  [Symbol.dispose](): void {
    if (!this.open) return;
    this.open = false;
    close(this.readiness);
  }
}
