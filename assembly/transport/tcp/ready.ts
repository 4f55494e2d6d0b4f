/**
 * The ready list: connections that may have something to send. Input and operations only put
 * connections here; one pass at the end of a batch sends, so that one acknowledgment answers many
 * segments (RFC 9293 MUST-58) and travels with data when there is some.
 */
import { CLOSED, Connection, READY } from "./connection";
import { returnConnection } from "./connection-pool";
import { output } from "./output";
import { predictedOutput } from "./predicted-output";

let first: Connection | null = null;
let last: Connection | null = null;

export function openReady(): void {
  first = null;
  last = null;
}

export function makeReady(connection: Connection): void {
  if (connection.has(READY)) return;
  connection.set(READY);
  connection.readyNext = null;
  const tail = last;
  if (tail === null) first = connection;
  else tail.readyNext = connection;
  last = connection;
}

/**
 * Sends for every connection on the list. Those that the device had no room for stay, in order, and
 * the walk ends there: the next one would find no room either.
 */
export function flushReady(): void {
  const end = last;
  while (first !== null) {
    const connection = <Connection>first;
    first = connection.readyNext;
    if (first === null) last = null;
    connection.clear(READY);
    if (connection.state == CLOSED) {
      // Its end came while it waited here; the record could not be reused before now.
      if (connection.queue === null) returnConnection(connection);
    } else if (!predictedOutput(connection) && !output(connection)) {
      putFirst(connection);
      return;
    }
    if (connection === end) return;
  }
}

function putFirst(connection: Connection): void {
  // It may wait for its time to depart besides, and is on the list already (pacing.ts).
  if (connection.has(READY)) return;
  connection.set(READY);
  connection.readyNext = first;
  if (first === null) last = connection;
  first = connection;
}
