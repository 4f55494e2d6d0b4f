/**
 * Queues: what a queue descriptor (qd) names. One record serves every kind; the transport behind it
 * keeps its own record in `object`. Freed descriptors are reused last, so a stale one is noticed.
 */
import { QD_FIRST, QUEUE_FLAGS, QUEUE_OBJECT, QUEUE_SIZE } from "../layout";
import { carve } from "../memory/region";
import { Token } from "./token";

@unmanaged
export class Queue {
  /** KIND_…, or 0 while the descriptor is free. */
  kind: u8;
  flags: u8;
  reserved: u16;
  index: u32;
  /** Address of the transport's record; of the next free queue while this one is free. */
  object: usize;
  /** Pending pops or accepts, oldest first. */
  waitHead: Token | null;
  waitTail: Token | null;
  /** Pending pushes or a pending connect, oldest first. */
  sendHead: Token | null;
  sendTail: Token | null;
  closing: Token | null;

  @inline get qd(): u32 {
    return QD_FIRST + this.index;
  }
}

/** The application has closed the descriptor; its operations answer EBADF. */
export const QUEUE_CLOSED: u8 = 1;

if (offsetof<Queue>() != QUEUE_SIZE) ERROR("Queue drifted from layout.ts");
if (offsetof<Queue>("flags") != QUEUE_FLAGS) ERROR("Queue drifted from layout.ts");
if (offsetof<Queue>("object") != QUEUE_OBJECT) ERROR("Queue drifted from layout.ts");

let queues: usize = 0;
let queueCount: u32 = 0;
let freeFirst: usize = 0;
let freeLast: usize = 0;
let queuesOut: u32 = 0;

export function openQueues(limit: u32): void {
  queueCount = limit;
  queuesOut = 0;
  queues = carve(limit * QUEUE_SIZE, 64);
  freeFirst = queues;
  for (let index: u32 = 0; index < limit; index++) {
    const queue = changetype<Queue>(queues + <usize>index * QUEUE_SIZE);
    queue.index = index;
    freeLast = changetype<usize>(queue);
    queue.object = index + 1 < limit ? freeLast + QUEUE_SIZE : 0;
  }
}

/** Takes a free descriptor of `kind`; null when all are in use. */
export function takeQueue(kind: u8): Queue | null {
  if (freeFirst == 0) return null;
  const queue = changetype<Queue>(freeFirst);
  freeFirst = queue.object;
  if (freeFirst == 0) freeLast = 0;
  queue.kind = kind;
  queue.flags = 0;
  queue.object = 0;
  queue.waitHead = null;
  queue.waitTail = null;
  queue.sendHead = null;
  queue.sendTail = null;
  queue.closing = null;
  queuesOut++;
  return queue;
}

export function releaseQueue(queue: Queue): void {
  assert(queue.kind != 0, "a queue was released twice");
  queue.kind = 0;
  queue.object = 0;
  const at = changetype<usize>(queue);
  if (freeLast == 0) freeFirst = at;
  else changetype<Queue>(freeLast).object = at;
  freeLast = at;
  queuesOut--;
}

/** The pool, for observers: records of QUEUE_SIZE bytes, QD_FIRST the first. */
export function queueRecords(): usize {
  return queues;
}

/** Descriptors that may be taken. */
export function queuesFree(): u32 {
  return queueCount - queuesOut;
}

/** Descriptors in use. */
export function queuesOpen(): u32 {
  return queuesOut;
}

/** The open queue that `qd` names, or null. */
export function findQueue(qd: u32): Queue | null {
  const index = qd - QD_FIRST;
  if (index >= queueCount) return null;
  const queue = changetype<Queue>(queues + <usize>index * QUEUE_SIZE);
  if (queue.kind == 0 || (queue.flags & QUEUE_CLOSED) != 0) return null;
  return queue;
}

export function waitLater(queue: Queue, token: Token): void {
  const tail = queue.waitTail;
  if (tail === null) queue.waitHead = token;
  else tail.next = token;
  queue.waitTail = token;
}

/** Takes the oldest pending pop or accept. */
export function takeWaiting(queue: Queue): Token | null {
  const token = queue.waitHead;
  if (token === null) return null;
  queue.waitHead = token.next;
  if (token.next === null) queue.waitTail = null;
  token.next = null;
  return token;
}

export function sendLater(queue: Queue, token: Token): void {
  const tail = queue.sendTail;
  if (tail === null) queue.sendHead = token;
  else tail.next = token;
  queue.sendTail = token;
}

/** Takes the oldest pending push or the connect. */
export function takeSending(queue: Queue): Token | null {
  const token = queue.sendHead;
  if (token === null) return null;
  queue.sendHead = token.next;
  if (token.next === null) queue.sendTail = null;
  token.next = null;
  return token;
}
