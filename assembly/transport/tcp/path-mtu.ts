/**
 * Path MTU discovery: what routers say (RFC 1191), whom of them to believe (RFC 5927), and paths that
 * say nothing (RFC 4821 section 7.7, RFC 2923 section 2.1).
 *
 * A connection uses one size. After a decrease the old size is tried again in time; a smaller size
 * that only might help is given up when it does not, and when it does, the old size is tried once
 * more, because the path may just have been down.
 */
import { COUNTER_TCP_BLACK_HOLES, COUNTER_TCP_PATH_MTU_LOWERED } from "../../layout";
import { count } from "../../counters";
import {
  forgetPath,
  pathMtu,
  PATH_LIFETIME,
  PATH_MTU_FLOOR,
  pathTime,
  pathUntil,
  rememberPath,
  toldMtu,
} from "../../network/path-mtu";
import { tickAfter } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Ipv4 } from "../../wire/ipv4";
import { Tcp } from "../../wire/tcp";
import { congestionPathChanged } from "./congestion";
import { Connection, ESTABLISHED, PERSIST, SYN_SENT, TIME_WAIT } from "./connection";
import { synTooBig } from "./fast-open-client";
import { makeReady } from "./ready";
import { spoilSample, timeoutUs } from "./rtt";
import { before } from "./sequence";
import { detectsBlackHoles, doubtsPathMtu } from "./settings";
import { findConnection } from "./table";

// `pathState`.
/** The size in use is the largest that is believed to pass. */
const SETTLED: u8 = 0;
/** Several timeouts: a size below `otherMtu` is in use, which may or may not be why. */
const SUSPECTING: u8 = 1;
/** The size in use has not passed yet; `otherMtu` has. */
const TRYING: u8 = 2;

/** Timeouts in a row after which a smaller size is tried, the smallest is, and all is undone. */
const FIRST_SUSPICION: u8 = 3;
const SECOND_SUSPICION: u8 = 5;
const SUSPICION_END: u8 = 7;
/** Timeouts in a row that end the trial of a larger size: one may be a loss like others. */
const TRIAL_END: u8 = 2;
/** RFC 4821 section 7.2: passes nearly everywhere. */
const BASE_MTU: u32 = 1024;
const ETHERNET_MTU: u32 = 1500;
/** Below the floor: segments of its size that routers may fragment (RFC 2923 section 2.1). */
const FRAGMENTABLE_MTU: u32 = PATH_MTU_FLOOR - 1;

/** Bytes of headers in every segment with data. */
function headersLength(connection: Connection): u32 {
  return Ipv4.HEADER_LENGTH + Tcp.HEADER_LENGTH + <u32>connection.optionBytes;
}

/**
 * `mss` is what both ends and the interface allow: starts with what is known of the path from other
 * connections to this host.
 */
export function startPath(connection: Connection): void {
  connection.mssAgreed = connection.mss;
  const mtu = pathMtu(connection.remote, Ipv4.PROTOCOL_TCP);
  if (mtu == 0) return;
  usePath(connection, mtu);
  connection.pathUntil = pathUntil;
}

/** Says whether routers may fragment segments (DF clear), which cannot be smaller. */
export function isFragmentable(connection: Connection): bool {
  const mtu: u32 = connection.pathMtu;
  return mtu != 0 && mtu < PATH_MTU_FLOOR;
}

/** Sends packets of at most `mtu` bytes from now on; 0: of all that was agreed. */
function usePath(connection: Connection, mtu: u32): void {
  connection.pathMtu = <u16>mtu;
  connection.mss = <u16>mssFor(connection, mtu);
  connection.mssProved = 0;
}

function mssFor(connection: Connection, mtu: u32): u32 {
  const agreed: u32 = connection.mssAgreed;
  return mtu == 0 ? agreed : min(agreed, max(mtu, PATH_MTU_FLOOR) - headersLength(connection));
}

/**
 * A router says that our segment of this header, `quotedBytes` with IP header, is larger than `mtu`.
 * Believed only of a number in flight (RFC 5927 section 4.1) from which on enough was sent to be too
 * big. RFC 5927 section 7.2: of sizes that have arrived before it is believed only when a timeout
 * says so too, as a path changes seldom and whoever forges such messages needs no luck otherwise.
 */
