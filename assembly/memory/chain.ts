/** Operations on chains of frames: allocate, trim, split, copy. */
import { FRAME_PAYLOAD, FRAME_SIZE, TX_HEADROOM } from "../layout";
import { copyBytes } from "./copy";
import { Frame, release, releaseFrame, takeFrame } from "./frame";

/** A chain with room and length for `bytes`, at most `perFrame` a frame; null when frames lack. */
export function allocateChain(bytes: u32, perFrame: u32): Frame | null {
  const limit = min(perFrame, FRAME_PAYLOAD);
  const head = takeFrame(TX_HEADROOM);
  if (head === null) return null;
  head.total = bytes;
  let frame: Frame = head;
  let left = bytes;
  while (true) {
    const length = min(left, limit);
    frame.length = <u16>length;
    left -= length;
    if (left == 0) return head;
    const next = takeFrame(TX_HEADROOM);
    if (next === null) {
      release(head);
      return null;
    }
    frame.next = next;
    frame = next;
  }
}

export function lastFrame(chain: Frame): Frame {
  let frame = chain;
  let next = frame.next;
  while (next !== null) {
    frame = next;
    next = frame.next;
  }
  return frame;
}

/**
 * Drops `bytes` from the start of a chain and returns its new first frame, which inherits `link`,
 * `total` and the rest of the packet's fields; frames that fall empty are released. `bytes` must be
 * below the chain's total, or equal to it: then one empty frame remains.
 */
export function trimFront(chain: Frame, bytes: u32): Frame {
  let frame = chain;
  let left = bytes;
  while (left >= <u32>frame.length) {
    const next = frame.next;
    if (next === null) break;
    left -= frame.length;
    next.link = frame.link;
    next.total = frame.total;
    next.sequence = frame.sequence;
    next.mark = frame.mark;
    next.detail = frame.detail;
    releaseFrame(frame);
    frame = next;
  }
  frame.offset += <u16>left;
  frame.length -= <u16>left;
  frame.total -= bytes;
  return frame;
}

/** Cuts a chain to its first `bytes`; frames behind them are released. */
export function trimBack(chain: Frame, bytes: u32): void {
  if (bytes >= chain.total) return;
  chain.total = bytes;
  let frame = chain;
  let left = bytes;
  while (left > <u32>frame.length) {
    left -= frame.length;
    frame = <Frame>frame.next;
  }
  frame.length = <u16>left;
  const rest = frame.next;
  frame.next = null;
  release(rest);
}

/**
 * Splits a chain after `bytes` (0 < bytes < total). The chain keeps its first part; the rest is
 * returned as a chain of its own. A cut inside a frame copies the rest of that frame into a new one,
 * because a buffer has one owner; null when there is no frame for that (nothing is changed then).
 */
export function splitChain(chain: Frame, bytes: u32): Frame | null {
  let frame = chain;
  let left = bytes;
  while (left > <u32>frame.length) {
    left -= frame.length;
    frame = <Frame>frame.next;
  }
  let rest: Frame;
  if (left == <u32>frame.length) {
    rest = <Frame>frame.next;
  } else {
    const copy = takeFrame(TX_HEADROOM);
    if (copy === null) return null;
    const length: u32 = frame.length - left;
    copy.offset = <u16>min(TX_HEADROOM, FRAME_SIZE - length);
    copyBytes(copy.data, frame.data + left, length);
    copy.length = <u16>length;
    copy.next = frame.next;
    frame.length = <u16>left;
    rest = copy;
  }
  frame.next = null;
  rest.total = chain.total - bytes;
  rest.link = null;
  chain.total = bytes;
  return rest;
}

/** Copies up to `bytes` of a chain, from `skip` bytes after its start, to `target`. */
export function copyOut(chain: Frame, skip: u32, target: usize, bytes: u32): void {
  let frame: Frame | null = chain;
  let from = skip;
  let to = target;
  let left = bytes;
  while (frame !== null && left > 0) {
    const length: u32 = frame.length;
    if (from < length) {
      const part = min(left, length - from);
      copyBytes(to, frame.data + from, part);
      to += part;
      left -= part;
      from = 0;
    } else {
      from -= length;
    }
    frame = frame.next;
  }
}

/** A copy of `bytes` of a chain, from `skip` bytes after its start; null when frames lack. */
export function copyChain(chain: Frame, skip: u32, bytes: u32): Frame | null {
  const copy = allocateChain(bytes, FRAME_PAYLOAD);
  let frame = copy;
  let from = skip;
  while (frame !== null) {
    copyOut(chain, from, frame.data, frame.length);
    from += frame.length;
    frame = frame.next;
  }
  return copy;
}

/** Moves a packet's start behind a header of `bytes`, which lies in its first frame. */
export function skipHeader(packet: Frame, bytes: u32): void {
  packet.offset += <u16>bytes;
  packet.length -= <u16>bytes;
  packet.total -= bytes;
}

/** Moves a packet's start `bytes` forward into its headroom, for a header to be written there. */
export function addHeader(packet: Frame, bytes: u32): void {
  packet.offset -= <u16>bytes;
  packet.length += <u16>bytes;
  packet.total += bytes;
}
