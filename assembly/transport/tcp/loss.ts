/**
 * What is lost of the data in flight (RFC 6675 section 4, RFC 8985 section 6.2). Frames are judged in
 * the order they were first sent, each once: `judged` is how far that has come. Those sent again are
 * judged anew when the earliest of them is late.
 */
import { Frame } from "../../memory/frame";
import { nowUs } from "../../time/clock";
import { Connection } from "./connection";
import { endsRecord } from "./record-end";
import { isReordering, reorderingWindowUs, repeatWindowUs } from "./reordering";
import { judgedFrame } from "./scoreboard";
import { cutFrame, lastOfRun, LOST, REPEATED, SACKED, SPOILT } from "./send-frame";
import { before } from "./sequence";

/** RFC 6675: DupThresh − 1 segments' worth of bytes above a hole say that it is lost. */
const LOSS_SEGMENTS: u32 = 2;

/** Marks what blocks and time have shown to be lost since the last call. */
export function judge(connection: Connection): void {
  if (connection.sackedBytes == 0) return;
  judgeFirst(connection);
  if (connection.repeatUs == 0) return;
  const windowUs = repeatWindowUs(connection);
  if (isLate(connection, connection.repeatUs, windowUs)) judgeRepeated(connection, windowUs);
}

/**
 * Bytes above a hole, more than which say that it is lost; none do where segments overtake each other
 * (RFC 8985 section 3.3.1).
 */
function lossThreshold(connection: Connection): u32 {
  return isReordering(connection) ? u32.MAX_VALUE : LOSS_SEGMENTS * <u32>connection.mss;
}

/**
 * What was sent once is lost when enough above it has arrived, or something sent later long enough
 * ago; where neither holds, it holds for nothing that was sent after.
 */
function judgeFirst(connection: Connection): void {
  const threshold = lossThreshold(connection);
  const windowUs = reorderingWindowUs(connection);
  let frame = judgedFrame(connection);
  if (frame === null) {
    // Acknowledged past it, and with it went what `sackedAbove` counted below SND.UNA.
    frame = connection.sendHead;
    connection.judged = connection.sendUna;
    connection.sackedAbove = connection.sackedBytes;
  }
  while (frame !== null && before(frame.sequence, connection.highestSacked)) {
    let last: Frame = frame;
    if ((frame.mark & SACKED) != 0) {
      last = lastOfRun(frame);
      connection.sackedAbove -= last.sequence + last.length - frame.sequence;
    } else if ((frame.mark & (REPEATED | LOST)) == 0) {
      if (connection.sackedAbove <= threshold && !isLate(connection, frame.total, windowUs)) break;
      markLost(connection, frame);
    }
    connection.judged = sentEnd(connection, last);
    frame = last.next;
  }
  connection.judgedFrame = frame;
}

/** What was sent again and is late once more, among all that has been judged. */
function judgeRepeated(connection: Connection, windowUs: u32): void {
  let earliest: u32 = 0;
  let frame = connection.sendHead;
  while (frame !== null && before(frame.sequence, connection.judged)) {
    if ((frame.mark & SACKED) != 0) {
      frame = lastOfRun(frame).next;
      continue;
    }
    if ((frame.mark & REPEATED) != 0) {
      if (isLate(connection, frame.total, windowUs)) {
        frame.mark &= ~REPEATED;
        markLost(connection, frame);
      } else if (earliest == 0 || <i32>(frame.total - earliest) < 0) {
        earliest = frame.total | 1;
      }
    }
    frame = frame.next;
  }
  connection.repeatUs = earliest;
}

function markLost(connection: Connection, frame: Frame): void {
  frame.mark |= LOST;
  connection.lostBytes += frame.length;
}

/** Three duplicates say that the oldest is lost, however little they tell of (RFC 6675 section 5). */
export function markHeadLost(connection: Connection): void {
  const head = connection.sendHead;
  // What bears a mark has been judged.
  if (head === null || (head.mark & (SACKED | REPEATED | LOST)) != 0) return;
  markLost(connection, head);
  connection.judged = sentEnd(connection, head);
  connection.judgedFrame = head.next;
}

