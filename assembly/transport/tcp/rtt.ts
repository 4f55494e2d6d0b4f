/** Round-trip time and retransmission timeout (RFC 6298). */
import { noteLeastRtt } from "./delivery-rate";
import { Connection, RTT_TIMING } from "./connection";
import { addsRtoMin, rtoMinUs } from "./settings";

/** RFC 6298 section 2.1. */
export const RTO_INITIAL_US: u32 = 1_000_000;
/** Section 5.7: after a SYN had to be repeated. */
export const RTO_AFTER_SYN_US: u32 = 3_000_000;
/** Section 2.5 asks for at least 60 s. */
export const RTO_MAX_US: u32 = 120_000_000;

/**
 * Takes one measurement in microseconds. srtt is held as 8 times, rttvar as 4 times its value, so
 * the gains 1/8 and 1/4 are shifts (section 2.3).
 */
export function sampleRtt(connection: Connection, elapsedUs: u32): void {
  connection.sampleLost = 0;
  const sample = max<u32>(1, min(elapsedUs, RTO_MAX_US));
  noteLeastRtt(connection, sample);
  if (connection.srtt == 0) {
    connection.srtt = sample << 3;
    connection.rttvar = sample << 1;
  } else {
    const error = <i32>(sample - (connection.srtt >> 3));
    const deviation = <u32>abs(error);
    connection.rttvar += deviation - (connection.rttvar >> 2);
    connection.srtt += error;
  }
  setTimeout(connection);
}

function setTimeout(connection: Connection): void {
  // max(G, 4·RTTVAR) of section 2.3: rttvar is four times the value already.
  const variation = max<u32>(addsRtoMin() ? rtoMinUs() : 1000, connection.rttvar);
  const rto = (connection.srtt >> 3) + variation;
  connection.rto = min(RTO_MAX_US, max(rtoMinUs(), rto));
}

/**
 * A timeout came too early, as an acknowledgment shows that took `elapsedUs`, if that is known (RFC 4015
 * section 3.2, steps 7 to 9): the estimate becomes as large at once.
 */
export function allowLateness(connection: Connection, elapsedUs: u32): void {
  connection.srtt = max(connection.srtt, elapsedUs << 3);
  connection.rttvar = max(connection.rttvar, connection.srtt >> 2);
  setTimeout(connection);
}

/**
 * Karn's algorithm (section 3): the acknowledgment of a repeated segment gives no measurement. With
 * timestamps it does, by what it echoes; else the next new segment will.
 */
export function spoilSample(connection: Connection): void {
  connection.clear(RTT_TIMING);
  connection.sampleLost = 1;
}

/** The timeout now, its back-off applied (section 5.5). */
export function timeoutUs(connection: Connection): u32 {
  const backoff = min<u32>(connection.backoff, 16);
  return <u32>min<u64>(RTO_MAX_US, (<u64>connection.rto) << backoff);
}
