/**
 * What keeps segments that are not full from leaving besides Nagle's algorithm: a cork, or a push that
 * says more comes. The flag NO_DELAY is what all of it comes to, so that those who send look at one bit.
 */
import {
  Connection,
  CORKED,
  MORE_COMES,
  NAGLE_OFF,
  NO_DELAY,
  PUSHING,
  UNFINISHED,
} from "./connection";

/** Says whether a small segment waits though nothing is in flight. */
export function isHeld(connection: Connection): bool {
  return connection.chose(CORKED | MORE_COMES) && !connection.chose(PUSHING);
}

/** The choices have changed. */
export function renewNoDelay(connection: Connection): void {
  const small = connection.chose(PUSHING) || (connection.chose(NAGLE_OFF) && !isHeld(connection));
  if (small) connection.set(NO_DELAY);
  else connection.clear(NO_DELAY);
}

export function setNagle(connection: Connection, on: bool): void {
  if (on) connection.unchoose(NAGLE_OFF);
  // What waits leaves now, even out of a corked socket.
  else connection.choose(NAGLE_OFF | PUSHING);
  renewNoDelay(connection);
}

export function setCork(connection: Connection, on: bool): void {
  if (on) connection.choose(CORKED);
  else connection.unchoose(CORKED);
  renewNoDelay(connection);
}

/** The push just queued is not the end of anything. */
export function expectMore(connection: Connection): void {
  connection.choose(MORE_COMES | UNFINISHED);
  renewNoDelay(connection);
}

/** The output that such a push has caused is over; other occasions do not wait for more. */
export function stopExpecting(connection: Connection): void {
  if (!connection.chose(MORE_COMES)) return;
  connection.unchoose(MORE_COMES);
  renewNoDelay(connection);
}

/** Another push follows, or what was held back leaves after all. */
export function forgetHolds(connection: Connection): void {
  const outdated = PUSHING | MORE_COMES | UNFINISHED;
  if (!connection.chose(outdated)) return;
  connection.unchoose(outdated);
  renewNoDelay(connection);
}