export function tcpTooBig(
  local: u32,
  remote: u32,
  sentPorts: u32,
  sequence: u32,
  mtu: u32,
  quotedBytes: u32,
): void {
  const connection = findConnection(local, remote, rotl<u32>(sentPorts, 16));
  if (connection === null) return;
  if (connection.state == SYN_SENT) synTooBig(connection, sequence, mtu);
  if (connection.state < ESTABLISHED) return;
  if (connection.state == TIME_WAIT || isFragmentable(connection)) return;
  const used = <u32>connection.mss + headersLength(connection);
  const told = toldMtu(mtu, quotedBytes, used);
  if (told >= used || !isInFlight(connection, sequence)) return;
  if (connection.sendMax - sequence + headersLength(connection) <= told) return;
  if (doubtsPathMtu() && mssFor(connection, told) < <u32>connection.mssProved) {
    connection.toldMtu = <u16>told;
    connection.toldSequence = sequence;
    return;
  }
  lower(connection, told);
  sendAgain(connection, sequence);
}

function isInFlight(connection: Connection, sequence: u32): bool {
  return sequence - connection.sendUna < connection.sendMax - connection.sendUna;
}

/** RFC 1191 section 6.3: for ten minutes, for this connection and new ones. */
function lower(connection: Connection, mtu: u32): void {
  count(COUNTER_TCP_PATH_MTU_LOWERED);
  usePath(connection, mtu);
  connection.pathState = SETTLED;
  connection.toldMtu = 0;
  connection.pathUntil = pathTime() + PATH_LIFETIME;
  rememberPath(connection.remote, Ipv4.PROTOCOL_TCP, mtu);
}

/**
 * What was too big is sent again at once, and cwnd stays: this is no sign of congestion (RFC 1191
 * section 6.4).
 */
function sendAgain(connection: Connection, sequence: u32): void {
  if (connection.has(PERSIST) || !before(sequence, connection.sendNext)) return;
  spoilSample(connection);
  congestionPathChanged(connection);
  connection.tailState = 0;
  connection.sendNext = sequence;
  connection.sendPoint = connection.sendHead;
  armTimer(connection.timer, tickAfter(timeoutUs(connection)));
  makeReady(connection);
}

/** A full segment, sent once and timed, has arrived. */
export function pathProved(connection: Connection): void {
  connection.mssProved = connection.mss;
  if (connection.toldMtu != 0 && before(connection.toldSequence, connection.sendUna)) {
    connection.toldMtu = 0;
  }
  if (connection.pathState == TRYING) {
    connection.pathState = SETTLED;
    if (connection.pathMtu == 0) forgetPath(connection.remote, Ipv4.PROTOCOL_TCP);
    else connection.pathUntil = pathTime() + PATH_LIFETIME;
  } else if (connection.pathState == SUSPECTING) {
    tryLarger(connection, connection.otherMtu);
  } else if (connection.pathUntil != 0 && pathTime() >= connection.pathUntil) {
    tryLarger(connection, 0);
  }
}

function tryLarger(connection: Connection, mtu: u32): void {
  connection.otherMtu = connection.pathMtu;
  connection.pathState = TRYING;
  connection.pathUntil = 0;
  usePath(connection, mtu);
}

/** The retransmission timer has expired, `retries` times in a row; all is about to be sent again. */
export function pathTimeout(connection: Connection): void {
  if (connection.toldMtu != 0) {
    const told: u32 = connection.toldMtu;
    connection.toldMtu = 0;
    if (isInFlight(connection, connection.toldSequence)) {
      lower(connection, told);
      return;
    }
  }
  const retries = connection.retries;
  if (connection.pathState == TRYING) {
    const smaller: u32 = connection.otherMtu;
    if (retries >= TRIAL_END && isHelped(connection, smaller)) lower(connection, smaller);
    return;
  }
  if (!detectsBlackHoles()) return;
  if (retries == FIRST_SUSPICION || retries == SECOND_SUSPICION) {
    // A size that has passed is suspected later and once: paths fail more often than they shrink.
    if (retries == SECOND_SUSPICION || connection.mssProved < connection.mss) suspect(connection);
  } else if (retries == SUSPICION_END && connection.pathState == SUSPECTING) {
    // It was not the size.
    connection.pathState = SETTLED;
    usePath(connection, connection.otherMtu);
  }
}

/** Says whether something is in flight that would be smaller with `mtu`. */
function isHelped(connection: Connection, mtu: u32): bool {
  return connection.sendMax - connection.sendUna > mssFor(connection, mtu);
}

function suspect(connection: Connection): void {
  const mtu = smallerMtu(connection);
  if (isFragmentable(connection) || !isHelped(connection, mtu)) return;
  count(COUNTER_TCP_BLACK_HOLES);
  if (connection.pathState == SETTLED) connection.otherMtu = connection.pathMtu;
  connection.pathState = SUSPECTING;
  usePath(connection, mtu);
}

function smallerMtu(connection: Connection): u32 {
  const used = <u32>connection.mss + headersLength(connection);
  if (used > ETHERNET_MTU) return ETHERNET_MTU;
  return used > BASE_MTU ? BASE_MTU : FRAGMENTABLE_MTU;
}
