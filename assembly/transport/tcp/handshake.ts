/** Opening: initial sequence numbers, our SYN and SYN-ACK, what both ends' options agree on. */
import { CAPABILITY_CHAINS, FRAME_PAYLOAD } from "../../layout";
import { sipHash24 } from "../../crypto/siphash";
import { Interface } from "../../link/interface";
import { findNeighbour, neighbourSend } from "../../link/neighbour";
import { route, routeInterface, routeNextHop } from "../../network/route";
import { KEY_SEQUENCES, secretKey } from "../../random";
import { nowUs } from "../../time/clock";
import { Ipv4 } from "../../wire/ipv4";
import { Tcp } from "../../wire/tcp";
import { Frame, release } from "../../memory/frame";
import { Connection, RECEIVE_FIXED, RTT_TIMING, SCALING, SYN_SENT, TIMESTAMPS } from "./connection";
import { controlOptions, makeControl, markService, sealControl } from "./control";
import { agreeEcn, CODEPOINT_SHIFT, ecnSetupFlags } from "./ecn";
import { addSynData, synCookieBytes, writeSynCookie } from "./fast-open-client";
import { synAckCookieBytes, writeSynAckCookie } from "./fast-open-server";
import {
  peerMss,
  peerOptions,
  peerScale,
  SCALE_MAX,
  SCALE_NONE,
  segmentTimestamp,
  synOptionBytes,
  TIMESTAMPS_BYTES,
  writeSynOptions,
} from "./options";
import { startPath } from "./path-mtu";
import { FAST_DEFERRED, FAST_FIRST } from "./record";
import { RTO_INITIAL_US } from "./rtt";
import { segmentSequence } from "./segment";
import { laterOf } from "./sequence";
import { configuredMss, offeredOptions, receiveBufferMax } from "./settings";
import { setTimestamp, timestampNow } from "./timestamp";

/** The window of a SYN is never scaled (RFC 7323 section 2.2). */
export const SYN_WINDOW_MAX: u32 = 65535;

let predecessorEnd: u32 = 0;
/** The SYN being processed replaces a connection of the same 4-tuple. */
export let hasPredecessor = false;

/** A secret of the 4-tuple: one half starts its sequence numbers, the other its timestamps. */
function tupleSecret(connection: Connection): u64 {
  const tuple = ((<u64>connection.remote) << 32) | connection.ports;
  return sipHash24(secretKey(KEY_SEQUENCES), secretKey(KEY_SEQUENCES + 1), tuple, connection.local);
}

/**
 * RFC 6528: ISN = M + F(4-tuple, secret), M a clock of 4 µs. Numbers of one 4-tuple grow with time,
 * those of different tuples tell nothing of each other.
 */
function initialSequence(secret: u64): u32 {
  const initial = <u32>secret + <u32>(nowUs >> 2);
  return hasPredecessor ? laterOf(initial, predecessorEnd + 1) : initial;
}

/**
 * Until `startAnywhere`, initial numbers lie beyond `end`, SND.NXT of the connection of the same
 * 4-tuple that the SYN being processed replaces (RFC 9293 section 3.6.1, condition 1 of MAY-2): one
 * that sent more than a byte each 4 µs is ahead of the clock.
 */
export function startBeyond(end: u32): void {
  predecessorEnd = end;
  hasPredecessor = true;
}

export function startAnywhere(): void {
  hasPredecessor = false;
}

/** Finds the way to the peer. False when there is none (ENETUNREACH). */
export function routeConnection(connection: Connection): bool {
  if (!route(connection.remote)) return false;
  connection.nic = routeInterface;
  connection.nextHop = routeNextHop;
  connection.neighbour = findNeighbour(routeInterface, routeNextHop);
  return true;
}

/** Sets the fields both kinds of opening begin with; the 4-tuple and route are set. */
export function prepareHandshake(connection: Connection): void {
  const secret = tupleSecret(connection);
  // RFC 7323 section 7.1; the same for every incarnation, so that their timestamps grow (RFC 6191).
  connection.timestampOffset = <u32>(secret >> 32);
  beginAt(connection, initialSequence(secret));
}

/** The same with a given ISS. */
export function beginAt(connection: Connection, initial: u32): void {
  connection.initialSend = initial;
  connection.sendUna = initial;
  connection.stalledUna = initial - 1;
  connection.sendNext = initial + 1;
  connection.sendMax = initial + 1;
  connection.sendEnd = initial + 1;
  connection.rto = RTO_INITIAL_US;
  connection.receiveScale = <u8>scaleFor(largestWindow(connection));
  connection.set(RTT_TIMING);
  connection.rttSequence = initial + 1;
  connection.rttStart = <u32>nowUs;
}

/** What the receive buffer may grow to. */
function largestWindow(connection: Connection): u32 {
  const buffer = connection.receiveBuffer;
  return connection.chose(RECEIVE_FIXED) ? buffer : max(buffer, receiveBufferMax());
}

