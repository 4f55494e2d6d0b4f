/**
 * Fast Open as the one who listens (RFC 7413 sections 4.1.2, 4.2.2 and 5.1): gives cookies, and takes
 * data from SYNs that bring one. Such a connection is the application's at once, in SYN-RECEIVED and
 * unconfirmed until the peer has acknowledged the SYN-ACK.
 */
import {
  COUNTER_TCP_FAST_OPEN_COOKIES_SENT,
  COUNTER_TCP_FAST_OPEN_PASSIVE,
  COUNTER_TCP_FAST_OPEN_PASSIVE_FAILED,
  FAST_OPEN_ALL_LISTENERS,
  FAST_OPEN_SERVER,
  FAST_OPEN_SERVER_NO_COOKIE,
} from "../../layout";
import { count } from "../../counters";
import { nowUs } from "../../time/clock";
import { admit } from "./accept";
import { initialiseCongestion } from "./congestion";
import { Connection, FIN_WAIT_1, SYN_RECEIVED } from "./connection";
import { connectionAt, connectionsTotal } from "./connection-pool";
import { append, isRefused } from "./deliver";
import { COOKIE_BYTES, cookieFor, isOldCookie } from "./fast-open-key";
import {
  COOKIE_NONE,
  cookieOptionBytes,
  isCookieExperimental,
  peerCookie,
  peerCookieBytes,
  writeCookieOption,
} from "./options";
import {
  FAST_COOKIE,
  FAST_DATA_ACKNOWLEDGED,
  FAST_EXPERIMENTAL,
  FAST_FIRST,
  FAST_NO_COOKIE,
  FAST_UNCONFIRMED,
} from "./record";
import { cutPayload, segmentBytes, takePayload } from "./segment";
import { allowsFastOpen } from "./settings";

/** The window of a SYN is never scaled, and no more than that may be in one. */
const SYN_DATA_MAX: u32 = 65535;
/** A minute, in which resets are counted, in µs. */
const MINUTE_US: u64 = 60_000_000;

/** A socket starts to listen: whether it takes data from SYNs without having been told so. */
export function listenFast(listener: Connection): void {
  if (listener.fastOpenBytes != 0 || !allowsFastOpen(FAST_OPEN_SERVER)) return;
  if (allowsFastOpen(FAST_OPEN_ALL_LISTENERS)) listener.fastOpenBytes = listener.backlog;
}

/**
 * A SYN, its options parsed, has put `connection` into SYN-RECEIVED. Says whether the application has
 * it already.
 */
export function considerFastOpen(connection: Connection, listener: Connection): bool {
  connection.fastOpen = FAST_FIRST;
  const hasCookie = peerCookieBytes != COOKIE_NONE;
  if (!hasCookie && segmentBytes == 0) return false;
  if (listener.fastOpenBytes == 0 || !allowsFastOpen(FAST_OPEN_SERVER)) return false;
  // Section 5.1: beyond the limit Fast Open does as if it were not there.
  if (countRequests(listener) >= <u32>listener.fastOpenBytes) {
    count(COUNTER_TCP_FAST_OPEN_PASSIVE_FAILED);
    return false;
  }
  if (isCookieExperimental) connection.fastOpen |= FAST_EXPERIMENTAL;
  if (listener.isFast(FAST_NO_COOKIE) || allowsFastOpen(FAST_OPEN_SERVER_NO_COOKIE)) {
    return openFast(connection, listener);
  }
  if (!hasCookie) return false;
  if (peerCookieBytes == 0) {
    connection.fastOpen |= FAST_COOKIE;
    return false;
  }
  return openByCookie(connection, listener);
}

function openByCookie(connection: Connection, listener: Connection): bool {
  const local = connection.local;
  const remote = connection.remote;
  const cookie = peerCookieBytes == COOKIE_BYTES ? load<u64>(peerCookie) : 0;
  const isCurrent = peerCookieBytes == COOKIE_BYTES && cookie == cookieFor(local, remote);
  const isOld = !isCurrent && peerCookieBytes == COOKIE_BYTES && isOldCookie(cookie, local, remote);
  if ((isCurrent || isOld) && openFast(connection, listener)) {
    if (isOld) connection.fastOpen |= FAST_COOKIE;
    return true;
  }
  // Section 4.2.2: only the SYN is acknowledged, and a cookie that will do comes with it.
  connection.fastOpen |= FAST_COOKIE;
  count(COUNTER_TCP_FAST_OPEN_PASSIVE_FAILED);
  return false;
}

