/**
 * How fast the path delivers: the bytes that arrived between the sending of a segment and its
 * acknowledgment, over that time. One segment a round trip is measured, the one that RFC 6298 times; what
 * draft-cheng-iccrg-delivery-rate-estimation measures by every segment costs memory in each frame.
 */
import { Connection, RATE_LIMITED } from "./connection";

/** What the peer has: acknowledged, or selectively so. Modulo 2^32. */
function delivered(connection: Connection): u32 {
  return connection.sendUna + connection.sackedBytes;
}

/** The segment that is timed leaves now. */
export function markDelivered(connection: Connection): void {
  connection.rateMark = delivered(connection);
}

/**
 * It has been acknowledged after `elapsedUs`. Where the application or the peer's window gave less than
 * the path might have taken, the sample counts only when it is the best so far.
 */
export function sampleDeliveryRate(connection: Connection, elapsedUs: u32): void {
  const bytes = delivered(connection) - connection.rateMark;
  if (<i32>bytes <= 0) return;
  const rate = (<f32>bytes * 1e6) / <f32>max<u32>(1, elapsedUs);
  const flight = max(connection.flightMost, connection.lastFlightMost);
  const limited = flight + <u32>connection.mss <= connection.cwnd;
  if (limited && rate < connection.deliveryRate) return;
  connection.deliveryRate = rate;
  if (limited) connection.choose(RATE_LIMITED);
  else connection.unchoose(RATE_LIMITED);
}
