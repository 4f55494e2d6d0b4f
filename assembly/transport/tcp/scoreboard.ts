/**
 * What the peer has of the data in flight, by its SACK blocks (RFC 2018, RFC 6675), kept in the frames
 * of the send queue: each knows whether it was selectively acknowledged, sent again, and when it was
 * last sent. A block that ends inside a frame cuts it there, so frames follow the segments as far as
 * losses ask for it and cost nothing as long as there are none.
 */
import { FRAME_SIZE, TX_HEADROOM } from "../../layout";
import { copyBytes } from "../../memory/copy";
import { Frame, takeFrame } from "../../memory/frame";
import { nowUs } from "../../time/clock";
import { Connection } from "./connection";
import { after, before, earlierOf, laterOf } from "./sequence";

// Marks of a frame in the send queue.
/** Selectively acknowledged. */
const SACKED: u32 = 1;
/** Sent again since it was last found lost. */
const REPEATED: u32 = 2;

/** Frames that one acknowledgment may make us look at: a peer chooses its blocks, not our work. */
const STEPS_MAX: u32 = 2048;
/** RFC 6675: DupThresh − 1 segments' worth of bytes above a hole say that it is lost. */
const LOSS_SEGMENTS: u32 = 2;
/** Frames more than its bytes need that a send queue may be cut into. */
const CUTS_MAX: u32 = 256;

/** A frame joins the send queue. */
export function clearMarks(frame: Frame): void {
  frame.mark = 0;
}

/** Notes when the frames from `start` on were sent that `bytes` from `skip` on lie in. */
export function stampSent(start: Frame, skip: u32, bytes: u32, timeUs: u32): void {
  let frame: Frame = start;
  let left = bytes + skip;
  while (true) {
    frame.total = timeUs;
    const length: u32 = frame.length;
    if (left <= length) return;
    left -= length;
    const next = frame.next;
    if (next === null) return;
    frame = next;
  }
}

/** Takes a block that lies within SND.UNA..SND.MAX; returns the bytes that are new. */
export function markSacked(connection: Connection, left: u32, right: u32): u32 {
  let fresh: u32 = 0;
  let steps: u32 = 0;
  let frame = connection.sendHead;
  while (frame !== null && before(frame.sequence, right) && steps < STEPS_MAX) {
    steps++;
    const end = frame.sequence + frame.length;
    if ((frame.mark & SACKED) == 0 && after(end, left)) {
      if (before(frame.sequence, left) && cutFrame(connection, frame, left - frame.sequence)) {
        frame = <Frame>frame.next;
      }
      if (after(frame.sequence + frame.length, right)) {
        cutFrame(connection, frame, right - frame.sequence);
      }
      const whole = !before(frame.sequence, left) && !after(frame.sequence + frame.length, right);
      if (whole) fresh += markFrame(connection, frame);
    }
    frame = frame.next;
  }
  connection.highestSacked = laterOf(connection.highestSacked, right);
  return fresh;
}

function markFrame(connection: Connection, frame: Frame): u32 {
  frame.mark |= SACKED;
  connection.sackedBytes += frame.length;
  noteDelivered(connection, frame);
  return frame.length;
}

/**
 * RFC 8985 section 6.2 step 2: the latest sending of anything that has arrived. A frame sent twice
 * tells it only when the second sending is long enough ago to have made it; else the first may have.
 */
export function noteDelivered(connection: Connection, frame: Frame): void {
  const sentUs = frame.total;
  if ((frame.mark & REPEATED) != 0 && <u32>nowUs - sentUs < (connection.srtt >> 3) >> 1) return;
  if (<i32>(sentUs - connection.rackSentUs) < 0) return;
  connection.rackSentUs = sentUs;
  connection.rackRttUs = <u32>nowUs - sentUs;
}

/** A frame leaves the send queue, acknowledged. */
export function forgetMarks(connection: Connection, frame: Frame): void {
  if ((frame.mark & SACKED) != 0) connection.sackedBytes -= frame.length;
  else noteDelivered(connection, frame);
}

/** The first `bytes` of a frame are acknowledged. */
export function trimMarks(connection: Connection, frame: Frame, bytes: u32): void {
  if ((frame.mark & SACKED) != 0) connection.sackedBytes -= bytes;
}

/** Forgets all the peer has told: after a timeout it may have dropped what it had (RFC 2018 section 8). */
export function clearScoreboard(connection: Connection): void {
  connection.sackedBytes = 0;
  connection.highestSacked = connection.sendUna;
  for (let frame = connection.sendHead; frame !== null;) {
    frame.mark = 0;
    const next: Frame | null = frame.next;
    frame = next;
  }
}

/**
 * Bytes in flight: what was sent and is neither acknowledged nor lost (RFC 6675 section 4, SetPipe and
 * IsLost; RFC 8985 section 6.2 step 5 for what was sent before something that has arrived).
 */
export function bytesInFlight(connection: Connection): u32 {
  const top = connection.highestSacked;
  const threshold = LOSS_SEGMENTS * <u32>connection.mss;
  let above = connection.sackedBytes;
  let steps: u32 = 0;
  let pipe: u32 = 0;
  let reached = connection.sendUna;
  let frame = connection.sendHead;
  while (frame !== null && before(frame.sequence, top) && steps < STEPS_MAX) {
    steps++;
    const length: u32 = frame.length;
    reached = frame.sequence + length;
    if ((frame.mark & SACKED) != 0) {
      above -= length;
    } else if (!isLost(connection, frame, above > threshold)) {
      pipe += length;
    }
    frame = frame.next;
  }
  return pipe + (connection.sendNext - earlierOf(connection.sendNext, reached));
}