/** Bytes that were sent and are neither acknowledged nor lost (RFC 6675 section 4, SetPipe). */
export function bytesInFlight(connection: Connection): u32 {
  const flight = connection.sendNext - connection.sendUna;
  const gone = connection.sackedBytes + connection.lostBytes;
  return flight > gone ? flight - gone : 0;
}

/** The first lost frame that has not been sent again, from `start` on; null when there is none. */
export function findLost(connection: Connection, start: Frame | null): Frame | null {
  if (connection.lostBytes == 0) return null;
  let frame = start;
  while (frame !== null && before(frame.sequence, connection.judged)) {
    if ((frame.mark & LOST) != 0) return frame;
    frame = (frame.mark & SACKED) != 0 ? lastOfRun(frame).next : frame.next;
  }
  return null;
}

/**
 * Bytes from a lost frame on that are lost side by side, up to a segment: whole frames, of which the
 * last one is cut for it. Where it cannot be cut the ones before it will do, or, if it is the first,
 * all of it that was sent, more than a segment.
 */
export function lostRun(connection: Connection, first: Frame): u32 {
  const mss: u32 = connection.mss;
  let bytes: u32 = 0;
  let frame: Frame | null = first;
  while (frame !== null && (frame.mark & LOST) != 0 && bytes < mss) {
    const room = mss - bytes;
    if (sentOf(connection, frame) > room && !cutFrame(connection, frame, room)) {
      return bytes != 0 ? bytes : sentOf(connection, frame);
    }
    bytes += sentOf(connection, frame);
    if (endsRecord(frame)) break;
    frame = frame.next;
  }
  return bytes;
}

/** Bytes of a frame in flight that were ever sent: the last one may hold more. */
function sentOf(connection: Connection, frame: Frame): u32 {
  return min<u32>(frame.length, connection.sendMax - frame.sequence);
}

function sentEnd(connection: Connection, frame: Frame): u32 {
  return frame.sequence + sentOf(connection, frame);
}

/** The frames of a segment were sent again; the one it ends in is cut there. */
export function markRepeated(connection: Connection, start: Frame, bytes: u32): void {
  let frame: Frame | null = start;
  let left = bytes;
  while (frame !== null && left != 0) {
    // What was never sent stays where it is, or it would count as lost by itself.
    if (left < sentOf(connection, frame)) cutFrame(connection, frame, left);
    if ((frame.mark & LOST) != 0) connection.lostBytes -= frame.length;
    frame.mark = (frame.mark | REPEATED | SPOILT) & ~LOST;
    left -= min(left, <u32>frame.length);
    frame = frame.next;
  }
  if (connection.repeatUs == 0) connection.repeatUs = (<u32>nowUs) | 1;
}

/** Microseconds until what was sent at `sentUs`, and overtaken, is lost; 0: it is. */
function untilLate(connection: Connection, sentUs: u32, windowUs: u32): u32 {
  const gone = <u32>nowUs - sentUs;
  const limit = connection.rackRttUs + windowUs;
  return gone >= limit ? 0 : limit - gone;
}

/** Something sent no earlier has arrived, a reordering window ago (RFC 8985 section 6.2 step 5). */
function isLate(connection: Connection, sentUs: u32, windowUs: u32): bool {
  return <i32>(connection.rackSentUs - sentUs) >= 0 && untilLate(connection, sentUs, windowUs) == 0;
}

/** Says whether the oldest segment in flight is lost by what has overtaken it. */
export function isHeadLost(connection: Connection): bool {
  const head = connection.sendHead;
  if (head === null || connection.sackedBytes == 0 || (head.mark & SACKED) != 0) return false;
  if (connection.sackedBytes > lossThreshold(connection)) return true;
  return isLate(connection, head.total, reorderingWindowUs(connection));
}

/** Microseconds until the oldest segment in flight may be taken for lost; u32.MAX_VALUE: no telling. */
export function untilHeadLost(connection: Connection): u32 {
  const head = connection.sendHead;
  if (head === null || connection.sackedBytes == 0 || (head.mark & SACKED) != 0) {
    return u32.MAX_VALUE;
  }
  if (<i32>(connection.rackSentUs - head.total) < 0) return u32.MAX_VALUE;
  return untilLate(connection, head.total, reorderingWindowUs(connection));
}
