/**
 * Loss recovery with selective acknowledgments (RFC 6675), its rate by proportional rate reduction
 * (RFC 9937): the holes are sent again as fast as data leaves the network, then new data.
 */
import { COUNTER_TCP_FAST_RETRANSMITS } from "../../layout";
import { count } from "../../counters";
import { Frame } from "../../memory/frame";
import { Tcp } from "../../wire/tcp";
import { Connection, RECOVERY, SACK_PERMITTED } from "./connection";
import { makeReady } from "./ready";
import { countRetransmission } from "./retransmit";
import { spoilSample } from "./rtt";
import { bytesInFlight, findLost, judge, lostRun, markHeadLost, markRepeated } from "./loss";
import { segmentReach, transmitSegment } from "./transmit";

/** In recovery by blocks; without any it goes NewReno's way, though both ends agreed on them. */
export function inSackRecovery(connection: Connection): bool {
  return connection.has(RECOVERY) && connection.recoverFlight != 0;
}

/** What `sendLost` answers when the device's ring was full. */
export const PIPE_BLOCKED: u32 = u32.MAX_VALUE;

/** Both ends have agreed on selective acknowledgments (RFC 2018 section 2). */
export function usesSack(connection: Connection): bool {
  return (connection.agreed & SACK_PERMITTED) != 0;
}

/**
 * Enters recovery by an acknowledgment that told of `delivered` more bytes; ssthresh is what the rate is
 * to go down to.
 */
export function enterSackRecovery(connection: Connection, delivered: u32): void {
  count(COUNTER_TCP_FAST_RETRANSMITS);
  connection.recover = connection.sendMax;
  // RFC 9937 section 6: what was selectively acknowledged before is not delivered in this recovery.
  const outstanding = connection.sendMax - connection.sendUna - connection.sackedBytes;
  connection.recoverFlight = max<u32>(outstanding + delivered, connection.mss);
  connection.prrDelivered = 0;
  connection.prrOut = 0;
  connection.set(RECOVERY);
  spoilSample(connection);
  judge(connection);
  markHeadLost(connection);
  reduceRate(connection, delivered, false);
}

/** An acknowledgment in recovery has told of `delivered` more bytes; `advanced`: SND.UNA moved. */
export function reduceRate(connection: Connection, delivered: u32, advanced: bool): void {
  const pipe = bytesInFlight(connection);
  const mss: u32 = connection.mss;
  connection.prrDelivered += delivered;
  let allowed: u32;
  if (pipe > connection.ssthresh) {
    const share =
      (<u64>connection.prrDelivered * <u64>connection.ssthresh + connection.recoverFlight - 1) /
      <u64>connection.recoverFlight;
    allowed = share > <u64>connection.prrOut ? <u32>(share - <u64>connection.prrOut) : 0;
  } else {
    const owed =
      connection.prrDelivered > connection.prrOut ? connection.prrDelivered - connection.prrOut : 0;
    const limit = max(owed, delivered) + (advanced ? mss : 0);
    allowed = min(connection.ssthresh - pipe, limit);
  }
  // The first hole is filled at once, whatever is in flight.
  if (connection.prrOut == 0) allowed = max(allowed, mss);
  connection.cwnd = pipe + allowed;
  makeReady(connection);
}

/**
 * Sends lost segments again while cwnd leaves room; returns the bytes in flight then, or PIPE_BLOCKED
 * when the device's ring was full.
 */
export function sendLost(connection: Connection): u32 {
  let pipe = bytesInFlight(connection);
  let frame = findLost(connection, connection.sendHead);
  while (frame !== null && pipe < connection.cwnd) {
    const bytes = lostRun(connection, frame);
    if (!sendAgain(connection, frame, bytes)) return PIPE_BLOCKED;
    pipe += bytes;
    frame = findLost(connection, frame.next);
  }
  return pipe;
}

/** Sends `bytes` from `frame` on again, in more than one segment where frames cannot be cut. */
function sendAgain(connection: Connection, frame: Frame, bytes: u32): bool {
  const end = frame.sequence + bytes;
  for (let sequence = frame.sequence; sequence != end;) {
    const part = segmentReach(connection, sequence, min<u32>(end - sequence, connection.mss));
    if (!sendPart(connection, sequence, part)) return false;
    sequence += part;
  }
  markRepeated(connection, frame, bytes);
  return true;
}

function sendPart(connection: Connection, sequence: u32, bytes: u32): bool {
  let flags = Tcp.ACK;
  if (sequence + bytes == connection.sendEnd) {
    flags |= Tcp.PSH;
    if (connection.sendMax - connection.sendEnd == 1) flags |= Tcp.FIN;
  }
  if (!transmitSegment(connection, sequence, bytes, flags)) return false;
  countRetransmission(connection, bytes);
  connection.prrOut += bytes;
  return true;
}
