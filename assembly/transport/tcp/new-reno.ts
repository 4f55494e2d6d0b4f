/** NewReno: a segment more a round trip, half of the flight after a loss (RFC 5681 section 3.1). */
import { Connection } from "./connection";
import { CWND_MAX } from "./slow-start";

/** Congestion avoidance: a segment a round trip (equation 3, in bytes). */
export function newRenoAvoid(connection: Connection, acknowledged: u32): void {
  const cwnd = connection.cwnd;
  const step = <u32>((<u64>min(acknowledged, cwnd) * <u64>connection.mss) / <u64>cwnd);
  connection.cwnd = min(CWND_MAX, cwnd + max<u32>(1, step));
}

/** ssthresh after a loss with so many bytes in flight (equation 4). */
export function newRenoThreshold(connection: Connection, flight: u32): u32 {
  return max(flight >> 1, 2 * <u32>connection.mss);
}

/** ssthresh after an echo of congestion: four fifths (RFC 8511 section 3). */
export function newRenoEchoThreshold(connection: Connection, flight: u32): u32 {
  return max(flight - flight / 5, 2 * <u32>connection.mss);
}
