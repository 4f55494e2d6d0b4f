/**
 * Frames of the send queue as loss recovery sees them: their marks, when they were last sent, and
 * cutting them where a segment or a block ends.
 *
 * `mark` holds the bits below, `total` the time of the last sending in microseconds, `detail` that of
 * the first one where segments share the frame, and in a frame that was selectively acknowledged `link`
 * may lead to a later one such that all between are too.
 */
import { FRAME_LOST, FRAME_REPEATED, FRAME_SACKED, FRAME_SIZE, TX_HEADROOM } from "../../layout";
import { copyBytes } from "../../memory/copy";
import { Frame, framesFree, framesTotal, takeFrame } from "../../memory/frame";
import { Connection } from "./connection";
import { moveRecordEnd } from "./record-end";
import { after, before } from "./sequence";

// `mark`, in short names.
export const SACKED: u32 = FRAME_SACKED;
export const REPEATED: u32 = FRAME_REPEATED;
export const LOST: u32 = FRAME_LOST;
/** Sent again ever, or told of before a timeout: its delivery tells of no order. */
export const SPOILT: u32 = 8;
/** The connection's `topFrame`, which it has to forget when the frame leaves the queue. */
export const TOP: u32 = 16;

/** Cuts that a peer may cause beyond two a segment in flight: it chooses its blocks. */
const CUTS_MAX: u32 = 64;

/** A frame joins the send queue. */
export function clearMarks(frame: Frame): void {
  frame.mark = 0;
  frame.link = null;
}

/**
 * Notes when the frames from `start` on were sent that `bytes` from `skip` on lie in. What segments of
 * different times share is as old as the first of them where it says that it has arrived (`detail`),
 * and as young as the last where it may be lost (`total`).
 */
export function stampSent(start: Frame, skip: u32, bytes: u32, timeUs: u32): void {
  let frame: Frame = start;
  let left = bytes + skip;
  if (skip == 0) frame.detail = timeUs;
  while (true) {
    frame.total = timeUs;
    if (frame !== start) frame.detail = timeUs;
    const length: u32 = frame.length;
    if (left <= length) return;
    left -= length;
    const next = frame.next;
    if (next === null) return;
    frame = next;
  }
}

/**
 * The last frame of the run of selectively acknowledged ones that `first` begins. What was found is
 * remembered in `first`, so a run is walked once however often it is passed.
 */
export function lastOfRun(first: Frame): Frame {
  let last = first;
  while (true) {
    const further = last.link;
    if (further !== null) {
      last = further;
      continue;
    }
    const next = last.next;
    if (next === null || (next.mark & SACKED) == 0) break;
    last = next;
  }
  if (last !== first) first.link = last;
  return last;
}

/** The frame that holds `sequence`, from `start` on; runs of acknowledged ones count as a step. */
export function frameHolding(start: Frame | null, sequence: u32): Frame | null {
  let frame = start;
  while (frame !== null && !after(frame.sequence + frame.length, sequence)) {
    if ((frame.mark & SACKED) != 0) {
      const last = lastOfRun(frame);
      if (!after(last.sequence + last.length, sequence)) frame = last;
    }
    frame = frame.next;
  }
  return frame;
}

/** The frame that begins at `sequence`, cut there if need be; null when it cannot be. */
export function frameFrom(connection: Connection, sequence: u32): Frame | null {
  const frame = frameHolding(connection.sendHead, sequence);
  if (frame === null || frame.sequence == sequence) return frame;
  return cutFrame(connection, frame, sequence - frame.sequence) ? frame.next : null;
}

/** Whole segments that were acknowledged take their cuts along. */
export function forgetCuts(connection: Connection, acknowledged: u32): void {
  const gone = 2 * (acknowledged / connection.mss);
  connection.cuts -= <u16>min<u32>(gone, connection.cuts);
}

/**
 * Cuts a frame of the send queue in two after `bytes`; false when it stays whole, for what cutting
 * costs has limits: segments have two ends each, and the pool's last quarter is for better use.
 */
export function cutFrame(connection: Connection, frame: Frame, bytes: u32): bool {
  const segments = (connection.sendMax - connection.sendUna) / connection.mss;
  if (connection.cuts >= 2 * segments + CUTS_MAX) return false;
  if (framesFree() < framesTotal() >> 2) return false;
  const rest = takeFrame(TX_HEADROOM);
  if (rest === null) return false;
  const length: u32 = frame.length - bytes;
  rest.offset = <u16>min(TX_HEADROOM, FRAME_SIZE - length);
  copyBytes(rest.data, frame.data + bytes, length);
  rest.length = <u16>length;
  rest.sequence = frame.sequence + bytes;
  rest.total = frame.total;
  rest.detail = frame.detail;
  rest.mark = frame.mark & ~TOP;
  if (!before(rest.sequence, connection.sendMax)) forgetUnsent(connection, rest);
  moveRecordEnd(frame, rest);
  rest.next = frame.next;
  frame.length = <u16>bytes;
  frame.next = rest;
  connection.sendFrames++;
  connection.cuts++;
  if (connection.sendTail === frame) connection.sendTail = rest;
  if (connection.sendPoint === frame && !before(connection.sendNext, rest.sequence)) {
    connection.sendPoint = rest;
  }
  return true;
}

/** What is cut off was never sent: it was marked with what had been, and is yet to be judged. */
function forgetUnsent(connection: Connection, rest: Frame): void {
  if ((rest.mark & LOST) != 0) connection.lostBytes -= rest.length;
  rest.mark = 0;
  if (rest.sequence == connection.judged) connection.judgedFrame = rest;
}

/** `bytes` from `sequence` are being sent again in the order in which they were. */
export function markSpoilt(connection: Connection, sequence: u32, bytes: u32): void {
  const end = sequence + bytes;
  let frame = connection.sendPoint;
  if (frame === null || after(frame.sequence, sequence)) frame = connection.sendHead;
  while (frame !== null && before(frame.sequence, end)) {
    if (after(frame.sequence + frame.length, sequence)) frame.mark |= SPOILT;
    frame = frame.next;
  }
}
