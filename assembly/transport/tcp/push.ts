/** The send queue: arrays the application pushes, until the peer has acknowledged them. */
import { OPCODE_PUSH } from "../../layout";
import { Frame, releaseFrame } from "../../memory/frame";
import { complete } from "../../queue/completion";
import { Queue, sendLater, takeSending } from "../../queue/queue";
import { Token } from "../../queue/token";
import { Connection } from "./connection";
import { makeReady } from "./ready";

/** Bytes queued and not acknowledged. */
function queued(connection: Connection): u32 {
  return connection.sendEnd - connection.sendUna;
}

/**
 * Takes an array of at least one byte. The push completes when the send buffer has room for its
 * start; until then it waits in order, its frames already ours.
 */
export function push(connection: Connection, queue: Queue, token: Token, chain: Frame): void {
  token.size = chain.total;
  if (queue.sendHead !== null || queued(connection) >= connection.sendBuffer) {
    token.frame = chain;
    sendLater(queue, token);
    return;
  }
  append(connection, chain);
  complete(token, OPCODE_PUSH, null, token.size, 0);
}

/** Acknowledgments made room: takes waiting pushes in order. */
export function acceptWaitingPushes(connection: Connection, queue: Queue): void {
  while (queue.sendHead !== null && queued(connection) < connection.sendBuffer) {
    acceptNext(connection, queue);
  }
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
  let frame: Frame | null = chain;
  while (frame !== null) {
    const next: Frame | null = frame.next;
    frame.next = null;
    if (frame.length == 0) releaseFrame(frame);
    else appendFrame(connection, frame);
    frame = next;
  }
  makeReady(connection);
}

function appendFrame(connection: Connection, frame: Frame): void {
  frame.sequence = connection.sendEnd;
  connection.sendEnd += frame.length;
  const tail = connection.sendTail;
  if (tail === null) connection.sendHead = frame;
  else tail.next = frame;
  connection.sendTail = frame;
  if (connection.sendPoint === null) connection.sendPoint = frame;
}
