/**
 * Builds one segment and hands it to the device.
 *
 * Zero copy: headers are written into the room before the payload of the frame that holds it, when
 * that room belongs to no other segment (the segment starts where the frame's data starts) and no
 * earlier transmission is still in the device's ring. Otherwise headers get a frame of their own,
 * followed by the payload's frames as a chain, or, where one frame holds it all or the device takes
 * no chains, by a copy of the payload. So a header never lands on another segment's payload.
 */
import {
  CAPABILITY_CHECKSUM,
  COUNTER_TCP_SEGMENTS_SENT,
  COUNTER_TX_BYTES,
  COUNTER_TX_FRAMES,
  FRAME_SIZE,
  METADATA_SIZE,
  OPTION_CONTINUED,
  OPTION_METADATA,
  TX_HEADROOM,
} from "../../layout";
import { count, countMany } from "../../counters";
import { canTransmit, transmitPiece } from "../../link/device";
import { findNeighbour, Neighbour, neighbourSend, writeEthernet } from "../../link/neighbour";
import { copyOut } from "../../memory/chain";
import { sumChain } from "../../memory/chain-checksum";
import { Frame, holdFrame, isSole, takeFrame } from "../../memory/frame";
import { nowUs } from "../../time/clock";
import { disarmTimer } from "../../time/wheel";
import { Ethernet } from "../../wire/ethernet";
import { Tcp } from "../../wire/tcp";
import { sumWords } from "../../wire/checksum";
import { ACK_NOW, Connection, ECN, RECORDS } from "./connection";
import { ecnFlags, ecnSent } from "./ecn";
import { HEADERS_LENGTH, writeHeaders, writeMetadata } from "./header";
import { isRecordEnd, withinRecord } from "./record-end";
import { frameHolding, stampSent } from "./send-frame";
import { segmentOptionBytes } from "./segment-options";

/** Ethernet, IPv4 and TCP headers of a segment without options. */
const PREFIX_LENGTH: u32 = Ethernet.HEADER_LENGTH + HEADERS_LENGTH;
/** Payload that fits behind the headers in one frame. */
const COPY_MAX: u32 = FRAME_SIZE - TX_HEADROOM;

/** Where the payload of the segment under way starts: set by `locate`. */
let payloadFrame: Frame | null = null;
let payloadSkip: u32 = 0;

/**
 * Sends `bytes` of payload from `sequence` with `flags`. Acknowledges everything received, so the
 * delayed acknowledgment is done with. False when the device has no room now; a segment that cannot
 * be built for lack of frames counts as sent and lost.
 */
export function transmitSegment(
  connection: Connection,
  sequence: u32,
  bytes: u32,
  flags: u32,
): bool {
  if ((connection.agreed & ECN) == 0) return transmitWith(connection, sequence, bytes, flags);
  const marked = ecnFlags(connection, sequence, bytes, flags);
  if (!transmitWith(connection, sequence, bytes, marked)) return false;
  ecnSent(connection, marked);
  return true;
}

function transmitWith(connection: Connection, sequence: u32, bytes: u32, flags: u32): bool {
  const neighbour = resolvedNeighbour(connection);
  if (bytes != 0) {
    locate(connection, sequence);
    stampSent(<Frame>payloadFrame, payloadSkip, bytes, <u32>nowUs);
  }
  if (neighbour === null) return transmitUnresolved(connection, sequence, bytes, flags);
  if (bytes != 0) {
    const frame = <Frame>payloadFrame;
    const ends = connection.chose(RECORDS) && isRecordEnd(frame, sequence + bytes);
    const all = ends ? flags | Tcp.PSH : flags;
    if (payloadSkip == 0 && bytes <= <u32>frame.length && isHeadroomFree(connection, frame)) {
      if (!canTransmit(connection.nic, 1)) return false;
      transmitInPlace(connection, neighbour, frame, sequence, bytes, all);
      return true;
    }
    if (bytes > COPY_MAX) return transmitChain(connection, neighbour, sequence, bytes, all);
    return transmitCopy(connection, neighbour, sequence, bytes, all);
  }
  return transmitCopy(connection, neighbour, sequence, bytes, flags);
}

/** The connection's next hop when its MAC is known, looked up again when its entry was reused. */
export function resolvedNeighbour(connection: Connection): Neighbour | null {
  let neighbour = connection.neighbour;
  if (neighbour === null || neighbour.address != connection.nextHop) {
    neighbour = findNeighbour(connection.nic, connection.nextHop);
    connection.neighbour = neighbour;
    if (neighbour === null) return null;
  }
  return neighbour.isResolved ? neighbour : null;
}

