/**
 * How fast the path delivers: the bytes that arrived between the sending of a segment and its
 * acknowledgment, over that time. One segment a round trip is measured, the one that RFC 6298 times; what
 * draft-cheng-iccrg-delivery-rate-estimation measures by every segment costs memory in each frame.
 */
import { Connection, RATE_LIMITED } from "./connection";
import { RATE_UNIT } from "./record";
import { fromShortFloat, toShortFloat } from "./short-float";

/** A byte a microsecond, in units of RATE_UNIT. */
const BYTE_PER_US: u32 = 1_000_000 / RATE_UNIT;

/** What the peer has: acknowledged, or selectively so. Modulo 2^32. */
function delivered(connection: Connection): u32 {
  return connection.sendUna + connection.sackedBytes;
}

/**
 * The segment that is timed, up to `rttSequence`, leaves now. A flight of less than a full segment tells
 * how long a round trip is and not what the path delivers, so it counts while nothing is known only.
 */
export function markDelivered(connection: Connection): void {
  const flight = connection.rttSequence - delivered(connection);
  const small = flight < <u32>connection.mss && connection.deliveryRate != 0;
  connection.rateFlight = small ? 0 : toShortFloat(flight);
}

/**
 * It has been acknowledged after `elapsedUs`. Where the application or the peer's window gave less than
 * the path might have taken, the sample counts only when it is the best so far.
 */
export function sampleDeliveryRate(connection: Connection, elapsedUs: u32): void {
  if (connection.rateFlight == 0) return;
  const before = connection.rttSequence - fromShortFloat(connection.rateFlight);
  const bytes = delivered(connection) - before;
  if (<i32>bytes <= 0) return;
  const flight = max(connection.flightMost, connection.lastFlightMost);
  const limited = flight + <u32>connection.mss <= connection.cwnd;
  const units = <u64>bytes * BYTE_PER_US;
  // A product tells of most samples that they are no better; the division takes several times as long.
  const better = fromShortFloat(connection.deliveryRate + 1);
  if (limited && units < <u64>elapsedUs * <u64>better) return;
  const rate = toShortFloat(<u32>min<u64>(units / elapsedUs, u32.MAX_VALUE));
  connection.deliveryRate = rate;
  if (limited) connection.choose(RATE_LIMITED);
  else connection.unchoose(RATE_LIMITED);
}

/** A round trip of `sampleUs` has been measured. */
export function noteLeastRtt(connection: Connection, sampleUs: u32): void {
  if (connection.minRtt != 0 && sampleUs >= fromShortFloat(connection.minRtt)) return;
  connection.minRtt = toShortFloat(sampleUs);
}
