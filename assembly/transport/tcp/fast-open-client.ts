/**
 * Fast Open as the one who connects (RFC 7413 sections 4.1.3 and 4.2.1): asks for cookies, waits with
 * the SYN for data to send in it, and sends again what the SYN-ACK does not acknowledge.
 */
import {
  COUNTER_TCP_FAST_OPEN_ACTIVE,
  COUNTER_TCP_FAST_OPEN_ACTIVE_FAILED,
  COUNTER_TCP_PATH_MTU_LOWERED,
  FAST_OPEN_CLIENT,
  FAST_OPEN_CLIENT_NO_COOKIE,
  FRAME_SIZE,
  TX_HEADROOM,
} from "../../layout";
import { count } from "../../counters";
import { copyOut } from "../../memory/chain";
import { copyBytes } from "../../memory/copy";
import { Frame } from "../../memory/frame";
import { pathMtu, PATH_MTU_FLOOR, rememberPath } from "../../network/path-mtu";
import { nowUs, tickAfter } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Ipv4 } from "../../wire/ipv4";
import { Tcp } from "../../wire/tcp";
import { trimSendQueue } from "./acknowledge";
import { Connection, DELAYING, FIN_QUEUED, RTT_TIMING } from "./connection";
import { extendControl } from "./control";
import {
  isKnownExperimental,
  isPaused,
  knownCookie,
  knownCookieBytes,
  knownMss,
  pauseServer,
  recallServer,
  rememberCookie,
  rememberMss,
  rememberRefusal,
} from "./fast-open-cache";
import { announcedMss, sendSynAgain } from "./handshake";
import {
  COOKIE_NONE,
  cookieOptionBytes,
  isCookieExperimental,
  MSS_DEFAULT,
  peerCookie,
  peerCookieBytes,
  peerMss,
  writeCookieOption,
} from "./options";
import { makeReady } from "./ready";
import {
  FAST_ASKED,
  FAST_CONNECT,
  FAST_DATA_ACKNOWLEDGED,
  FAST_DEFERRED,
  FAST_EXPERIMENTAL,
  FAST_FIRST,
  FAST_NO_COOKIE,
  FAST_REFUSED,
} from "./record";
import { countRetransmission } from "./retransmit";
import { timeoutUs } from "./rtt";
import { stampSent } from "./send-frame";
import { segmentAcknowledgment } from "./segment";
import { allowsFastOpen, allowsLargeSyns, fastOpenPauseMs } from "./settings";

/** Headers with all the options there can be. */
const HEADERS_MAX: u32 = Ipv4.HEADER_LENGTH + Tcp.HEADER_LENGTH + 40;
/** Room that data leave for options which boxes on the way may add. */
const OPTIONS_MAX: u32 = 40;
/** Section 4.1.3: a larger SYN than usual might confuse boxes on the way. */
const TYPICAL_MSS: u32 = 1460;

// Whatever a SYN carries, it leaves as one frame.
if (TYPICAL_MSS - OPTIONS_MAX + HEADERS_MAX > FRAME_SIZE - TX_HEADROOM) ERROR("large SYNs");

/** Connect begins. Says whether it waits for data, which can go in the SYN. */
export function beginFastOpen(connection: Connection): bool {
  if (!connection.isFast(FAST_CONNECT) || !allowsFastOpen(FAST_OPEN_CLIENT)) return false;
  if (isPaused(connection.local, connection.remote)) return false;
  connection.fastOpen |= FAST_FIRST;
  if (!needsCookie(connection)) {
    connection.fastOpen |= FAST_DEFERRED;
    return true;
  }
  recallServer(connection.local, connection.remote);
  connection.fastOpen |= FAST_ASKED;
  if (isKnownExperimental) connection.fastOpen |= FAST_EXPERIMENTAL;
  if (knownCookieBytes == 0) return false;
  connection.fastOpen |= FAST_DEFERRED;
  return true;
}

function needsCookie(connection: Connection): bool {
  return !connection.isFast(FAST_NO_COOKIE) && !allowsFastOpen(FAST_OPEN_CLIENT_NO_COOKIE);
}

/** Says whether a connect that waits for data has any, or knows that none will come in time. */
export function mayEndDeferral(connection: Connection): bool {
  const queue = connection.queue;
  if (connection.sendHead !== null || connection.has(FIN_QUEUED)) return true;
  return queue !== null && queue.waitHead !== null;
}

/** The SYN leaves that connect has kept back, with what has been pushed. */
export function endDeferral(connection: Connection): void {
  connection.rttStart = <u32>nowUs;
  sendSynAgain(connection);
  armTimer(connection.timer, tickAfter(timeoutUs(connection)));
}

/** Bytes of data that the SYN of a connect that waits for them can carry. */
export function synRoom(connection: Connection): u32 {
  if (!connection.isFast(FAST_DEFERRED)) return 0;
  recallServer(connection.local, connection.remote);
  const own = announcedMss(connection.nic, connection.mssMax);
  // RFC 7413 section 4.1.3: what the server last announced bounds it, or else the default.
  const unknown = allowsLargeSyns() ? own : MSS_DEFAULT;
  let mss = min(min(knownMss != 0 ? knownMss : unknown, own), TYPICAL_MSS);
  const path = pathMtu(connection.remote, Ipv4.PROTOCOL_TCP);
  if (path > HEADERS_MAX) mss = min(mss, path - Ipv4.HEADER_LENGTH - Tcp.HEADER_LENGTH);
  return mss > OPTIONS_MAX ? mss - OPTIONS_MAX : 0;
}