/** Finds the frame and place of `sequence` in the send queue, from SND.NXT's frame if it can. */
function locate(connection: Connection, sequence: u32): void {
  let frame = connection.sendPoint;
  if (frame === null || <i32>(sequence - frame.sequence) < 0) frame = connection.sendHead;
  frame = frameHolding(frame, sequence);
  assert(frame !== null, "the send queue lacks bytes that it promised");
  payloadFrame = frame;
  payloadSkip = sequence - (<Frame>frame).sequence;
  // A retransmission of earlier bytes leaves the place of SND.NXT as it is.
  if (sequence == connection.sendNext) connection.sendPoint = frame;
}

/** The first `bytes` of a frame whose headroom is free; the device has room. */
export function transmitInPlace(
  connection: Connection,
  neighbour: Neighbour,
  frame: Frame,
  sequence: u32,
  bytes: u32,
  flags: u32,
): void {
  const nic = connection.nic;
  const options: u32 = connection.optionBytes;
  const prefix = PREFIX_LENGTH + options;
  const payload = frame.data;
  const at = payload - prefix;
  writeEthernet(neighbour, at);
  const offloaded = nic.has(CAPABILITY_CHECKSUM);
  const sum = offloaded ? <u64>0 : sumWords(payload, bytes);
  const ip = at + Ethernet.HEADER_LENGTH;
  writeHeaders(connection, ip, options, sequence, bytes, flags, sum, offloaded);
  if (offloaded) writeMetadata(at, options, bytes, connection.mss);
  holdFrame(frame);
  const announced = offloaded ? OPTION_METADATA : 0;
  transmitPiece(nic, frame, frame.offset - prefix, prefix + bytes, announced);
  sent(connection, prefix + bytes);
}

/** Headers and a copy of the payload in a frame of their own. */
function transmitCopy(
  connection: Connection,
  neighbour: Neighbour,
  sequence: u32,
  bytes: u32,
  flags: u32,
): bool {
  const nic = connection.nic;
  if (!canTransmit(nic, 1)) return false;
  const frame = copySegment(connection, sequence, bytes, flags);
  if (frame === null) {
    sent(connection, 0);
    return true;
  }
  const at = frame.data - Ethernet.HEADER_LENGTH;
  writeEthernet(neighbour, at);
  const length = Ethernet.HEADER_LENGTH + frame.total;
  transmitPiece(
    nic,
    frame,
    frame.offset - Ethernet.HEADER_LENGTH,
    length,
    nic.has(CAPABILITY_CHECKSUM) ? OPTION_METADATA : 0,
  );
  sent(connection, length);
  return true;
}

/**
 * A frame that holds the IP packet of a segment whole, metadata in front of its Ethernet header's
 * place; its data begins at the IP header. Null when the pool is empty.
 */
function copySegment(connection: Connection, sequence: u32, bytes: u32, flags: u32): Frame | null {
  const options = segmentOptionBytes(connection, bytes);
  const headers = HEADERS_LENGTH + options;
  const frame = takeFrame(TX_HEADROOM - headers);
  if (frame === null) return null;
  const at = frame.data;
  const payload = at + headers;
  if (bytes != 0) {
    locate(connection, sequence);
    copyOut(<Frame>payloadFrame, payloadSkip, payload, bytes);
  }
  frame.length = <u16>(headers + bytes);
  frame.total = headers + bytes;
  const offloaded = connection.nic.has(CAPABILITY_CHECKSUM);
  const sum = offloaded || bytes == 0 ? <u64>0 : sumWords(payload, bytes);
  writeHeaders(connection, at, options, sequence, bytes, flags, sum, offloaded);
  if (offloaded) writeMetadata(at - Ethernet.HEADER_LENGTH, options, bytes, connection.mss);
  return frame;
}

/**
 * The payload's own frames as a chain behind the headers, for what one frame cannot hold. The caller
 * has asked `chainReach` or `segmentReach`, so the device takes the pieces.
 */