/** The smallest shift with which the window field can tell `bytes` (RFC 7323 section 2.3). */
function scaleFor(bytes: u32): u32 {
  return bytes > SYN_WINDOW_MAX ? min(SCALE_MAX, 16 - <u32>clz(bytes)) : 0;
}

/**
 * Largest segment we take: what one IP packet of the interface holds (RFC 9293 section 3.7.1), or the
 * configuration or the socket (`mssMax`, 0: nothing) has to say.
 */
export function announcedMss(nic: Interface, mssMax: u32): u32 {
  const room = nic.mtu - Ipv4.HEADER_LENGTH - Tcp.HEADER_LENGTH;
  const wanted = configuredMss();
  const largest = wanted != 0 ? min(wanted, room) : room;
  return mssMax != 0 ? min(mssMax, largest) : largest;
}

/** Takes over the options of the peer's SYN, just parsed. */
export function agree(connection: Connection): void {
  agreeOptions(connection);
  let mss = min(peerMss, announcedMss(connection.nic, connection.mssMax));
  // RFC 6691 section 2: the MSS counts no options, so what a segment carries of them comes off.
  if (mss > TIMESTAMPS_BYTES) mss -= connection.optionBytes;
  // A device without chains needs the whole segment in one frame.
  if (!connection.nic.has(CAPABILITY_CHAINS)) mss = min(mss, FRAME_PAYLOAD);
  connection.mss = <u16>mss;
  startPath(connection);
  if (peerScale == SCALE_NONE) {
    connection.sendScale = 0;
    connection.receiveScale = 0;
    // More could never be announced; what is missing to it would look like room to tell of.
    connection.receiveBuffer = min(connection.receiveBuffer, SYN_WINDOW_MAX);
    connection.clear(SCALING);
  } else {
    connection.sendScale = <u8>peerScale;
    connection.set(SCALING);
  }
}

/** What both offered holds for the connection (RFC 7323 section 3.2, RFC 2018 section 2, RFC 3168). */
function agreeOptions(connection: Connection): void {
  connection.agreed = offeredOptions() & peerOptions;
  agreeEcn(connection);
  if ((connection.agreed & TIMESTAMPS) == 0) return;
  connection.optionBytes = <u8>TIMESTAMPS_BYTES;
  connection.lastAckSent = segmentSequence + 1;
  setTimestamp(connection, segmentTimestamp);
}

/** Sends the SYN, or the SYN-ACK of a connection whose peer's SYN has arrived. */
export function sendSynAgain(connection: Connection): void {
  const active = connection.state == SYN_SENT;
  const scaling = active || connection.has(SCALING);
  const offers = active ? offeredOptions() : connection.agreed;
  const usualBytes = synOptionBytes(offers, scaling);
  const cookieBytes = active ? synCookieBytes(connection) : synAckCookieBytes(connection);
  const window = min(connection.receiveBuffer - connection.receiveQueued, SYN_WINDOW_MAX);
  const ecn = ecnSetupFlags(connection, active);
  const packet = makeControl(
    connection.local,
    connection.remote,
    rotl<u32>(connection.ports, 16),
    connection.initialSend,
    active ? 0 : connection.receiveNext,
    (active ? Tcp.SYN : Tcp.SYN | Tcp.ACK) | (ecn & 0xff),
    window,
    usualBytes + cookieBytes,
  );
  if (packet === null) return;
  const options = controlOptions(packet);
  writeSynOptions(
    options,
    announcedMss(connection.nic, connection.mssMax),
    offers,
    timestampNow(connection),
    connection.timestampRecent,
    scaling,
    connection.receiveScale,
  );
  if (cookieBytes != 0) {
    if (active) writeSynCookie(connection, options + usualBytes);
    else writeSynAckCookie(connection, options + usualBytes);
  }
  if (active) addSynData(connection, packet);
  // What is repeated has neither a cookie nor data (RFC 7413 section 4.2.1).
  connection.fastOpen &= ~(FAST_FIRST | FAST_DEFERRED);
  sealControl(packet);
  const service = connection.typeOfService | (<u8>(ecn >> CODEPOINT_SHIFT));
  markService(packet, service, connection.timeToLive);
  // Segments with data may have promised more than an unscaled window can tell.
  if (!active) {
    connection.receiveEdge = laterOf(connection.receiveEdge, connection.receiveNext + window);
  }
  sendControl(connection, packet);
}

function sendControl(connection: Connection, packet: Frame): void {
  let neighbour = connection.neighbour;
  if (neighbour === null || neighbour.address != connection.nextHop) {
    neighbour = findNeighbour(connection.nic, connection.nextHop);
    connection.neighbour = neighbour;
  }
  if (neighbour === null) release(packet);
  else neighbourSend(connection.nic, neighbour, packet, 0);
}
