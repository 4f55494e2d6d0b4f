/** TIME_WAIT (RFC 9293 section 3.6.1): records wait in order of age, so the oldest can give way. */
import { tickAfter } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Connection, READY, TIME_WAIT } from "./connection";
import { discard, settle } from "./close";
import { timeWaitUs } from "./settings";

let oldest: Connection | null = null;
let newest: Connection | null = null;

export function openTimeWait(): void {
  oldest = null;
  newest = null;
}

/** Enters TIME_WAIT, or restarts its 2 MSL when a FIN came again (MUST-13). */
export function enterTimeWait(connection: Connection): void {
  if (connection.state == TIME_WAIT) leaveTimeWait(connection);
  connection.state = TIME_WAIT;
  connection.listener = newest;
  connection.acceptNext = null;
  const last = newest;
  if (last === null) oldest = connection;
  else last.acceptNext = connection;
  newest = connection;
  armTimer(connection.timer, tickAfter(timeWaitUs()));
  settle(connection);
}

/** Takes a record out of the list; the caller gives it another state. */
export function leaveTimeWait(connection: Connection): void {
  const previous = connection.listener;
  const next = connection.acceptNext;
  if (previous === null) oldest = next;
  else previous.acceptNext = next;
  if (next === null) newest = previous;
  else next.listener = previous;
  connection.listener = null;
  connection.acceptNext = null;
}

/**
 * Frees the oldest record in TIME_WAIT that no descriptor holds and that owes no acknowledgment (the
 * ready list still has such a one, so its record would not be free yet). False when there is none.
 */
export function recycleTimeWait(): bool {
  let connection = oldest;
  while (connection !== null) {
    if (connection.queue === null && !connection.has(READY)) {
      discard(connection);
      return true;
    }
    connection = connection.acceptNext;
  }
  return false;
}
