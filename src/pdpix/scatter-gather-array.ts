/**
 * A scatter-gather array: bytes in frames of the stack's memory.
 *
 * Ownership: `pop` and `allocate` give the array to the application, which ends its use by `push`
 * (the stack takes the frames over) or by `free`. Afterwards every use of it throws EINVAL; views
 * taken before then show whatever the frames are used for next.
 */
import {
  ERRNO_EINVAL,
  FRAME_LENGTH,
  FRAME_NEXT,
  FRAME_OFFSET,
  FRAME_RECORD_SHIFT,
  FRAME_SHIFT,
} from "../../assembly/layout";
import { DemibunError } from "../errors";
import type { Stack } from "../wasm/stack";
import type { SocketAddress } from "./socket-address";

export class ScatterGatherArray implements Disposable {
  readonly #stack: Stack;
  /** Record of the first frame; 0 for an array without frames (end of stream). */
  readonly #frame: number;
  #ended: "freed" | "pushed" | undefined;
  #segments: readonly Uint8Array<ArrayBuffer>[] | undefined;
  /** Bytes of all segments together. */
  readonly byteLength: number;
  /** The sender of a popped datagram. */
  readonly from: SocketAddress | undefined;

  constructor(stack: Stack, frame: number, byteLength: number, from?: SocketAddress) {
    this.#stack = stack;
    this.#frame = frame;
    this.byteLength = byteLength;
    this.from = from;
  }

  /** Views of the frames, in order, made at the first use. Throws EINVAL once pushed or freed. */
  get segments(): readonly Uint8Array<ArrayBuffer>[] {
    this.#assertOwned("segments");
    this.#segments ??= viewFrames(this.#stack, this.#frame);
    return this.#segments;
  }

  /** The bytes copied out of the frames; the array stays the caller's. */
  copy(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.byteLength);
    let at = 0;
    for (const segment of this.segments) {
      bytes.set(segment, at);
      at += segment.length;
    }
    return bytes;
  }

  /** Gives the frames back. Throws EINVAL when they were pushed or given back before. */
  free(): void {
    this.#assertOwned("free");
    this.#ended = "freed";
    this.#segments = undefined;
    if (this.#frame !== 0) this.#stack.exports.release(this.#frame);
  }

  /** The same as `free`, but does nothing for an array that was already pushed or freed. */
  [Symbol.dispose](): void {
    if (this.#ended === undefined) this.free();
  }

  /** The first frame's record, for a push about to be tried. Throws EINVAL when not owned. */
  frameOf(stack: Stack, operation: string): number {
    this.#assertOwned(operation);
    if (stack === this.#stack) return this.#frame;
    throw new DemibunError({
      operation,
      errno: ERRNO_EINVAL,
      detail: "the array belongs to another Demikernel instance",
      hint: "push a copy: array.copy()",
    });
  }

  /** Marks the frames as the stack's; called after a push has taken them. */
  surrender(): void {
    this.#ended = "pushed";
    this.#segments = undefined;
  }

  #assertOwned(operation: string): void {
    if (this.#ended === undefined) return;
    throw new DemibunError({
      operation,
      errno: ERRNO_EINVAL,
      detail: `the array has already been ${this.#ended}`,
    });
  }
}

function viewFrames(stack: Stack, first: number): Uint8Array<ArrayBuffer>[] {
  const { words, halves, bytes, map } = stack;
  const views: Uint8Array<ArrayBuffer>[] = [];
  for (let frame = first; frame !== 0; frame = words[(frame + FRAME_NEXT) >>> 2] as number) {
    const buffer =
      map.frames + (frame - map.frameRecords) * 2 ** (FRAME_SHIFT - FRAME_RECORD_SHIFT);
    const start = buffer + (halves[(frame + FRAME_OFFSET) >>> 1] as number);
    const length = halves[(frame + FRAME_LENGTH) >>> 1] as number;
    views.push(bytes.subarray(start, start + length));
  }
  return views;
}

/** Copies bytes into a chain that `allocate` has made for them. */
export function fillFrames(stack: Stack, first: number, source: Uint8Array): void {
  const { words, halves, bytes, map } = stack;
  let at = 0;
  for (let frame = first; frame !== 0; frame = words[(frame + FRAME_NEXT) >>> 2] as number) {
    const buffer =
      map.frames + (frame - map.frameRecords) * 2 ** (FRAME_SHIFT - FRAME_RECORD_SHIFT);
    const start = buffer + (halves[(frame + FRAME_OFFSET) >>> 1] as number);
    const length = halves[(frame + FRAME_LENGTH) >>> 1] as number;
    bytes.set(
      at === 0 && length === source.length ? source : source.subarray(at, at + length),
      start,
    );
    at += length;
  }
}