/**
 * The first lost segment that has not been sent again, from `from` on; null when there is none.
 * `lostRun` tells how much of it to send.
 */
export function findLost(connection: Connection, from: u32): Frame | null {
  const top = connection.highestSacked;
  const threshold = LOSS_SEGMENTS * <u32>connection.mss;
  let above = connection.sackedBytes;
  let steps: u32 = 0;
  let frame = connection.sendHead;
  while (frame !== null && before(frame.sequence, top) && steps < STEPS_MAX) {
    steps++;
    if ((frame.mark & SACKED) != 0) above -= frame.length;
    else if (!before(frame.sequence, from) && (frame.mark & REPEATED) == 0) {
      if (isLost(connection, frame, above > threshold)) return frame;
    }
    frame = frame.next;
  }
  return null;
}

/** Says whether a frame that was not acknowledged is lost; one that was sent again may be so anew. */
function isLost(connection: Connection, frame: Frame, overtaken: bool): bool {
  const late = isOvertaken(connection, frame);
  if ((frame.mark & REPEATED) == 0) return overtaken || late;
  if (!late) return false;
  frame.mark &= ~REPEATED;
  return true;
}

/** RACK.reo_wnd: how much later than its successors a segment may come, a quarter of a round trip. */
function reorderingWindowUs(connection: Connection): u32 {
  return connection.srtt >> 5;
}

/** Microseconds until a frame that something sent as late has overtaken is lost; 0: it is. */
function untilLost(connection: Connection, frame: Frame): u32 {
  const gone = <u32>nowUs - frame.total;
  const limit = connection.rackRttUs + reorderingWindowUs(connection);
  return gone >= limit ? 0 : limit - gone;
}

/** Something sent no earlier has arrived, a reordering window ago (RFC 8985 section 6.2 step 5). */
function isOvertaken(connection: Connection, frame: Frame): bool {
  return (
    connection.sackedBytes != 0 &&
    <i32>(connection.rackSentUs - frame.total) >= 0 &&
    untilLost(connection, frame) == 0
  );
}

/** Microseconds until the oldest segment in flight may be taken for lost; u32.MAX_VALUE: no telling. */
export function untilHeadLost(connection: Connection): u32 {
  const head = connection.sendHead;
  if (head === null || connection.sackedBytes == 0 || (head.mark & SACKED) != 0) {
    return u32.MAX_VALUE;
  }
  if (<i32>(connection.rackSentUs - head.total) < 0) return u32.MAX_VALUE;
  return untilLost(connection, head);
}

/** Lost frames from `frame` on that lie side by side, up to a segment. */
export function lostRun(connection: Connection, frame: Frame): u32 {
  let bytes: u32 = 0;
  let each: Frame | null = frame;
  while (each !== null && bytes < <u32>connection.mss) {
    if (each.mark != 0 || !before(each.sequence, connection.highestSacked)) break;
    bytes += each.length;
    each = each.next;
  }
  // A frame may hold bytes that were never sent.
  return min(min(bytes, <u32>connection.mss), connection.sendMax - frame.sequence);
}

/** The frames of a segment were sent again. */
export function markRepeated(connection: Connection, start: Frame, bytes: u32): void {
  let frame: Frame | null = start;
  let left = bytes;
  while (frame !== null && left >= <u32>frame.length) {
    frame.mark |= REPEATED;
    left -= frame.length;
    frame = frame.next;
  }
  // The rest of a frame that a segment ends in is another one's.
  if (frame !== null && left != 0 && cutFrame(connection, frame, left)) frame.mark |= REPEATED;
}

/** The frame that begins at `sequence`, cut there if need be; null when it cannot be. */
export function frameFrom(connection: Connection, sequence: u32): Frame | null {
  let frame = connection.sendHead;
  while (frame !== null && !after(frame.sequence + frame.length, sequence)) frame = frame.next;
  if (frame === null || frame.sequence == sequence) return frame;
  return cutFrame(connection, frame, sequence - frame.sequence) ? frame.next : null;
}

/** Says whether the oldest segment in flight is lost by what has overtaken it. */
export function isHeadLost(connection: Connection): bool {
  const head = connection.sendHead;
  if (head === null || connection.sackedBytes == 0 || (head.mark & SACKED) != 0) return false;
  return (
    connection.sackedBytes > LOSS_SEGMENTS * <u32>connection.mss || isOvertaken(connection, head)
  );
}

/** Cuts a frame of the send queue in two after `bytes`; false when it stays whole. */
function cutFrame(connection: Connection, frame: Frame, bytes: u32): bool {
  const limit = connection.sendBuffer / connection.mss + CUTS_MAX;
  if (connection.sendFrames >= 2 * limit) return false;
  const rest = takeFrame(TX_HEADROOM);
  if (rest === null) return false;
  const length: u32 = frame.length - bytes;
  rest.offset = <u16>min(TX_HEADROOM, FRAME_SIZE - length);
  copyBytes(rest.data, frame.data + bytes, length);
  rest.length = <u16>length;
  rest.sequence = frame.sequence + bytes;
  rest.total = frame.total;
  rest.mark = frame.mark;
  rest.next = frame.next;
  frame.length = <u16>bytes;
  frame.next = rest;
  connection.sendFrames++;
  if (connection.sendTail === frame) connection.sendTail = rest;
  if (connection.sendPoint === frame && !before(connection.sendNext, rest.sequence)) {
    connection.sendPoint = rest;
  }
  return true;
}
