/** The first and the last packets of a run, hop by hop: the rows of a sequence diagram. */
import { describePacket } from "../../packet/describe";
import { parseFrame } from "../../packet/parse";
import type { DropReason, FrameEvent } from "../trace";

/** A frame's way over one link. */
export interface PacketHop {
  /** Counted from 1 over the whole run. */
  readonly number: number;
  readonly from: string;
  readonly to: string;
  readonly sentMs: number;
  /** Undefined: dropped, or still on its way at the end. */
  readonly arrivedMs?: number | undefined;
  readonly dropped?: DropReason | undefined;
  /** What else befell it. */
  readonly notes: readonly FrameEvent["what"][];
  readonly text: string;
}

interface Hop {
  readonly number: number;
  readonly from: string;
  readonly to: string;
  readonly sentMs: number;
  arrivedMs?: number;
  dropped?: DropReason | undefined;
  readonly notes: FrameEvent["what"][];
  bytes: Uint8Array;
}

export class PacketLog {
  readonly #firstMax: number;
  readonly #lastMax: number;
  readonly #first: Hop[] = [];
  #last: Hop[] = [];
  #total = 0;
  /** By the frame's array, which goes from hop to hop or is copied. */
  #inside = new WeakMap<Uint8Array, Hop>();

  constructor(firstMax: number, lastMax: number) {
    this.#firstMax = firstMax;
    this.#lastMax = lastMax;
  }

  add({ timeNs, what, direction, frame, reason }: FrameEvent): void {
    const timeMs = timeNs / 1e6;
    const known = this.#inside.get(frame);
    if (what === "sent") this.#open(timeMs, direction, frame);
    else if (what === "truncated") this.#truncate(direction, frame);
    else if (what === "duplicated" || known === undefined) {
      const hop = this.#open(timeMs, direction, frame);
      if (what === "dropped") hop.dropped = reason;
      else hop.notes.push(what);
    } else if (what === "delivered") known.arrivedMs = timeMs;
    else if (what === "dropped") known.dropped = reason;
    else if (what !== "queued") known.notes.push(what);
    if (what === "corrupted" && known !== undefined) known.bytes = frame.slice();
  }

  /** The array is a new one: finds the hop whose bytes begin like it. */
  #truncate(direction: string, frame: Uint8Array): void {
    const { from, to } = endsOf(direction);
    const hop = [...this.#first, ...this.#last].findLast(
      (known) =>
        known.from === from &&
        known.to === to &&
        known.arrivedMs === undefined &&
        frame.every((byte, index) => byte === known.bytes[index]),
    );
    if (hop === undefined) return;
    hop.notes.push("truncated");
    hop.bytes = frame.slice();
    this.#inside.set(frame, hop);
  }

  /** The rows, with a description of each; and how many packets there were. */
  data(): { readonly total: number; readonly hops: readonly PacketHop[] } {
    const hops = [...this.#first, ...this.#last.slice(-this.#lastMax)].map(
      ({ bytes, ...hop }): PacketHop => ({ ...hop, text: describePacket(parseFrame(bytes)) }),
    );
    return { total: this.#total, hops };
  }

  #open(timeMs: number, direction: string, frame: Uint8Array): Hop {
    const { from, to } = endsOf(direction);
    // The frame is not ours: later stations may change it.
    const bytes = frame.slice();
    const hop: Hop = { number: ++this.#total, from, to, sentMs: timeMs, notes: [], bytes };
    this.#inside.set(frame, hop);
    if (this.#first.length < this.#firstMax) this.#first.push(hop);
    else this.#last.push(hop);
    if (this.#last.length > this.#lastMax * 2) this.#last = this.#last.slice(-this.#lastMax);
    return hop;
  }
}

/** `link: a>b` → a and b. */
export function endsOf(direction: string): { from: string; to: string } {
  const ends = direction.slice(direction.lastIndexOf(": ") + 1).trim();
  const cut = ends.indexOf(">");
  return { from: ends.slice(0, cut), to: ends.slice(cut + 1) };
}
