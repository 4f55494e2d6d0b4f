/**
 * A capture of simulated links, with what befell each packet as its comment. Each end of a link is an
 * interface, named `a/b` for a's end towards b.
 */
import { type CaptureOptions, LINK_TYPE_ETHERNET, PcapngWriter } from "../../pcapng";
import type { Nanoseconds } from "../scheduler";
import type { FrameEvent, FrameListener } from "../trace";
import type { Link } from "./link";

/** The packets that are kept when nothing is said: the latest. */
const packetsMaxUsual = 100_000;

interface Captured {
  readonly timeNs: Nanoseconds;
  readonly end: string;
  readonly isSent: boolean;
  readonly bytes: Uint8Array;
  /** Grows while the frame is on its way. */
  readonly comments: string[];
}

export class Capture {
  readonly #options: CaptureOptions;
  readonly #packetsMax: number;
  #packets: Captured[] = [];
  /** What has befallen the frame in this array. */
  readonly #comments = new WeakMap<Uint8Array, string[]>();

  constructor(options: CaptureOptions & { readonly packetsMax?: number } = {}) {
    const { packetsMax = packetsMaxUsual, ...rest } = options;
    this.#options = rest;
    this.#packetsMax = packetsMax;
  }

  /** Takes a run's events; for a simulation's trace, or one direction's. */
  readonly listener: FrameListener = (event) => {
    const { what, frame } = event;
    if (what === "sent") {
      this.#comments.delete(frame);
      this.#add(event, endOf(event.direction, "from"));
    } else if (what === "delivered") {
      this.#add(event, endOf(event.direction, "to"));
    } else if (what !== "queued") {
      this.#comment(event);
    }
  };

  /** Captures both directions of a link until it is disposed of. */
  tap(link: Link): Disposable {
    const taps = [link.ab.listen(this.listener), link.ba.listen(this.listener)];
    return {
      [Symbol.dispose]: () => {
        for (const tap of taps) tap[Symbol.dispose]();
      },
    };
  }

  /** The capture so far, as a pcapng file. */
  toBytes(): Uint8Array {
    const writer = new PcapngWriter(this.#options);
    const ends = new Map<string, number>();
    for (const { end, timeNs, isSent, bytes, comments } of this.#packets.slice(-this.#packetsMax)) {
      let interfaceId = ends.get(end);
      if (interfaceId === undefined) {
        interfaceId = writer.addInterface({ name: end, linkType: LINK_TYPE_ETHERNET });
        ends.set(end, interfaceId);
      }
      const direction = isSent ? "out" : "in";
      writer.addPacket({ interfaceId, timeNs, bytes, comments, direction });
    }
    return writer.finish();
  }

  #add({ timeNs, what, frame }: FrameEvent, end: string): void {
    const isSent = what === "sent";
    const known = this.#comments.get(frame) ?? [];
    // What is delivered has its past; what follows concerns the receiving end only.
    const comments = isSent ? known : [...known];
    this.#comments.set(frame, comments);
    this.#packets.push({ timeNs, end, isSent, bytes: frame.slice(), comments });
    if (this.#packets.length > 2 * this.#packetsMax) {
      this.#packets = this.#packets.slice(-this.#packetsMax);
    }
  }

  #comment(event: FrameEvent): void {
    const { what, reason, frame } = event;
    const text = reason === undefined ? what : `${what}: ${reason}`;
    const known = this.#comments.get(frame);
    if (known !== undefined) {
      known.push(text);
      return;
    }
    // A copy, or what is left of a truncated frame: nobody sent this one.
    const comments = [text];
    this.#comments.set(frame, comments);
    if (what !== "dropped") return;
    const { timeNs, direction } = event;
    const end = endOf(direction, "from");
    this.#packets.push({ timeNs, end, isSent: true, bytes: frame.slice(), comments });
  }
}

/** `link: a>b` → `link: a/b`, or `link: b/a`; of a station's own events, `>a`, just `a`. */
function endOf(direction: string, side: "from" | "to"): string {
  const prefix = direction.slice(0, direction.lastIndexOf(": ") + 1);
  const ends = direction
    .slice(prefix.length)
    .trim()
    .split(">")
    .filter((end) => end !== "");
  if (side === "to") ends.reverse();
  return [prefix, ends.join("/")].join(" ").trim();
}
