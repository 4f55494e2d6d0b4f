/** The send queue: arrays the application pushes, until the peer has acknowledged them. */
import { FRAME_SIZE, OPCODE_PUSH } from "../../layout";
import { copyBytes } from "../../memory/copy";
import { Frame, isSole, releaseFrame } from "../../memory/frame";
import { complete } from "../../queue/completion";
import { Queue, sendLater, takeSending } from "../../queue/queue";
import { Token } from "../../queue/token";
import { Connection } from "./connection";
import { expectMore, forgetHolds } from "./holding";
import { makeReady } from "./ready";
import { endRecord, endsRecord, moveRecordEnd } from "./record-end";
import { clearMarks } from "./send-frame";
import { before } from "./sequence";

/** What a frame counts at least against the send buffer: the pool has an end, however little it holds. */
const FRAME_CHARGE: u32 = 256;
/** Up to this many bytes a push joins the frame before it, unless that has been sent. */
const GATHER_MAX: u32 = 256;

/** Says whether what is queued and not acknowledged, or not even sent, leaves room for more. */
function hasRoom(connection: Connection): bool {
  const bytes = connection.sendEnd - connection.sendUna;
  if (max(bytes, connection.sendFrames * FRAME_CHARGE) >= connection.sendBuffer) return false;
  const unsentMax = connection.unsentMax;
  return unsentMax == 0 || connection.sendEnd - connection.sendMax < unsentMax;
}

/**
 * Takes an array of at least one byte. The push completes when the send buffer has room for its
 * start; until then it waits in order, its frames already ours. With `more` it is no reason to send
 * a segment that is not full (RFC 9293 MAY-15: a call without its PUSH flag). With `last` what
 * follows begins a segment of its own.
 */
export function push(
  connection: Connection,
  queue: Queue,
  token: Token,
  chain: Frame,
  more: bool,
  last: bool,
): void {
  token.size = chain.total;
  if (last) endRecord(connection, chain);
  if (queue.sendHead !== null || !hasRoom(connection)) {
    token.frame = chain;
    sendLater(queue, token);
    return;
  }
  append(connection, chain);
  if (more) expectMore(connection);
  complete(token, OPCODE_PUSH, null, token.size, 0);
}

/** Acknowledgments made room: takes waiting pushes in order. */
export function acceptWaitingPushes(connection: Connection, queue: Queue): void {
  while (queue.sendHead !== null && hasRoom(connection)) {
    acceptNext(connection, queue);
  }
}

/** Takes waiting pushes for which there is room now; false when there are none. */
export function takeWaitingPushes(connection: Connection): bool {
  const queue = connection.queue;
  if (queue === null || queue.sendHead === null || !hasRoom(connection)) return false;
  acceptWaitingPushes(connection, queue);
  return true;
}

/** Takes every waiting push, as close does: what was pushed will be delivered. */
export function acceptEverything(connection: Connection, queue: Queue): void {
  while (queue.sendHead !== null) acceptNext(connection, queue);
}

function acceptNext(connection: Connection, queue: Queue): void {
  const token = <Token>takeSending(queue);
  const chain = token.frame;
  token.frame = null;
  if (chain !== null) append(connection, chain);
  complete(token, OPCODE_PUSH, null, token.size, 0);
}

/** Numbers the frames and puts them behind the queue; empty frames are left out. */
function append(connection: Connection, chain: Frame): void {
  forgetHolds(connection);
  let frame: Frame | null = chain;
  while (frame !== null) {
    const next: Frame | null = frame.next;
    frame.next = null;
    if (frame.length == 0 || gather(connection, frame)) releaseFrame(frame);
    else appendFrame(connection, frame);
    frame = next;
  }
  makeReady(connection);
}

/** Copies a small frame's bytes behind those of the last one that still waits. */
function gather(connection: Connection, frame: Frame): bool {
  const tail = connection.sendTail;
  const length: u32 = frame.length;
  if (tail === null || length > GATHER_MAX) return false;
  if (before(tail.sequence, connection.sendMax) || !isSole(tail) || endsRecord(tail)) return false;
  const together = <u32>tail.length + length;
  if (together > <u32>connection.mss || <u32>tail.offset + together > FRAME_SIZE) return false;
  copyBytes(tail.data + tail.length, frame.data, length);
  tail.length = <u16>together;
  moveRecordEnd(frame, tail);
  connection.sendEnd += length;
  // Everything before this was sent.
  if (connection.sendPoint === null) connection.sendPoint = tail;
  return true;
}

function appendFrame(connection: Connection, frame: Frame): void {
  frame.sequence = connection.sendEnd;
  clearMarks(frame);
  connection.sendEnd += frame.length;
  connection.sendFrames++;
  const tail = connection.sendTail;
  if (tail === null) connection.sendHead = frame;
  else tail.next = frame;
  connection.sendTail = frame;
  if (connection.sendPoint === null) connection.sendPoint = frame;
}
