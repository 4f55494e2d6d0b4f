/**
 * How long a connection waits for an acknowledgment: R2 in repetitions (RFC 9293 section 3.8.3), or the
 * time that the application has set (RFC 5482 section 3.1), which then stands in its place.
 */
import { nowTick, TICK_SHIFT, tickAfter, tickLater } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Connection } from "./connection";

/**
 * Says whether patience is at its end: `limit` repetitions have gone unanswered, or what is at SND.UNA
 * has waited for the user timeout. `waitedUs` is how long the timer had run that has expired.
 */
export function isGivenUp(connection: Connection, limit: u32, waitedUs: u32): bool {
  if (connection.stalledUna != connection.sendUna) {
    connection.stalledUna = connection.sendUna;
    connection.stalledTick = nowTick - (waitedUs >> (<u32>TICK_SHIFT));
  }
  if (connection.userTimeoutMs == 0) return connection.retries >= limit;
  return <i32>(nowTick - end(connection)) >= 0;
}

/** Arms the main timer, for the end of patience if that comes first. */
export function armWithPatience(connection: Connection, waitUs: u32): void {
  let deadline = tickAfter(waitUs);
  if (connection.userTimeoutMs != 0) {
    const last = end(connection);
    if (<i32>(last - deadline) < 0) deadline = last;
  }
  armTimer(connection.timer, deadline);
}

function end(connection: Connection): u32 {
  return tickLater(connection.stalledTick, connection.userTimeoutMs);
}
