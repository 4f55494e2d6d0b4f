/**
 * How fast the path delivers: the bytes that arrived between the sending of a segment and its
 * acknowledgment, over that time. One segment a round trip is measured, the one that RFC 6298 times; what
 * draft-cheng-iccrg-delivery-rate-estimation measures by every segment costs memory in each frame.
 */
import { Connection, RATE_LIMITED } from "./connection";
import { RATE_UNIT } from "./record";
import { fromShortFloat, toShortFloat } from "./short-float";

/** What the peer has: acknowledged, or selectively so. Modulo 2^32. */
function delivered(connection: Connection): u32 {
  return connection.sendUna + connection.sackedBytes;
}

/** The segment that is timed, up to `rttSequence`, leaves now. */
export function markDelivered(connection: Connection): void {
  connection.rateFlight = toShortFloat(connection.rttSequence - delivered(connection));
}

/**
 * It has been acknowledged after `elapsedUs`. Where the application or the peer's window gave less than
 * the path might have taken, the sample counts only when it is the best so far.
 */
export function sampleDeliveryRate(connection: Connection, elapsedUs: u32): void {
  const before = connection.rttSequence - fromShortFloat(connection.rateFlight);
  const bytes = delivered(connection) - before;
  if (<i32>bytes <= 0) return;
  const perSecond = (<u64>bytes * 1_000_000) / (<u64>elapsedUs * <u64>RATE_UNIT);
  const rate = toShortFloat(<u32>min<u64>(perSecond, u32.MAX_VALUE));
  const flight = max(connection.flightMost, connection.lastFlightMost);
  const limited = flight + <u32>connection.mss <= connection.cwnd;
  // Short floats are in the order of their values.
  if (limited && rate < connection.deliveryRate) return;
  connection.deliveryRate = rate;
  if (limited) connection.choose(RATE_LIMITED);
  else connection.unchoose(RATE_LIMITED);
}

/** A round trip of `sampleUs` has been measured. */
export function noteLeastRtt(connection: Connection, sampleUs: u32): void {
  const short = toShortFloat(sampleUs);
  if (connection.minRtt == 0 || short < connection.minRtt) connection.minRtt = short;
}
