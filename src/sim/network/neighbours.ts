/** An interface's ARP cache (RFC 826), and the frames that wait for an answer. */
import type { Event, Nanoseconds, Scheduler } from "../scheduler";
import type { DropReason } from "../trace";

/**
 * A cached address is asked for again after this. RFC 1122 section 2.3.2.1 has a minute in mind; here an
 * answer that was damaged on its way, which no checksum tells, is to be forgotten before connections end.
 */
const ageNs = 20e9;
const retryNs = 1e9;
const triesMax = 3;
/** Frames that wait for one neighbour. */
const waitingMax = 16;

interface Neighbour {
  mac: Uint8Array | undefined;
  untilNs: Nanoseconds;
  waiting: Uint8Array[];
  tries: number;
  retry: Event | undefined;
}

export interface NeighbourActions {
  /** Sends a request for this address. */
  ask(address: number): void;
  /** Sends a frame whose destination is now filled in. */
  transmit(frame: Uint8Array): void;
  drop(frame: Uint8Array, reason: DropReason): void;
  /** Nobody answered for the packet in this frame. */
  unreachable(frame: Uint8Array): void;
}

export class Neighbours {
  readonly #scheduler: Scheduler;
  readonly #actions: NeighbourActions;
  readonly #neighbours = new Map<number, Neighbour>();

  constructor(scheduler: Scheduler, actions: NeighbourActions) {
    this.#scheduler = scheduler;
    this.#actions = actions;
  }

  /** Sends a frame to the station with this address, when that is known. */
  send(frame: Uint8Array, address: number): void {
    const neighbour = this.#get(address);
    if (neighbour.mac !== undefined && this.#scheduler.nowNs < neighbour.untilNs) {
      frame.set(neighbour.mac, 0);
      this.#actions.transmit(frame);
      return;
    }
    neighbour.mac = undefined;
    neighbour.waiting.push(frame);
    if (neighbour.waiting.length > waitingMax) {
      this.#actions.drop(neighbour.waiting.shift() as Uint8Array, "queue full");
    }
    if (neighbour.retry === undefined) this.#ask(address, neighbour);
  }

  /** Takes what an ARP packet says of its sender: new only when it spoke to us (RFC 826). */
  learn(address: number, mac: Uint8Array, toUs: boolean): void {
    if (!toUs && !this.#neighbours.has(address)) return;
    const neighbour = this.#get(address);
    neighbour.mac = mac.slice();
    neighbour.untilNs = this.#scheduler.nowNs + ageNs;
    this.#stopAsking(neighbour);
    const { waiting } = neighbour;
    neighbour.waiting = [];
    for (const frame of waiting) this.send(frame, address);
  }

  #get(address: number): Neighbour {
    let neighbour = this.#neighbours.get(address);
    if (neighbour === undefined) {
      neighbour = { mac: undefined, untilNs: 0, waiting: [], tries: 0, retry: undefined };
      this.#neighbours.set(address, neighbour);
    }
    return neighbour;
  }

  #ask(address: number, neighbour: Neighbour): void {
    neighbour.tries++;
    neighbour.retry = this.#scheduler.after(retryNs, () => {
      if (neighbour.tries < triesMax) this.#ask(address, neighbour);
      else this.#giveUp(address, neighbour);
    });
    this.#actions.ask(address);
  }

  #giveUp(address: number, neighbour: Neighbour): void {
    this.#neighbours.delete(address);
    for (const frame of neighbour.waiting) this.#actions.unreachable(frame);
  }

  #stopAsking(neighbour: Neighbour): void {
    if (neighbour.retry !== undefined) this.#scheduler.cancel(neighbour.retry);
    neighbour.retry = undefined;
    neighbour.tries = 0;
  }
}