function transmitChain(
  connection: Connection,
  neighbour: Neighbour,
  sequence: u32,
  bytes: u32,
  flags: u32,
): bool {
  const nic = connection.nic;
  const first = <Frame>payloadFrame;
  if (!canTransmit(nic, nic.chainMax)) return false;
  const inPlace = payloadSkip == 0 && isHeadroomFree(connection, first);
  const holder = inPlace ? first : takeFrame(TX_HEADROOM);
  if (holder === null) {
    sent(connection, 0);
    return true;
  }
  const options: u32 = connection.optionBytes;
  const prefix = PREFIX_LENGTH + options;
  const at = holder.data - prefix;
  const ip = at + Ethernet.HEADER_LENGTH;
  writeEthernet(neighbour, at);
  const offloaded = nic.has(CAPABILITY_CHECKSUM);
  const sum = offloaded ? 0 : sumChain(first, payloadSkip, bytes);
  writeHeaders(connection, ip, options, sequence, bytes, flags, sum, offloaded);
  if (offloaded) writeMetadata(at, options, bytes, connection.mss);
  const announced = offloaded ? OPTION_METADATA | OPTION_CONTINUED : OPTION_CONTINUED;
  if (inPlace) {
    holdFrame(first);
    transmitPiece(nic, first, first.offset - prefix, prefix + first.length, announced);
    transmitPieces(connection, <Frame>first.next, 0, bytes - first.length);
  } else {
    transmitPiece(nic, holder, TX_HEADROOM - prefix, prefix, announced);
    transmitPieces(connection, first, payloadSkip, bytes);
  }
  sent(connection, prefix + bytes);
  return true;
}

/** Headers may be written before the frame's data. */
export function isHeadroomFree(connection: Connection, frame: Frame): bool {
  const room = METADATA_SIZE + PREFIX_LENGTH + <u32>connection.optionBytes;
  return <u32>frame.offset >= room && isSole(frame);
}

function transmitPieces(connection: Connection, start: Frame, skip: u32, bytes: u32): void {
  const nic = connection.nic;
  let frame = start;
  let from = skip;
  let left = bytes;
  while (true) {
    const length = min(left, <u32>frame.length - from);
    left -= length;
    holdFrame(frame);
    transmitPiece(nic, frame, frame.offset + from, length, left > 0 ? OPTION_CONTINUED : 0);
    if (left == 0) return;
    frame = <Frame>frame.next;
    from = 0;
  }
}

/**
 * How many of `bytes` from `sequence`, a segment at most, one packet can carry: what fits a frame is
 * copied into one if need be, more goes as a chain of no more pieces than the device takes.
 */
export function segmentReach(connection: Connection, sequence: u32, bytes: u32): u32 {
  const whole = connection.chose(RECORDS) ? recordReach(connection, sequence, bytes) : bytes;
  return whole <= COPY_MAX ? whole : max(COPY_MAX, chainReach(connection, sequence, whole));
}

/** How many of `bytes` from `sequence` share a record. */
export function recordReach(connection: Connection, sequence: u32, bytes: u32): u32 {
  if (bytes == 0) return 0;
  locate(connection, sequence);
  return withinRecord(payloadFrame, payloadSkip, bytes);
}

/** How many of `bytes` from `sequence` the device takes as one packet, a piece a frame. */
export function chainReach(connection: Connection, sequence: u32, bytes: u32): u32 {
  locate(connection, sequence);
  let frame = payloadFrame;
  let reach: u32 = 0;
  let from = payloadSkip;
  // One descriptor is for the headers.
  for (let left = connection.nic.chainMax - 1; left > 0 && frame !== null; left--) {
    reach += <u32>frame.length - from;
    if (reach >= bytes) return bytes;
    from = 0;
    frame = frame.next;
  }
  return reach;
}

/**
 * The next hop's MAC is not known: one segment's worth waits with the neighbour while ARP asks. What
 * a super-frame holds beyond that is lost and sent again.
 */
function transmitUnresolved(connection: Connection, sequence: u32, bytes: u32, flags: u32): bool {
  const neighbour = connection.neighbour;
  const part = min(bytes, min(COPY_MAX, <u32>connection.mss));
  // PSH and FIN belong to the last byte only.
  const kept = part < bytes ? flags & ~(Tcp.FIN | Tcp.PSH) : flags;
  sent(connection, 0);
  if (neighbour === null) return true;
  const packet = copySegment(connection, sequence, part, kept);
  if (packet === null) return true;
  const options = connection.nic.has(CAPABILITY_CHECKSUM) ? OPTION_METADATA : 0;
  neighbourSend(connection.nic, neighbour, packet, options);
  return true;
}

/** Of segments that acknowledge nothing new none is counted. */
function countQuickAck(connection: Connection): void {
  if (connection.has(ACK_NOW) || connection.ackTimer.armed) connection.quickAcks--;
}

function sent(connection: Connection, wireBytes: u32): void {
  count(COUNTER_TCP_SEGMENTS_SENT);
  if (wireBytes != 0) {
    count(COUNTER_TX_FRAMES);
    countMany(COUNTER_TX_BYTES, wireBytes);
  }
  if (connection.quickAcks != 0) countQuickAck(connection);
  connection.clear(ACK_NOW);
  connection.ackBytes = 0;
  disarmTimer(connection.ackTimer);
}
