/** The accept queue of a listener (RFC 9293 section 3.10.1, MUST-41). */
import {
  ADDRESS_SIZE,
  COMPLETION_ADDRESS,
  COMPLETION_PORT,
  COUNTER_TCP_CONNECTIONS_ACCEPTED,
  KIND_STREAM,
  OPCODE_ACCEPT,
} from "../../layout";
import { count } from "../../counters";
import { complete } from "../../queue/completion";
import { Queue, queuesFree, takeQueue, takeWaiting, waitLater } from "../../queue/queue";
import { Token } from "../../queue/token";
import { Connection, LISTEN, SYN_RECEIVED } from "./connection";
import { connectionAt, connectionsTotal } from "./connection-pool";
import { endRequest, isUnconfirmed } from "./fast-open-server";

/** A half-open connection has become established: to a pending accept, or into the queue. */
export function admit(connection: Connection): bool {
  const listener = connection.listener;
  if (listener === null) return false;
  listener.halfOpen--;
  listener.acceptable++;
  connection.acceptNext = null;
  const tail = listener.acceptTail;
  if (tail === null) listener.acceptHead = connection;
  else tail.acceptNext = connection;
  listener.acceptTail = connection;
  const queue = listener.queue;
  if (queue !== null && queue.waitHead !== null) serveAccepts(listener, queue);
  return true;
}

/** The application asks for a connection. */
export function accept(listener: Connection, queue: Queue, token: Token): void {
  waitLater(queue, token);
  if (listener.acceptHead !== null) serveAccepts(listener, queue);
}

/** Some accept found no free descriptor. */
let starved = false;

export function openAccepts(): void {
  starved = false;
}

/** Serves accepts that waited for a descriptor, for a host that has closed some since. */
export function serveStarved(): void {
  if (!starved || queuesFree() == 0) return;
  starved = false;
  const total = connectionsTotal();
  for (let index: u32 = 0; index < total; index++) {
    const listener = connectionAt(index);
    const queue = listener.queue;
    if (listener.state == LISTEN && queue !== null) serveAccepts(listener, queue);
  }
}

/** Marries pending accepts and waiting connections while both and free descriptors last. */
function serveAccepts(listener: Connection, queue: Queue): void {
  while (queue.waitHead !== null && listener.acceptHead !== null) {
    const accepted = takeQueue(<u8>KIND_STREAM);
    if (accepted === null) {
      starved = true;
      return;
    }
    const connection = takeFirst(listener);
    const token = <Token>takeWaiting(queue);
    connection.queue = accepted;
    accepted.object = changetype<usize>(connection);
    count(COUNTER_TCP_CONNECTIONS_ACCEPTED);
    const at = complete(token, OPCODE_ACCEPT, null, 0, accepted.qd);
    const remote = changetype<usize>(connection) + offsetof<Connection>("remoteHigh");
    memory.copy(at + COMPLETION_ADDRESS, remote, ADDRESS_SIZE);
    store<u32>(at, <u32>bswap<u16>(<u16>connection.ports), COMPLETION_PORT);
  }
}

function takeFirst(listener: Connection): Connection {
  const connection = <Connection>listener.acceptHead;
  listener.acceptHead = connection.acceptNext;
  if (connection.acceptNext === null) listener.acceptTail = null;
  // An unconfirmed request goes on counting at its listener.
  connection.acceptNext = isUnconfirmed(connection) ? listener : null;
  connection.listener = null;
  listener.acceptable--;
  return connection;
}

/** A connection ends before anybody accepted it: its place in the backlog is free again. */
export function leaveListener(connection: Connection): void {
  const listener = <Connection>connection.listener;
  const isHalfOpen = connection.state == SYN_RECEIVED && !isUnconfirmed(connection);
  endRequest(connection);
  connection.listener = null;
  if (isHalfOpen) {
    listener.halfOpen--;
    return;
  }
  listener.acceptable--;
  let previous: Connection | null = null;
  let each = listener.acceptHead;
  while (each !== null && each !== connection) {
    previous = each;
    each = each.acceptNext;
  }
  if (each === null) return;
  if (previous === null) listener.acceptHead = connection.acceptNext;
  else previous.acceptNext = connection.acceptNext;
  if (listener.acceptTail === connection) listener.acceptTail = previous;
  connection.acceptNext = null;
}
