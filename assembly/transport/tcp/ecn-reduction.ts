/**
 * What a sender does when its peer echoes congestion (RFC 3168 section 6.1.2): the window goes down as
 * after a loss, once for each window of data, and nothing is sent again. The rate goes down over the
 * round trip by proportional rate reduction (RFC 9937), which needs no pause.
 */
import { COUNTER_TCP_ECN_REDUCTIONS } from "../../layout";
import { count } from "../../counters";
import { Tcp } from "../../wire/tcp";
import { Connection, ECN, ECN_REDUCING, RECOVERY } from "./connection";
import { reduceByEcho } from "./controller";
import { makeReady } from "./ready";
import { isRecovered } from "./recover";
import { segmentFlags } from "./segment";
import { after } from "./sequence";

/** What is remembered: it lies where loss recovery has its numbers, which ends a reduction. */
@unmanaged
class Reduction {
  /** SND.MAX when it began. */
  end: u32;
  /** What was in flight then. */
  flight: u32;
}

function reductionOf(connection: Connection): Reduction {
  const at = changetype<usize>(connection) + offsetof<Connection>("prrDelivered");
  return changetype<Reduction>(at);
}

if (offsetof<Connection>("prrOut") - offsetof<Connection>("prrDelivered") != 4)
  ERROR("a reduction has lost its place in connection.ts");

/**
 * `acknowledged` bytes, none for a duplicate, outside of loss recovery, with ECN agreed. True when a
 * reduction is under way, in which the window does not grow.
 */
export function reducesByEcho(connection: Connection, acknowledged: u32): bool {
  const una = connection.sendUna;
  if ((connection.ecnState & ECN_REDUCING) != 0) {
    if (!after(una, reductionOf(connection).end)) {
      spread(connection);
      return true;
    }
    connection.ecnState &= ~ECN_REDUCING;
    connection.cwnd = connection.ssthresh;
  }
  // What a loss or a timeout has answered already was sent before SND.UNA passed `recover`.
  if ((segmentFlags & Tcp.ECE) == 0 || !isRecovered(connection)) return false;
  const flight = connection.sendMax - una + acknowledged;
  if (flight == 0) return false;
  count(COUNTER_TCP_ECN_REDUCTIONS);
  reduceByEcho(connection, flight);
  connection.ecnState |= ECN_REDUCING;
  const reduction = reductionOf(connection);
  reduction.end = connection.sendMax;
  reduction.flight = flight;
  spread(connection);
  return true;
}

/** A duplicate acknowledgment, or one that tells of blocks only, may echo too. */
export function duplicateEcho(connection: Connection): void {
  if ((connection.agreed & ECN) == 0 || connection.has(RECOVERY)) return;
  if (connection.sendMax != connection.sendUna) reducesByEcho(connection, 0);
}

/** A loss in the window that was reduced already is no second reason; ends the reduction. */
export function wasReducedByEcho(connection: Connection): bool {
  if ((connection.ecnState & ECN_REDUCING) == 0) return false;
  connection.ecnState &= ~ECN_REDUCING;
  return !after(connection.sendUna, reductionOf(connection).end);
}

/**
 * The window while the rate goes down to ssthresh: of what has been delivered since, the share that
 * ssthresh is of what was in flight may be sent, a segment's share letting it leave whole.
 */
function spread(connection: Connection): void {
  const mss: u32 = connection.mss;
  const threshold = connection.ssthresh;
  const reduction = reductionOf(connection);
  const pipe = connection.sendMax - connection.sendUna;
  const sent = connection.sendMax - reduction.end;
  const delivered = reduction.flight + sent - pipe;
  let allowed: u32 = 0;
  if (pipe > threshold) {
    const share = <u32>((<u64>delivered * <u64>threshold) / <u64>max<u32>(1, reduction.flight));
    const whole = ((share + mss - 1) / mss) * mss;
    allowed = whole > sent ? whole - sent : 0;
  } else {
    allowed = threshold - pipe;
  }
  // Something goes at once, and with it the news of the reduction.
  if (sent == 0) allowed = max(allowed, mss);
  connection.cwnd = pipe + allowed;
  makeReady(connection);
}
