/**
 * Keep-alive (RFC 9293 section 3.8.4): off unless the application asks (MUST-24, MUST-25). A connection
 * on which nothing is outstanding and from which nothing has been heard for a while is probed (MUST-26);
 * only a number of probes without an answer in a row ends it (MUST-29).
 */
import { COUNTER_TCP_KEEP_ALIVE_PROBES, ERRNO_ETIMEDOUT } from "../../layout";
import { count } from "../../counters";
import { nowTick, tickLater } from "../../time/clock";
import { armTimer, disarmTimer } from "../../time/wheel";
import { Tcp } from "../../wire/tcp";
import { abort } from "./close";
import { CLOSE_WAIT, Connection, ESTABLISHED, FIN_WAIT_2, KEEP_ALIVE, ORPHAN } from "./connection";
import { transmitSegment } from "./transmit";

/** Nothing is outstanding any more: the main timer has no other task than to watch for silence. */
export function rest(connection: Connection): void {
  if (connection.has(KEEP_ALIVE)) watch(connection);
  else disarmTimer(connection.timer);
}

/** The option has been switched or its times have changed, or the connection is established. */
export function renewKeepAlive(connection: Connection): void {
  if (isIdle(connection)) rest(connection);
}

/** Says whether the main timer would be free but for keep-alive. */
function isIdle(connection: Connection): bool {
  const state = connection.state;
  if (state != ESTABLISHED && state != CLOSE_WAIT && state != FIN_WAIT_2) return false;
  if (connection.has(ORPHAN)) return false;
  // After a FIN of ours SND.NXT is one past the end of the data.
  const unsent = <i32>(connection.sendEnd - connection.sendNext);
  return connection.sendMax == connection.sendUna && unsent <= 0;
}

function watch(connection: Connection): void {
  connection.probesUnanswered = 0;
  armTimer(connection.timer, tickLater(connection.heardTick, connection.keepAliveIdleMs));
}

/** The user timeout, when there is one, stands in the place of the number of probes (RFC 5482). */
function isGivenUp(connection: Connection): bool {
  const unanswered = connection.probesUnanswered;
  const patienceMs = connection.userTimeoutMs;
  if (patienceMs == 0) return unanswered >= connection.keepAliveProbes;
  return unanswered > 0 && <i32>(nowTick - tickLater(connection.heardTick, patienceMs)) >= 0;
}

/** The main timer has expired and nothing is outstanding. */
export function keepAliveTimeout(connection: Connection): void {
  if (!connection.has(KEEP_ALIVE) || !isIdle(connection)) return;
  // An answer since the last probe, or data: silence begins anew.
  if (<i32>(connection.heardTick - connection.probeTick) >= 0) connection.probesUnanswered = 0;
  const due = tickLater(connection.heardTick, connection.keepAliveIdleMs);
  if (<i32>(nowTick - due) < 0) {
    watch(connection);
    return;
  }
  if (isGivenUp(connection)) {
    abort(connection, ERRNO_ETIMEDOUT);
    return;
  }
  if (connection.probesUnanswered != u8.MAX_VALUE) connection.probesUnanswered++;
  connection.probeTick = nowTick;
  armTimer(connection.timer, tickLater(nowTick, connection.keepAliveIntervalMs));
  count(COUNTER_TCP_KEEP_ALIVE_PROBES);
  // SEG.SEQ = SND.NXT − 1 lies outside the peer's window, so it has to answer; without a byte of
  // garbage, which only some very old peers need (SHLD-12).
  transmitSegment(connection, connection.sendNext - 1, 0, Tcp.ACK);
}