/** Hands the connection over with the data of its SYN. False when there is no memory for them. */
function openFast(connection: Connection, listener: Connection): bool {
  if (segmentBytes != 0) {
    if (isRefused(connection)) return false;
    cutPayload(min(segmentBytes, min(connection.receiveBuffer, SYN_DATA_MAX)));
    append(connection, takePayload());
    connection.receiveEdge = connection.receiveNext;
    connection.fastOpen |= FAST_DATA_ACKNOWLEDGED;
  }
  count(COUNTER_TCP_FAST_OPEN_PASSIVE);
  connection.fastOpen |= FAST_UNCONFIRMED;
  listener.fastOpenRequests++;
  // Data of ours may leave before the peer has acknowledged the SYN: as if it had.
  connection.sendUna = connection.initialSend + 1;
  initialiseCongestion(connection);
  admit(connection);
  return true;
}

/** Bytes of the option in the SYN-ACK that leaves now: only the first has it. */
export function synAckCookieBytes(connection: Connection): u32 {
  if (!connection.isFast(FAST_FIRST) || !connection.isFast(FAST_COOKIE)) return 0;
  return cookieOptionBytes(COOKIE_BYTES, connection.isFast(FAST_EXPERIMENTAL));
}

export function writeSynAckCookie(connection: Connection, at: usize): void {
  const place = writeCookieOption(at, COOKIE_BYTES, connection.isFast(FAST_EXPERIMENTAL));
  store<u64>(place, cookieFor(connection.local, connection.remote));
  count(COUNTER_TCP_FAST_OPEN_COOKIES_SENT);
}

/** Says whether the application has a connection whose SYN-ACK nobody has acknowledged. */
export function isUnconfirmed(connection: Connection): bool {
  const state = connection.state;
  return (state == SYN_RECEIVED || state == FIN_WAIT_1) && connection.isFast(FAST_UNCONFIRMED);
}

/** The listener that counts this unconfirmed request, in the accept queue or accepted. */
function listenerOf(connection: Connection): Connection | null {
  return connection.listener !== null ? connection.listener : connection.acceptNext;
}

// A listener measures no round trips. Where others keep theirs it counts requests that were reset in this
// minute (`rttSequence`) and in the last one (`rttStart`), and `srtt` says which minute this is.

/** Requests of a listener that count against its limit, those that were reset in the last minute too. */
function countRequests(listener: Connection): u32 {
  turnMinute(listener);
  return <u32>listener.fastOpenRequests + listener.rttSequence + listener.rttStart;
}

function turnMinute(listener: Connection): void {
  const minute = <u32>(nowUs / MINUTE_US);
  const passed = minute - listener.srtt;
  if (passed == 0) return;
  listener.srtt = minute;
  listener.rttStart = passed == 1 ? listener.rttSequence : 0;
  listener.rttSequence = 0;
}

/**
 * The peer resets an unconfirmed request, which goes on counting for a minute or two: a SYN with a
 * stolen cookie and another's address is answered by that one's reset, and resets must not make room
 * for more of them (section 5.1).
 */
export function noteReset(connection: Connection): void {
  if (!isUnconfirmed(connection)) return;
  const listener = listenerOf(connection);
  if (listener === null) return;
  turnMinute(listener);
  listener.rttSequence++;
}

/** An unconfirmed request is confirmed or over. */
export function endRequest(connection: Connection): void {
  if (!connection.isFast(FAST_UNCONFIRMED)) return;
  const listener = listenerOf(connection);
  connection.fastOpen &= ~FAST_UNCONFIRMED;
  if (connection.listener === null) connection.acceptNext = null;
  if (listener !== null) listener.fastOpenRequests--;
}

/** A listener closes: requests that were accepted count nowhere any more. */
export function disownRequests(listener: Connection): void {
  const total = connectionsTotal();
  for (let index: u32 = 0; index < total && listener.fastOpenRequests > 0; index++) {
    const connection = connectionAt(index);
    if (!isUnconfirmed(connection) || listenerOf(connection) !== listener) continue;
    connection.acceptNext = null;
    listener.fastOpenRequests--;
  }
}
