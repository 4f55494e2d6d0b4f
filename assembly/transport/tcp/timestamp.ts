/**
 * Timestamps (RFC 7323): what is echoed, what is too old to be believed (PAWS), and the round trips
 * that echoes tell.
 */
import { COUNTER_DROP_TCP_UNACCEPTABLE } from "../../layout";
import { count } from "../../counters";
import { nowMs, nowUs } from "../../time/clock";
import { Tcp } from "../../wire/tcp";
import { Connection, TIMESTAMPS } from "./connection";
import { peerOptions, readTimestamps, segmentEcho, segmentTimestamp } from "./options";
import { RTO_MAX_US, sampleRtt } from "./rtt";
import { segmentFlags, segmentSequence } from "./segment";
import { after, before } from "./sequence";
import { takesMissingTimestamps } from "./settings";

/** TS.Recent has an age in units of 2^20 µs, of which 24 days have so many (section 5.5). */
const AGE_SHIFT: u64 = 20;
const AGE_MAX: u32 = <u32>((<u64>24 * 86_400 * 1_000_000) >> AGE_SHIFT);

const ECHO_MAX_MS: u32 = RTO_MAX_US / 1000;

/** TSval of a segment that leaves now: a clock of 1 ms (section 5.4), shifted by a secret (7.1). */
export function timestampNow(connection: Connection): u32 {
  return nowMs + connection.timestampOffset;
}

/** Header prediction's part: a timestamp that is no reason for the long way; TS.Recent follows it. */
export function isTimestampExpected(connection: Connection): bool {
  if (!readTimestamps() || before(segmentTimestamp, connection.timestampRecent)) return false;
  renewTimestamp(connection);
  return true;
}

/** What PAWS makes of a segment (section 5.3, R1). */
export const PAWS_PASSES: u32 = 0;
/** Older than what came before: to be answered and dropped. */
export const PAWS_OLD: u32 = 1;
/** Without a timestamp where there has to be one: to be dropped without a word (section 3.2). */
export const PAWS_MISSING: u32 = 2;

export function checkTimestamp(connection: Connection): u32 {
  if (!readTimestamps()) {
    if ((segmentFlags & Tcp.RST) != 0 || takesMissingTimestamps()) return PAWS_PASSES;
    count(COUNTER_DROP_TCP_UNACCEPTABLE);
    return PAWS_MISSING;
  }
  // A reset needs no timestamp and is not judged by one (section 5.2).
  if ((segmentFlags & Tcp.RST) != 0) return PAWS_PASSES;
  if (!before(segmentTimestamp, connection.timestampRecent)) return PAWS_PASSES;
  // After 24 days the peer's clock may have turned half its circle (section 5.5).
  const age = <u32>(nowUs >> AGE_SHIFT) - connection.timestampRenewed;
  return age > AGE_MAX ? PAWS_PASSES : PAWS_OLD;
}

/**
 * A segment that lies in the window, its timestamp checked: TS.Recent follows those that begin where
 * the peer's last news of us ends or before (section 4.3), so that a delayed acknowledgment echoes
 * the first of what it acknowledges and nothing from beyond a gap is echoed.
 */
export function renewTimestamp(connection: Connection): void {
  if ((peerOptions & TIMESTAMPS) == 0 || after(segmentSequence, connection.lastAckSent)) return;
  setTimestamp(connection, segmentTimestamp);
}

export function setTimestamp(connection: Connection, timestamp: u32): void {
  connection.timestampRecent = timestamp;
  connection.timestampRenewed = <u32>(nowUs >> AGE_SHIFT);
}

/**
 * A round trip from the echo of the acknowledgment being processed, which names the transmission it
 * answers, so it may be a repeated one (section 4.1). Its milliseconds are coarse: it serves where
 * the exact measurement was spoilt.
 */
export function sampleEcho(connection: Connection): void {
  if ((peerOptions & TIMESTAMPS) == 0) return;
  const elapsedMs = timestampNow(connection) - segmentEcho;
  if (elapsedMs > ECHO_MAX_MS) return;
  sampleRtt(connection, 1000 * max<u32>(1, elapsedMs));
}