/** Bytes of the option in the SYN that leaves now: only the first has it (section 4.2.1). */
export function synCookieBytes(connection: Connection): u32 {
  if (!connection.isFast(FAST_FIRST) || !connection.isFast(FAST_ASKED)) return 0;
  recallServer(connection.local, connection.remote);
  return cookieOptionBytes(knownCookieBytes, connection.isFast(FAST_EXPERIMENTAL));
}

/** Writes the option that `synCookieBytes` has just measured. */
export function writeSynCookie(connection: Connection, at: usize): void {
  const place = writeCookieOption(at, knownCookieBytes, connection.isFast(FAST_EXPERIMENTAL));
  copyBytes(place, knownCookie, knownCookieBytes);
}

/** Adds what fits of the data that connect has waited for to the SYN, its options written. */
export function addSynData(connection: Connection, packet: Frame): void {
  const head = connection.sendHead;
  if (head === null || !connection.isFast(FAST_DEFERRED)) return;
  const bytes = min(synRoom(connection), connection.sendEnd - connection.sendNext);
  if (bytes == 0) return;
  copyOut(head, 0, extendControl(packet, bytes), bytes);
  stampSent(head, 0, bytes, <u32>nowUs);
  connection.fastOpenBytes = <u16>bytes;
  connection.sendNext += bytes;
  connection.sendMax = connection.sendNext;
}

/** Says whether SEG.ACK acknowledges our SYN and no more than the data in it. */
export function isSynAcknowledged(connection: Connection): bool {
  const first = connection.initialSend + 1;
  return segmentAcknowledgment - first <= connection.sendMax - first;
}

/**
 * What the SYN-ACK being processed, its options parsed and SND.UNA set by it, tells for the next connect
 * (section 4.1.3). `repeated` says that it may answer a SYN without data.
 */
export function learnFromSynAck(connection: Connection, repeated: bool): void {
  const local = connection.local;
  const remote = connection.remote;
  const hasData = connection.fastOpenBytes != 0;
  rememberMss(local, remote, peerMss);
  // A cookie that was not asked for is not kept.
  const asked = connection.isFast(FAST_ASKED);
  if (asked && peerCookieBytes != COOKIE_NONE && peerCookieBytes != 0) {
    rememberCookie(local, remote, peerCookie, peerCookieBytes, isCookieExperimental);
  } else if (hasData && connection.sendUna == connection.initialSend + 1) {
    // Section 4.1.3.1: neither the data nor a better cookie were worth an answer.
    pauseServer(local, remote, fastOpenPauseMs());
  } else if (asked && !hasData && !repeated) {
    rememberRefusal(local, remote, connection.isFast(FAST_EXPERIMENTAL));
  }
}

/**
 * Of the data in our SYN those before SND.UNA are acknowledged. The rest goes again at once, and cwnd
 * stays: it was not a loss, or that of the SYN itself, which has been taken into account.
 */
export function settleSynData(connection: Connection): void {
  if (connection.fastOpenBytes == 0) return;
  const una = connection.sendUna;
  trimSendQueue(connection, una);
  connection.sendNext = una;
  connection.sendPoint = connection.sendHead;
  if (una == connection.sendMax) {
    connection.fastOpen |= FAST_DATA_ACKNOWLEDGED;
    count(COUNTER_TCP_FAST_OPEN_ACTIVE);
  } else {
    count(COUNTER_TCP_FAST_OPEN_ACTIVE_FAILED);
  }
  if (connection.sendEnd != una) makeReady(connection);
  // Who has more to say acknowledges with it.
  if (connection.sendEnd != connection.sendMax) connection.choose(DELAYING);
}

/**
 * A router says that our SYN of this number was larger than `mtu`. The data in it are why: it goes again
 * without them, once and at once, and this is no sign of congestion (RFC 1191 section 6.4).
 */
export function synTooBig(connection: Connection, sequence: u32, mtu: u32): void {
  const bytes: u32 = connection.fastOpenBytes;
  if (bytes == 0 || connection.isFast(FAST_REFUSED) || sequence != connection.initialSend) return;
  if (mtu >= bytes + HEADERS_MAX) return;
  connection.fastOpen |= FAST_REFUSED;
  connection.clear(RTT_TIMING);
  count(COUNTER_TCP_PATH_MTU_LOWERED);
  if (mtu >= PATH_MTU_FLOOR) rememberPath(connection.remote, Ipv4.PROTOCOL_TCP, mtu);
  countRetransmission(connection, 0);
  endDeferral(connection);
}

/** Nobody has answered the SYN at all (section 4.1.3.1). */
export function synUnanswered(connection: Connection): void {
  if (connection.fastOpenBytes == 0) return;
  pauseServer(connection.local, connection.remote, fastOpenPauseMs());
}
