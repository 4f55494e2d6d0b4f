/** The wire of a direction: what is on it, in which order it arrives, and what befalls it there. */
import type { Event, Nanoseconds, Scheduler } from "../scheduler";
import { corrupt } from "./corruption";
import { constantDelay } from "./delay";
import type { Fate } from "./faults";
import { ETHERNET_HEADER_BYTES } from "./frame-fields";
import type { FrameLog } from "./frame-log";
import { InFlight } from "./in-flight";
import type { DirectionOptions } from "./options";

const nsPerMs = 1e6;
const holdMsUsual = 100;

export class Wire {
  /** Frames that reach the wire are lost while this is set. */
  isPartitioned = false;
  readonly #scheduler: Scheduler;
  readonly #log: FrameLog;
  readonly #receive: (frame: Uint8Array) => void;
  readonly #delayNs: Nanoseconds;
  readonly #jitterReorders: boolean;
  readonly #bytesMin: number;
  readonly #holdNs: Nanoseconds;
  readonly #flight = new InFlight();
  /** The latest arrival of a frame that must not be overtaken. */
  #latestNs: Nanoseconds = 0;
  #arrival: Event | undefined;
  #held: { readonly frame: Uint8Array; readonly timeNs: Nanoseconds; event: Event } | undefined;

  constructor(
    scheduler: Scheduler,
    log: FrameLog,
    receive: (frame: Uint8Array) => void,
    { delayMs = 0, jitterReorders = false, truncate, reorder = { swap: 0 } }: DirectionOptions,
  ) {
    this.#scheduler = scheduler;
    this.#log = log;
    this.#receive = receive;
    this.#delayNs = constantDelay(delayMs) ?? 0;
    this.#jitterReorders = jitterReorders;
    this.#bytesMin = truncate?.bytesMin ?? ETHERNET_HEADER_BYTES;
    const holdMs = "swap" in reorder ? reorder.holdMs : undefined;
    this.#holdNs = (holdMs ?? holdMsUsual) * nsPerMs;
  }

  /** Frames that have neither arrived nor been dropped. */
  get frames(): number {
    return this.#flight.length + (this.#held === undefined ? 0 : 1);
  }

  /** Takes a frame whose last bit leaves the sender at `departNs`. */
  launch(frame: Uint8Array, fate: Fate | undefined, departNs: Nanoseconds): void {
    if (this.isPartitioned) {
      this.#log.drop(frame, "partition");
    } else if (fate === undefined) {
      this.fly(frame, departNs + this.#delayNs);
    } else if (fate.lost) {
      this.#log.drop(frame, "loss");
    } else {
      this.#launchFaulty(frame, fate, departNs + fate.delayNs);
    }
  }

  /** Lets a frame arrive at this time, whatever the others do. */
  fly(frame: Uint8Array, timeNs: Nanoseconds): void {
    if (!this.#flight.push(Math.ceil(timeNs), frame)) return;
    if (this.#arrival !== undefined) this.#scheduler.cancel(this.#arrival);
    this.#arrival = this.#scheduler.at(this.#flight.firstNs, this.#arrive);
  }

  /** Loses everything that is on the wire. */
  clear(): void {
    if (this.#arrival !== undefined) this.#scheduler.cancel(this.#arrival);
    this.#arrival = undefined;
    while (this.#flight.length > 0) this.#log.drop(this.#flight.shift(), "link down");
    if (this.#held !== undefined) {
      this.#scheduler.cancel(this.#held.event);
      this.#log.drop(this.#held.frame, "link down");
    }
    this.#held = undefined;
    this.#latestNs = this.#scheduler.nowNs;
  }

  #launchFaulty(frame: Uint8Array, fate: Fate, drawnNs: Nanoseconds): void {
    const damaged = this.#damage(frame, fate);
    const arrivalNs = this.#jitterReorders ? drawnNs : Math.max(this.#latestNs, drawnNs);
    // Copied first: the original may arrive, and be another's, before its copies are due.
    const copies = Array.from({ length: fate.copies }, () => damaged.slice());
    this.#place(damaged, fate, arrivalNs);
    copies.forEach((copy, index) => {
      this.#log.tell("duplicated", copy);
      this.fly(copy, arrivalNs + (index + 1) * fate.copyDelayNs);
    });
  }

  #damage(frame: Uint8Array, { corruption, truncation }: Fate): Uint8Array {
    if (corruption !== undefined && corrupt(frame, corruption)) this.#log.tell("corrupted", frame);
    if (truncation === undefined || frame.length <= this.#bytesMin) return frame;
    const kept = this.#bytesMin + Math.floor(truncation * (frame.length - this.#bytesMin));
    const truncated = frame.slice(0, kept);
    this.#log.tell("truncated", truncated);
    return truncated;
  }

  /** Gives a frame its place among the others: in order, late, or after its successor. */
  #place(frame: Uint8Array, fate: Fate, arrivalNs: Nanoseconds): void {
    if (fate.extraNs > 0) {
      this.#log.tell("reordered", frame);
      this.fly(frame, arrivalNs + fate.extraNs);
    } else if (fate.swapped && this.#held === undefined) {
      this.#log.tell("reordered", frame);
      this.#hold(frame, arrivalNs);
    } else {
      this.#latestNs = Math.max(this.#latestNs, arrivalNs);
      this.fly(frame, arrivalNs);
      if (this.#held !== undefined) this.#release(this.#latestNs);
    }
  }

  #hold(frame: Uint8Array, timeNs: Nanoseconds): void {
    const untilNs = timeNs + this.#holdNs;
    const event = this.#scheduler.at(untilNs, () => this.#release(untilNs));
    this.#held = { frame, timeNs, event };
  }

  /** Lets the held frame arrive, not before `timeNs`. */
  #release(timeNs: Nanoseconds): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#scheduler.cancel(held.event);
    this.#latestNs = Math.max(this.#latestNs, held.timeNs, timeNs);
    this.fly(held.frame, this.#latestNs);
  }

  readonly #arrive = (): void => {
    const frame = this.#flight.shift();
    this.#arrival =
      this.#flight.length === 0
        ? undefined
        : this.#scheduler.at(this.#flight.firstNs, this.#arrive);
    this.#log.tell("delivered", frame);
    this.#receive(frame);
  };
}
