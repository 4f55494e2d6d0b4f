/** Slow start, which all controllers share (RFC 5681 section 3.1), counted in bytes (RFC 3465). */
import { Connection, SYN_REPEATED } from "./connection";
import { isRecovered } from "./recover";
import { countsDelivered } from "./settings";

/** No window field can promise more (RFC 7323 section 2.3), so a larger cwnd means nothing. */
export const CWND_MAX: u32 = 1 << 30;
/** RFC 9406 section 4.2: the most segments one acknowledgment adds in slow start. */
const SLOW_START_SEGMENTS: u32 = 8;
/** RFC 6928 section 2. */
const INITIAL_SEGMENTS: u32 = 10;
const INITIAL_BYTES: u32 = 14600;

/** IW: RFC 6928, or one segment after a repeated SYN. */
export function initialWindow(connection: Connection): u32 {
  const mss: u32 = connection.mss;
  if (connection.has(SYN_REPEATED)) return mss;
  return min(INITIAL_SEGMENTS * mss, max(2 * mss, INITIAL_BYTES));
}

/** Says whether no congestion has been seen: ssthresh is still arbitrarily high. */
export function isFirstSlowStart(connection: Connection): bool {
  return connection.ssthresh == CWND_MAX;
}

/** What an acknowledgment of so many bytes adds to the window at most. */
export function slowStartStep(connection: Connection, acknowledged: u32): u32 {
  if (countsDelivered()) return acknowledged;
  return min(acknowledged, slowStartSegments(connection) * <u32>connection.mss);
}

/** RFC 3465 section 2.3: one after a timeout, until what was sent before it is acknowledged. */
function slowStartSegments(connection: Connection): u32 {
  const afterTimeout = !isFirstSlowStart(connection) && !isRecovered(connection);
  return afterTimeout ? 1 : SLOW_START_SEGMENTS;
}
