/**
 * What the peer has of the data in flight, by its SACK blocks (RFC 2018, RFC 6675), kept in the frames
 * of the send queue: each knows whether it was selectively acknowledged, sent again, found lost, and
 * when it was last sent. A block that ends inside a frame cuts it there, so frames follow the segments
 * as far as losses ask for it and cost nothing as long as there are none.
 */
import { Frame } from "../../memory/frame";
import { nowUs } from "../../time/clock";
import { Connection } from "./connection";
import { reorderingSeen } from "./reordering";
import { cutFrame, lastOfRun, LOST, SACKED, SPOILT, TOP } from "./send-frame";
import { after, before, laterOf } from "./sequence";

/** Frames that the blocks of one acknowledgment may make us look at. */
const STEPS_MAX: u32 = 1024;
let stepsLeft: u32 = 0;
/** Before anything in flight was sent. */
const LONG_AGO_US: u32 = 1 << 30;

/** RACK.fack before them: what they tell of below this, and was sent once, has been overtaken. */
let highestDelivered: u32 = 0;

/** The blocks of another acknowledgment follow. */
export function beginBlocks(connection: Connection): void {
  stepsLeft = STEPS_MAX;
  const highest = connection.highestSacked;
  highestDelivered = connection.sackedBytes != 0 ? highest : connection.sendUna;
}

/** Takes a block that lies within SND.UNA..SND.MAX; returns the bytes that are new. */
export function markSacked(connection: Connection, left: u32, right: u32): u32 {
  if (connection.sackedBytes == 0) beginScoreboard(connection);
  let fresh: u32 = 0;
  let isReached = false;
  let frame = frameBefore(connection, left);
  while (frame !== null && before(frame.sequence, right) && stepsLeft != 0) {
    stepsLeft--;
    let last: Frame = frame;
    const isKnown = (frame.mark & SACKED) != 0;
    if (isKnown) last = lastOfRun(frame);
    if (after(last.sequence + last.length, left)) {
      if (!isKnown) {
        frame = cutBlock(connection, frame, left, right);
        last = frame;
        const end = frame.sequence + frame.length;
        const isWhole = !before(frame.sequence, left) && !after(end, right);
        if (isWhole) fresh += markFrame(connection, frame);
      }
      if (!isReached) noteTop(connection, frame);
      isReached = true;
    }
    frame = last.next;
  }
  if (frame === null || stepsLeft != 0) {
    connection.highestSacked = laterOf(connection.highestSacked, right);
  } else if (!isReached) {
    // Not told, as far as we know, or all before it would seem to be lost. The next one goes on here.
    noteTop(connection, frame);
  }
  return fresh;
}

/** Cuts a frame where a block begins and ends, as far as it can be cut; what begins with the block. */
function cutBlock(connection: Connection, whole: Frame, left: u32, right: u32): Frame {
  let frame = whole;
  if (before(frame.sequence, left) && cutFrame(connection, frame, left - frame.sequence)) {
    frame = <Frame>frame.next;
  }
  if (after(frame.sequence + frame.length, right)) {
    cutFrame(connection, frame, right - frame.sequence);
  }
  return frame;
}

/**
 * A frame from which the one that holds `left` is not far: the one with which the highest block began,
 * the first not judged, or the oldest. A long stretch that is missing would take all the steps that
 * there are, if it were walked for each block behind it.
 */
function frameBefore(connection: Connection, left: u32): Frame | null {
  const top = connection.topFrame;
  if (top !== null && !after(top.sequence, left)) return top;
  const judged = judgedFrame(connection);
  return judged === null || after(judged.sequence, left) ? connection.sendHead : judged;
}

/** A block begins with `frame`, or somewhere behind it. */
function noteTop(connection: Connection, frame: Frame): void {
  const top = connection.topFrame;
  if (top !== null) {
    if (!after(frame.sequence, top.sequence)) return;
    top.mark &= ~TOP;
  }
  frame.mark |= TOP;
  connection.topFrame = frame;
}

