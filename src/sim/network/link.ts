/** A link: two stations, and a direction for each way between them. */
import type { Random } from "../random";
import type { Scheduler } from "../scheduler";
import type { Port, Station } from "../station";
import type { FrameListener } from "../trace";
import { Direction } from "./direction";
import { checkLinkOptions, type LinkOptions } from "./options";

export interface LinkContext {
  readonly scheduler: Scheduler;
  /** The run's; the link splits its own streams off, `link/<name>/ab/…`. */
  readonly random: Random;
  readonly trace?: FrameListener | undefined;
  /** Default: the stations' names, `a-b`; to be given where two links join the same two. */
  readonly name?: string | undefined;
}

class LinkPort implements Port {
  readonly station: Station;
  readonly #direction: Direction;

  constructor(station: Station, direction: Direction) {
    this.station = station;
    this.#direction = direction;
  }

  get queuedBytes(): number {
    return this.#direction.queuedBytes;
  }

  send(frame: Uint8Array): void {
    this.#direction.send(frame);
  }
}

export class Link {
  readonly name: string;
  readonly stationA: Station;
  readonly stationB: Station;
  readonly portA: Port;
  readonly portB: Port;
  readonly ab: Direction;
  readonly ba: Direction;
  /** As checked; a direction's defaults are not filled in. */
  readonly options: ReturnType<typeof checkLinkOptions>;

  /** Throws EINVAL for options that cannot be. Both stations are told of their ports. */
  constructor(
    context: LinkContext,
    stationA: Station,
    stationB: Station,
    options: LinkOptions = {},
  ) {
    this.name = context.name ?? `${stationA.name}-${stationB.name}`;
    this.options = checkLinkOptions(this.name, options);
    this.stationA = stationA;
    this.stationB = stationB;
    this.ab = this.#direction("ab", context);
    this.ba = this.#direction("ba", context);
    this.portA = new LinkPort(stationA, this.ab);
    this.portB = new LinkPort(stationB, this.ba);
    stationA.plug?.(this.portA);
    stationB.plug?.(this.portB);
  }

  #direction(which: "ab" | "ba", context: LinkContext): Direction {
    const { scheduler, random, trace } = context;
    const forward = which === "ab";
    const from = forward ? this.stationA : this.stationB;
    const to = forward ? this.stationB : this.stationA;
    const prefix = context.name === undefined ? "" : `${context.name}: `;
    return new Direction(
      {
        scheduler,
        random: random.split(`link/${this.name}/${which}`),
        trace,
        name: `${prefix}${from.name}>${to.name}`,
        from,
        to,
        arrivalPort: () => (forward ? this.portB : this.portA),
        reverse: () => (forward ? this.ba : this.ab),
      },
      this.options[which],
    );
  }

  /** Loses all frames inside and those sent until `setUp`. */
  setDown(): void {
    this.ab.setDown();
    this.ba.setDown();
  }

  setUp(): void {
    this.ab.setUp();
    this.ba.setUp();
  }

  /** Cuts one direction, both or none; what is on the wire already arrives. */
  partition(which: "ab" | "ba" | "both" | "none"): void {
    this.ab.setPartitioned(which === "ab" || which === "both");
    this.ba.setPartitioned(which === "ba" || which === "both");
  }

  /** Ends partition, outage, rules that are not permanent and every configured fault. */
  heal(): void {
    this.ab.heal();
    this.ba.heal();
  }
}
