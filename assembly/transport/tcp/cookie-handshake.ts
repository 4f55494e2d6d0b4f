/** A handshake without a half-open connection: SYN cookies (RFC 4987 section 3.6). */
import {
  COUNTER_DROP_TCP_BACKLOG_FULL,
  COUNTER_TCP_COOKIES_FAILED,
  COUNTER_TCP_COOKIES_RECEIVED,
  COUNTER_TCP_COOKIES_SENT,
  SYN_COOKIES_ALWAYS,
  SYN_COOKIES_NEVER,
} from "../../layout";
import { count } from "../../counters";
import { findNeighbour, neighbourSend } from "../../link/neighbour";
import { route, routeInterface, routeNextHop } from "../../network/route";
import { nowUs } from "../../time/clock";
import { Tcp } from "../../wire/tcp";
import { enterSynReceived, takeChild } from "./child";
import { Connection, RTT_TIMING } from "./connection";
import { controlOptions, makeControl, markService, sealControl } from "./control";
import { COOKIE_LIFE_MS, makeCookie, readCookie, useCookie } from "./cookie";
import { agree, announcedMss, beginAt, hasPredecessor, SYN_WINDOW_MAX } from "./handshake";
import {
  parseOptions,
  peerMss,
  recallSynOptions,
  synOptionBytes,
  writeSynOptions,
} from "./options";
import {
  segmentAcknowledgment,
  segmentFlags,
  segmentLocal,
  segmentNic,
  segmentPorts,
  segmentRemote,
  segmentSequence,
} from "./segment";
import { synCookies } from "./settings";
import { synchronisedReceive } from "./synchronised";

/**
 * Says whether a SYN gets a cookie when the backlog is or is not full of half-open connections. Not
 * one that replaces a connection in TIME_WAIT: its answer must lie beyond that one's numbers, and
 * there are no more of those than there were connections.
 */
export function wantsCookie(full: bool): bool {
  if (hasPredecessor) return false;
  const mode = synCookies();
  return mode == SYN_COOKIES_ALWAYS || (full && mode != SYN_COOKIES_NEVER);
}

/**
 * Answers the SYN being processed and keeps nothing of it. Nothing repeats the answer either; when it
 * is lost the peer sends its SYN again. Window scale has no room in a cookie, so it is not offered.
 */
export function answerWithCookie(listener: Connection): void {
  if (!route(segmentRemote)) return;
  const nic = routeInterface;
  const neighbour = findNeighbour(nic, routeNextHop);
  if (neighbour === null) return;
  parseOptions();
  const packet = makeControl(
    segmentLocal,
    segmentRemote,
    rotl<u32>(segmentPorts, 16),
    makeCookie(segmentSequence, peerMss),
    segmentSequence + 1,
    Tcp.SYN | Tcp.ACK,
    min(listener.receiveBuffer, SYN_WINDOW_MAX),
    synOptionBytes(0, false),
  );
  if (packet === null) return;
  writeSynOptions(controlOptions(packet), announcedMss(nic, listener.mssMax), 0, 0, 0, false, 0);
  sealControl(packet);
  markService(packet, listener.typeOfService, listener.timeToLive);
  listener.cookieMs = nowMs();
  count(COUNTER_TCP_COOKIES_SENT);
  neighbourSend(nic, neighbour, packet, 0);
}

/** 0 stands for never. */
function nowMs(): u32 {
  return max(1, <u32>(nowUs / 1000));
}

/** While no cookie can be under way, none is looked for: nobody may guess at leisure. */
function expectsCookies(listener: Connection): bool {
  return listener.cookieMs != 0 && nowMs() - listener.cookieMs <= COOKIE_LIFE_MS;
}

/**
 * A segment with ACK to a listener: opens a connection when it acknowledges a cookie. False when the
 * segment is none of this and to be rejected.
 */
export function openByCookie(listener: Connection): bool {
  if (!expectsCookies(listener) || (segmentFlags & Tcp.SYN) != 0) return false;
  if (segmentLocal != segmentNic.address || (segmentPorts & 0xffff) == 0) return false;
  const cookie = segmentAcknowledgment - 1;
  const initialReceive = segmentSequence - 1;
  const mss = readCookie(cookie, initialReceive);
  if (mss == 0) {
    count(COUNTER_TCP_COOKIES_FAILED);
    return false;
  }
  if (listener.acceptable >= listener.backlog) {
    // No word to the peer: it sends its first data again, and they carry the cookie too.
    count(COUNTER_DROP_TCP_BACKLOG_FULL);
    return true;
  }
  const connection = takeChild(listener);
  if (connection === null) return true;
  useCookie(cookie, initialReceive);
  count(COUNTER_TCP_COOKIES_RECEIVED);
  beginAt(connection, cookie);
  // Nobody knows when the SYN-ACK was sent.
  connection.clear(RTT_TIMING);
  recallSynOptions(mss);
  agree(connection);
  enterSynReceived(connection, listener, initialReceive);
  connection.receiveEdge += min(connection.receiveBuffer, SYN_WINDOW_MAX);
  synchronisedReceive(connection);
  return true;
}
