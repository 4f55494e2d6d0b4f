/** ICMP (RFC 792, RFC 1122 section 3.2.2): echo, errors received, errors sent within a rate. */
import {
  COUNTER_DROP_ICMP,
  COUNTER_ICMP_ECHO_REPLIES,
  COUNTER_ICMP_ERRORS_SENT,
  COUNTER_ICMP_RATE_LIMITED,
  ERRNO_ECONNREFUSED,
  TX_HEADROOM,
} from "../layout";
import { count } from "../counters";
import { FRAME_BROADCAST } from "../link/ethernet";
import { skipHeader } from "../memory/chain";
import { sumChain } from "../memory/chain-checksum";
import { Frame, release, takeFrame } from "../memory/frame";
import { nowUs } from "../time/clock";
import { fold, sumBytes } from "../wire/checksum";
import { Icmpv4 } from "../wire/icmpv4";
import { Ipv4 } from "../wire/ipv4";
import { ipv4Send } from "./ipv4-send";
import { route } from "./route";
import { QUOTED_BYTES, tellTooBig, tellUnreachable } from "./unreachable";

/** A host that is silent for this long may send a burst of errors, then one in each interval. */
const ERROR_BURST: u64 = 50;
const ERROR_INTERVAL_US: u64 = 1_000;
/** An error with its IP header has at most 576 bytes (RFC 1812 section 4.3.2.3). */
const QUOTE_MAX: u32 = 576 - Ipv4.HEADER_LENGTH - Icmpv4.HEADER_LENGTH;

let errorsAllowed: u64 = ERROR_BURST;
let allowedUs: u64 = 0;

export function openIcmp(): void {
  errorsAllowed = ERROR_BURST;
  allowedUs = nowUs;
}

/** Takes an ICMP packet that begins with an IP header of `headerLength` bytes. */
export function icmpReceive(packet: Frame, headerLength: u32): void {
  const at = packet.data + headerLength;
  if (
    <u32>packet.length < headerLength + Icmpv4.HEADER_LENGTH ||
    (packet.flags & FRAME_BROADCAST) != 0 ||
    sumChain(packet, headerLength, packet.total - headerLength) != 0xffff
  ) {
    drop(packet);
    return;
  }
  const type = Icmpv4.type(at);
  if (type == Icmpv4.TYPE_ECHO) {
    replyToEcho(packet, headerLength);
  } else if (type == Icmpv4.TYPE_UNREACHABLE) {
    readUnreachable(packet, headerLength);
  } else {
    drop(packet);
  }
}

/** Turns an echo into its reply in the same frames; options of the request are not sent back. */
function replyToEcho(packet: Frame, headerLength: u32): void {
  const ip = packet.data;
  const source = Ipv4.source(ip);
  const destination = Ipv4.destination(ip);
  if (!route(source)) {
    drop(packet);
    return;
  }
  skipHeader(packet, headerLength);
  const at = packet.data;
  Icmpv4.setType(at, Icmpv4.TYPE_ECHO_REPLY);
  // The type, 8 before and 0 now, is the low byte of its word: the sum falls by 8 (RFC 1624).
  const checksum = fold(<u64>Icmpv4.checksum(at) + Icmpv4.TYPE_ECHO);
  Icmpv4.setChecksum(at, checksum);
  count(COUNTER_ICMP_ECHO_REPLIES);
  ipv4Send(packet, destination, source, Ipv4.PROTOCOL_ICMP, 0);
}

/**
 * A packet of ours was refused: its transport is told, when the quoted header can be ours. Network
 * and host unreachable are transient by RFC 1122 section 4.2.3.9 and change nothing.
 */
function readUnreachable(packet: Frame, headerLength: u32): void {
  const message = packet.data + headerLength;
  const quoted = message + Icmpv4.HEADER_LENGTH;
  const length = packet.length - headerLength - Icmpv4.HEADER_LENGTH;
  if (!isQuoteSound(quoted, length, Ipv4.destination(packet.data))) {
    drop(packet);
    return;
  }
  const code = Icmpv4.code(message);
  if (code == Icmpv4.CODE_PROTOCOL_UNREACHABLE || code == Icmpv4.CODE_PORT_UNREACHABLE) {
    tellUnreachable(quoted, ERRNO_ECONNREFUSED);
  } else if (code == Icmpv4.CODE_FRAGMENTATION_NEEDED) {
    tellTooBig(quoted, Icmpv4.nextHopMtu(message));
  }
  release(packet);
}

/** Says whether `length` bytes at `at` hold the headers of a packet from `source`. */
function isQuoteSound(at: usize, length: u32, source: u32): bool {
  if (length < Ipv4.HEADER_LENGTH + QUOTED_BYTES) return false;
  const headerLength = Ipv4.headerLength(at);
  if (Ipv4.version(at) != 4 || headerLength < Ipv4.HEADER_LENGTH) return false;
  return length >= headerLength + QUOTED_BYTES && Ipv4.source(at) == source;
}

/**
 * Tells a packet's sender that it was not delivered. The packet begins with its IP header and stays
 * the caller's. Never about ICMP errors, broadcasts or later fragments (RFC 1122 section 3.2.2).
 */
export function icmpSendError(packet: Frame, type: u32, code: u32): void {
  const ip = packet.data;
  if (!mayReportError(packet, ip)) return;
  if (!route(Ipv4.source(ip)) || !isErrorAllowed()) return;
  const error = takeFrame(TX_HEADROOM);
  if (error === null) return;
  const quoted = min<u32>(packet.length, QUOTE_MAX);
  const length = Icmpv4.HEADER_LENGTH + quoted;
  error.length = <u16>length;
  error.total = length;
  const at = error.data;
  Icmpv4.writeError(at, type, code);
  memory.copy(at + Icmpv4.HEADER_LENGTH, ip, quoted);
  Icmpv4.setChecksum(at, ~sumBytes(at, length));
  count(COUNTER_ICMP_ERRORS_SENT);
  ipv4Send(error, Ipv4.destination(ip), Ipv4.source(ip), Ipv4.PROTOCOL_ICMP, 0);
}

function mayReportError(packet: Frame, ip: usize): bool {
  if ((packet.flags & FRAME_BROADCAST) != 0) return false;
  if ((Ipv4.fragment(ip) & Ipv4.FRAGMENT_OFFSET) != 0) return false;
  if (Ipv4.protocol(ip) != Ipv4.PROTOCOL_ICMP) return true;
  const headerLength = Ipv4.headerLength(ip);
  return <u32>packet.length > headerLength && Icmpv4.type(ip + headerLength) == Icmpv4.TYPE_ECHO;
}

/** A token bucket over all errors (RFC 1812 section 4.3.2.8). */
function isErrorAllowed(): bool {
  const earned = (nowUs - allowedUs) / ERROR_INTERVAL_US;
  errorsAllowed = min(errorsAllowed + earned, ERROR_BURST);
  allowedUs += earned * ERROR_INTERVAL_US;
  if (errorsAllowed == 0) {
    count(COUNTER_ICMP_RATE_LIMITED);
    return false;
  }
  errorsAllowed--;
  return true;
}

function drop(packet: Frame): void {
  count(COUNTER_DROP_ICMP);
  release(packet);
}