function markFrame(connection: Connection, frame: Frame): u32 {
  const length: u32 = frame.length;
  if ((frame.mark & LOST) != 0) connection.lostBytes -= length;
  frame.mark = (frame.mark | SACKED) & ~LOST;
  connection.sackedBytes += length;
  if (!before(frame.sequence, connection.judged)) connection.sackedAbove += length;
  if ((frame.mark & SPOILT) == 0 && before(frame.sequence, highestDelivered)) {
    reorderingSeen(connection);
  }
  noteDelivered(connection, frame);
  return length;
}

/** The frame that begins at `judged`; null when it has left the queue or not come yet. */
export function judgedFrame(connection: Connection): Frame | null {
  return before(connection.judged, connection.sendUna) ? null : connection.judgedFrame;
}

/**
 * RFC 8985 section 6.2 step 2: the latest sending of anything that has arrived. A frame sent twice
 * tells it only when the second sending is long enough ago to have made it; else the first may have.
 */
export function noteDelivered(connection: Connection, frame: Frame): void {
  const sentUs = frame.detail;
  if ((frame.mark & SPOILT) != 0 && <u32>nowUs - sentUs < connection.minRttUs) return;
  if (<i32>(sentUs - connection.rackSentUs) < 0) return;
  connection.rackSentUs = sentUs;
  connection.rackRttUs = <u32>nowUs - sentUs;
}

/** A frame leaves the send queue, acknowledged, with marks on it or on one behind it. */
export function forgetMarks(connection: Connection, frame: Frame): void {
  const isOvertaken =
    connection.sackedBytes != 0 &&
    (frame.mark & (SACKED | SPOILT)) == 0 &&
    before(frame.sequence, connection.highestSacked);
  trimMarks(connection, frame, frame.length);
  if ((frame.mark & TOP) != 0) connection.topFrame = null;
  if ((frame.mark & SACKED) == 0) noteDelivered(connection, frame);
  if (isOvertaken) reorderingSeen(connection);
}

/** Bytes below `una` that blocks have told of, before their frames leave the queue. */
export function sackedBelow(connection: Connection, una: u32): u32 {
  let bytes: u32 = 0;
  let frame = connection.sendHead;
  while (frame !== null && before(frame.sequence, una)) {
    if ((frame.mark & SACKED) != 0) bytes += min<u32>(frame.length, una - frame.sequence);
    frame = frame.next;
  }
  return bytes;
}

/** The first `bytes` of a frame are acknowledged. */
export function trimMarks(connection: Connection, frame: Frame, bytes: u32): void {
  if ((frame.mark & LOST) != 0) connection.lostBytes -= bytes;
  if ((frame.mark & SACKED) == 0) return;
  connection.sackedBytes -= bytes;
  if (!before(frame.sequence, connection.judged)) connection.sackedAbove -= bytes;
}

/** Numbers and times of the last loss may be so old that they compare as later ones. */
function beginScoreboard(connection: Connection): void {
  connection.highestSacked = connection.sendUna;
  connection.judged = connection.sendUna;
  connection.judgedFrame = null;
  connection.sackedAbove = 0;
  connection.cuts = 0;
  connection.rackSentUs = <u32>nowUs - LONG_AGO_US;
}

/** Forgets all the peer has told: after a timeout it may have dropped what it had (RFC 2018 section 8). */
export function clearScoreboard(connection: Connection): void {
  connection.sackedBytes = 0;
  connection.lostBytes = 0;
  connection.repeatUs = 0;
  connection.topFrame = null;
  beginScoreboard(connection);
  let frame = connection.sendHead;
  while (frame !== null) {
    frame.mark = (frame.mark & ~TOP) != 0 ? SPOILT : 0;
    frame.link = null;
    frame = frame.next;
  }
}

/**
 * Nothing was lost: what was sent again had arrived before, so only what was sent once and is told of by
 * blocks has overtaken anything. What lies between is judged anew.
 */
export function unmarkLost(connection: Connection): void {
  connection.lostBytes = 0;
  connection.judged = connection.sendUna;
  connection.judgedFrame = null;
  connection.rackSentUs = <u32>nowUs - LONG_AGO_US;
  let frame = connection.sendHead;
  while (frame !== null && before(frame.sequence, connection.highestSacked)) {
    frame.mark &= ~LOST;
    if ((frame.mark & (SACKED | SPOILT)) == SACKED) noteDelivered(connection, frame);
    frame = frame.next;
  }
}
