/** The receive queue: bytes in order, from segments to pops. */
import { COUNTER_POOL_EXHAUSTED, FRAME_SIZE, OPCODE_POP, TX_HEADROOM } from "../../layout";
import { count } from "../../counters";
import { copyBytes } from "../../memory/copy";
import { lastFrame, splitChain, trimFront } from "../../memory/chain";
import { Frame, framesTotal, isSole, release, takeFrame } from "../../memory/frame";
import { complete } from "../../queue/completion";
import { Queue, takeWaiting, waitLater } from "../../queue/queue";
import { Token } from "../../queue/token";
import { nowTick } from "../../time/clock";
import { Connection } from "./connection";
import { acknowledgeNow, acknowledgeSoon } from "./delayed-ack";
import { isAtEnd } from "./close";
import { framesLeft } from "./pressure";
import { tuneReceiveBuffer } from "./receive-buffer";
import { makeReady } from "./ready";
import { FAST_DEFERRED } from "./record";
import { windowMayHaveOpened } from "./window";

/** Payloads up to this many bytes move into the room behind the last one, so that a flood of tiny
 * segments does not hold a frame each. */
const COALESCE_MAX: u32 = 256;

/** Takes a chain whose first byte is RCV.NXT; the caller says how it is to be acknowledged. */
export function append(connection: Connection, payload: Frame): void {
  const bytes = payload.total;
  const next = connection.receiveNext + bytes;
  if (next < connection.receiveNext) connection.receiveWraps++;
  connection.receiveNext = next;
  const tail = connection.receiveTail;
  if (tail === null) {
    connection.receiveHead = payload;
    connection.receiveTail = lastFrame(payload);
  } else if (!coalesce(tail, payload)) {
    tail.next = payload;
    connection.receiveTail = lastFrame(payload);
  }
  connection.receiveQueued += bytes;
}

function coalesce(tail: Frame, payload: Frame): bool {
  const length: u32 = payload.length;
  const used = <u32>tail.offset + <u32>tail.length;
  if (payload.next !== null || length > COALESCE_MAX || used + length > FRAME_SIZE) return false;
  if (!isSole(tail)) return false;
  copyBytes(tail.data + tail.length, payload.data, length);
  tail.length += <u16>length;
  release(payload);
  return true;
}

/**
 * Takes text that arrived in order: acknowledges it soon and serves pops that wait. False when it is
 * dropped, to be sent again: the pool is nearly empty. The device is given frames down to the last
 * eighth only, so unread text beyond that would end all receiving, acknowledgments included; text
 * that somebody waits for may take a little more than text that nobody reads.
 */
export function deliver(connection: Connection, payload: Frame): bool {
  if (isRefused(connection)) {
    count(COUNTER_POOL_EXHAUSTED);
    release(payload);
    acknowledgeNow(connection);
    return false;
  }
  const bytes = payload.total;
  append(connection, payload);
  acknowledgeSoon(connection, bytes);
  servePops(connection);
  if (<i32>(nowTick - connection.tuneTick) >= 0) tuneReceiveBuffer(connection);
  return true;
}

/** Says whether frames are so few that text has to wait for better times. */
export function isRefused(connection: Connection): bool {
  const total = framesTotal();
  const left = framesLeft(connection);
  if (left >= (total >> 3) + (total >> 5)) return false;
  return !isAwaited(connection) || left < (total >> 3) + (total >> 6);
}

function isAwaited(connection: Connection): bool {
  const queue = connection.queue;
  return queue !== null && queue.waitHead !== null;
}

export function servePops(connection: Connection): void {
  const queue = connection.queue;
  if (queue === null) return;
  while (queue.waitHead !== null && connection.receiveQueued != 0) {
    const token = <Token>queue.waitHead;
    const chain = takeReceived(connection, token.size);
    if (chain === null) return;
    takeWaiting(queue);
    complete(token, OPCODE_POP, chain, chain.total, 0);
  }
}

/** The application pops up to `token.size` bytes (0: all there are). */
export function pop(connection: Connection, queue: Queue, token: Token): void {
  waitLater(queue, token);
  if (connection.receiveQueued != 0) {
    servePops(connection);
    windowMayHaveOpened(connection);
  } else if (isAtEnd(connection)) {
    takeWaiting(queue);
    complete(token, OPCODE_POP, null, 0, 0);
  } else if (connection.isFast(FAST_DEFERRED)) {
    // Who waits for the peer without having said anything has nothing to send in the SYN.
    makeReady(connection);
  }
}

/** Takes up to `size` bytes off the queue; null when there is no frame to split one with. */
function takeReceived(connection: Connection, size: u32): Frame | null {
  const head = <Frame>connection.receiveHead;
  head.total = connection.receiveQueued;
  if (size == 0 || size >= connection.receiveQueued) {
    connection.receiveHead = null;
    connection.receiveTail = null;
    connection.receiveQueued = 0;
    return head;
  }
  // The smaller part of a frame that two arrays share is the one that is copied.
  if (size <= (<u32>head.length) >> 1) return copyFront(connection, head, size);
  const rest = splitChain(head, size);
  if (rest === null) return null;
  connection.receiveHead = rest;
  if (rest.next === null) connection.receiveTail = rest;
  connection.receiveQueued -= size;
  return head;
}

function copyFront(connection: Connection, head: Frame, size: u32): Frame | null {
  const copy = takeFrame(TX_HEADROOM);
  if (copy === null) return null;
  copyBytes(copy.data, head.data, size);
  copy.length = <u16>size;
  copy.total = size;
  connection.receiveHead = trimFront(head, size);
  connection.receiveQueued -= size;
  return copy;
}
