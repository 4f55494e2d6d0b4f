/** A host's network device: between the rings of its stack and the link it is plugged into. */
import { PacketRings } from "../../shims/packet-rings";
import { defaultOffsets } from "../../shims/ring";
import type { Stack } from "../wasm/stack";
import type { Port, Station } from "./station";
import type { DropReason } from "./trace";

export interface DeviceOptions {
  readonly mac: Uint8Array;
  /** Largest IP packet in bytes. */
  readonly mtu: number;
  readonly address: number;
  readonly prefix: number;
  /** Bytes in the link's queue from which on packets wait in the tx ring instead. */
  readonly backPressureBytes: number;
}

export class SimulatedDevice implements Station {
  readonly name: string;
  readonly options: DeviceOptions;
  /** Where it is plugged in; packets sent before that are lost. */
  port: Port | undefined;
  /** Told when a packet lies in the rx ring. */
  onPacket: (() => void) | undefined;
  /** Told of a packet that goes no further here. */
  onDrop: ((frame: Uint8Array, reason: DropReason) => void) | undefined;
  received = 0;
  sent = 0;
  overflowed = 0;
  #rings: PacketRings | undefined;

  constructor(name: string, options: DeviceOptions) {
    this.name = name;
    this.options = options;
  }

  /** Brings interface 0 of a freshly opened stack up on this device. */
  attach(stack: Stack): void {
    this.#rings = new PacketRings(stack.places(0));
    const { mac, mtu, address, prefix } = this.options;
    const plain = { checksum: false, segmentMax: 0, partialReceive: false, sharedRings: false };
    stack.attach(
      0,
      { mac, mtu, address, prefix, ...plain, chainMax: 64, postedMax: 0 },
      defaultOffsets,
    );
  }

  /** The host has lost its memory. */
  detach(): void {
    this.#rings = undefined;
  }

  plug(port: Port): void {
    this.port = port;
  }

  /** Sends what the stack has put into the tx ring; returns the packets. */
  transmit(): number {
    const { port } = this;
    let packets = 0;
    while (!this.isBlocked) {
      const packet = this.#rings?.take();
      if (packet === undefined) break;
      packets++;
      this.sent++;
      port?.send(packet);
    }
    return packets;
  }

  /** The link's queue is as full as this device lets it become. */
  get isBlocked(): boolean {
    return this.port !== undefined && this.port.queuedBytes >= this.options.backPressureBytes;
  }

  /** Packets wait for room in the link's queue. */
  get hasUnsent(): boolean {
    return this.#rings !== undefined && this.#rings.unsent > 0;
  }

  receive(frame: Uint8Array): void {
    if (this.#rings === undefined) {
      this.onDrop?.(frame, "host down");
    } else if (this.#rings.give(frame)) {
      this.received++;
      this.onPacket?.();
    } else {
      this.overflowed++;
      this.onDrop?.(frame, "ring overflow");
    }
  }
}
