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

/**
 * `acknowledged` bytes, none for a duplicate, outside of loss recovery, with ECN agreed. True when a
 * reduction is under way, in which the window does not grow.
 */
export function reducesByEcho(connection: Connection, acknowledged: u32): bool {
  const una = connection.sendUna;
  if ((connection.ecnState & ECN_REDUCING) != 0) {
    if (!after(una, connection.ecnEnd)) {
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
  connection.ecnEnd = connection.sendMax;
  connection.ecnFlight = flight;
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
  return !after(connection.sendUna, connection.ecnEnd);
}

/**
 * The window while the rate goes down to ssthresh: of what has been delivered since, the share that
 * ssthresh is of what was in flight may be sent, a segment's share letting it leave whole.
 */
function spread(connection: Connection): void {
  const mss: u32 = connection.mss;
  const threshold = connection.ssthresh;
  const pipe = connection.sendMax - connection.sendUna;
  const sent = connection.sendMax - connection.ecnEnd;
  const delivered = connection.ecnFlight + sent - pipe;
  let allowed: u32 = 0;
  if (pipe > threshold) {
    const share = <u32>((<u64>delivered * <u64>threshold) / <u64>connection.ecnFlight);
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
