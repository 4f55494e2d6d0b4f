/** A station that keeps what it receives, and two of them with a link between. */
import { Link } from "../../../src/sim/network/link";
import type { LinkOptions } from "../../../src/sim/network/options";
import { Random } from "../../../src/sim/random";
import { type Nanoseconds, Scheduler } from "../../../src/sim/scheduler";
import type { Port, Station } from "../../../src/sim/station";
import type { FrameEvent } from "../../../src/sim/trace";

export interface Arrival {
  readonly timeNs: Nanoseconds;
  readonly frame: Uint8Array;
}

export class Recorder implements Station {
  readonly name: string;
  readonly arrivals: Arrival[] = [];
  port: Port | undefined;
  readonly #scheduler: Scheduler;

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.#scheduler = scheduler;
  }

  plug(port: Port): void {
    this.port = port;
  }

  receive(frame: Uint8Array): void {
    this.arrivals.push({ timeNs: this.#scheduler.nowNs, frame });
  }

  /** What the frames that arrived were numbered by `frameOf`, in order. */
  get numbers(): number[] {
    return this.arrivals.map(({ frame }) => numberOf(frame));
  }

  get times(): Nanoseconds[] {
    return this.arrivals.map(({ timeNs }) => timeNs);
  }

  send(frame: Uint8Array): void {
    if (this.port === undefined) throw new Error(`${this.name} is not plugged in`);
    this.port.send(frame);
  }
}

/** A frame of no protocol that carries a number behind its Ethernet header. */
export function frameOf(number: number, bytes = 100): Uint8Array {
  const frame = new Uint8Array(bytes);
  new DataView(frame.buffer).setUint32(14, number);
  return frame;
}

export function numberOf(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset).getUint32(14);
}

/** Reads an event into what tests compare; the frame is copied, as listeners must. */
export type Told = Omit<FrameEvent, "frame"> & { readonly frame: Uint8Array };

export interface Wire {
  readonly scheduler: Scheduler;
  readonly link: Link;
  readonly a: Recorder;
  readonly b: Recorder;
  readonly events: Told[];
}

export function wire(options: LinkOptions, seed: number | string = 1): Wire {
  const scheduler = new Scheduler();
  const a = new Recorder("a", scheduler);
  const b = new Recorder("b", scheduler);
  const events: Told[] = [];
  const trace = (event: FrameEvent) => events.push({ ...event, frame: event.frame.slice() });
  const link = new Link({ scheduler, random: new Random(seed), trace }, a, b, options);
  return { scheduler, link, a, b, events };
}

/** Runs what is scheduled until `untilNs`, or to the end. */
export function run(scheduler: Scheduler, untilNs = Number.POSITIVE_INFINITY): void {
  for (let events = 0; scheduler.step(untilNs); events++) {
    if (events > 5_000_000) throw new Error("the events do not end");
  }
  if (untilNs !== Number.POSITIVE_INFINITY) scheduler.advance(untilNs);
}

/** Sends `count` numbered frames from a, one every `everyNs`, and runs to the end. */
export function sendMany(
  { scheduler, a }: Wire,
  count: number,
  { everyNs = 1000, bytes = 100 } = {},
): void {
  for (let number = 1; number <= count; number++) {
    scheduler.at((number - 1) * everyNs, () => a.send(frameOf(number, bytes)));
  }
  run(scheduler);
}
