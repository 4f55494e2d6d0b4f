/** An Ethernet switch that learns where stations are (IEEE 802.1D), or a hub that does not. */
import { ERRNO_EINVAL } from "../../../assembly/layout";
import { DemibunError } from "../../errors";
import type { Nanoseconds, Scheduler } from "../scheduler";
import type { Port, Station } from "../station";
import { ETHERNET_HEADER_BYTES } from "./frame-fields";

export interface SwitchOptions {
  /** False makes it a hub: every frame leaves through all other ports. Default true. */
  readonly learns?: boolean;
  readonly portsMax?: number;
  /** Addresses it remembers; when full, the one seen longest ago is forgotten. */
  readonly addressesMax?: number;
  /** After which silence a station is forgotten. */
  readonly ageMs?: number;
}

interface Place {
  readonly port: Port;
  readonly seenNs: Nanoseconds;
}

export class Switch implements Station {
  readonly name: string;
  readonly ports: Port[] = [];
  /** Frames for a station on the side they came from, which go no further. */
  filtered = 0;
  /** Frames that left through all other ports. */
  flooded = 0;
  readonly #scheduler: Scheduler;
  readonly #options: Required<SwitchOptions>;
  /** By address read as a number; in the order in which they were last seen. */
  readonly #places = new Map<number, Place>();

  constructor(scheduler: Scheduler, name: string, options: SwitchOptions = {}) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#options = {
      learns: options.learns ?? true,
      portsMax: options.portsMax ?? 256,
      addressesMax: options.addressesMax ?? 1024,
      ageMs: options.ageMs ?? 300_000,
    };
  }

  /** Addresses it knows the port of. */
  get addresses(): number {
    return this.#places.size;
  }

  plug(port: Port): void {
    const { portsMax } = this.#options;
    if (this.ports.length >= portsMax) {
      throw new DemibunError({
        operation: `switch ${this.name}`,
        errno: ERRNO_EINVAL,
        detail: `all of its ${portsMax} ports are taken`,
        hint: "give it a larger portsMax",
      });
    }
    this.ports.push(port);
  }

  receive(frame: Uint8Array, from: Port): void {
    if (frame.length < ETHERNET_HEADER_BYTES) return;
    const { nowNs } = this.#scheduler;
    if (this.#options.learns) this.#learn(macNumber(frame, 6), from, nowNs);
    const place = this.#find(macNumber(frame, 0), nowNs);
    if (place === undefined) this.#flood(frame, from);
    else if (place.port === from) this.filtered++;
    else place.port.send(frame);
  }

  #learn(source: number, port: Port, seenNs: Nanoseconds): void {
    if (isGroup(source)) return;
    const places = this.#places;
    places.delete(source);
    if (places.size >= this.#options.addressesMax) {
      const [oldest] = places.keys();
      places.delete(oldest as number);
    }
    places.set(source, { port, seenNs });
  }

  #find(destination: number, nowNs: Nanoseconds): Place | undefined {
    const place = this.#places.get(destination);
    if (place === undefined || nowNs - place.seenNs <= this.#options.ageMs * 1e6) return place;
    this.#places.delete(destination);
    return undefined;
  }

  #flood(frame: Uint8Array, from: Port): void {
    this.flooded++;
    for (const port of this.ports) if (port !== from) port.send(frame.slice());
  }
}

/** The 48 bits at `at`, exact in a double. */
function macNumber(frame: Uint8Array, at: number): number {
  let value = 0;
  for (let index = at; index < at + 6; index++) value = value * 256 + (frame[index] as number);
  return value;
}

/** Multicast and broadcast addresses have the first byte's lowest bit set. */
function isGroup(address: number): boolean {
  return (Math.floor(address / 2 ** 40) & 1) === 1;
}
