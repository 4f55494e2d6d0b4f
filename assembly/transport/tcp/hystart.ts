/**
 * HyStart++ (RFC 9406): slow start ends when the round-trip time grows, before a queue overflows. What
 * looks like growth is first answered by conservative slow start, which goes back when it was none.
 */
import { nowUs } from "../../time/clock";
import { Connection } from "./connection";
import { after } from "./sequence";
import { isFirstSlowStart } from "./slow-start";

// Section 4.3.
const THRESHOLD_MIN_US: u32 = 4000;
const THRESHOLD_MAX_US: u32 = 16000;
const RTT_DIVISOR: u32 = 8;
const SAMPLES: u8 = 8;
const GROWTH_DIVISOR: u32 = 4;
const CSS_ROUNDS: u8 = 5;

/** Forgets every round. */
export function hystartReset(connection: Connection): void {
  connection.cssRounds = 0;
  connection.rttSamples = 0;
  connection.roundRttUs = 0;
  connection.lastRoundRttUs = 0;
}

/** The part of a slow start step that is to be taken. */
export function hystartStep(connection: Connection, step: u32): u32 {
  return connection.cssRounds == 0 ? step : step / GROWTH_DIVISOR;
}

/** An acknowledgment in the first slow start has moved SND.UNA; what it acknowledges is still queued. */
export function hystartAcknowledged(connection: Connection): void {
  const una = connection.sendUna;
  let frame = connection.sendHead;
  let sentUs: u32 = 0;
  let found = false;
  while (frame !== null && !after(frame.sequence + frame.length, una)) {
    sentUs = frame.total;
    found = true;
    frame = frame.next;
  }
  if (found) sample(connection, <u32>nowUs - sentUs);
}

function sample(connection: Connection, elapsedUs: u32): void {
  const rttUs = max<u32>(1, elapsedUs);
  const least = connection.roundRttUs;
  connection.roundRttUs = least == 0 ? rttUs : min(least, rttUs);
  if (connection.rttSamples < SAMPLES) connection.rttSamples++;
  if (connection.rttSamples < SAMPLES) return;
  if (connection.cssRounds == 0) {
    if (hasGrown(connection)) {
      connection.cssRttUs = connection.roundRttUs;
      connection.cssRounds = 1;
    }
  } else if (connection.roundRttUs < connection.cssRttUs) {
    // It was jitter: slow start goes on.
    connection.cssRounds = 0;
  }
}

function hasGrown(connection: Connection): bool {
  const last = connection.lastRoundRttUs;
  if (last == 0) return false;
  const threshold = max(THRESHOLD_MIN_US, min(last / RTT_DIVISOR, THRESHOLD_MAX_US));
  return connection.roundRttUs >= last + threshold;
}

/** A round has ended. True when slow start is over with it. */
export function hystartRoundEnded(connection: Connection): bool {
  // Should a reduction be taken back, its slow start goes on with what it knew.
  if (!isFirstSlowStart(connection)) return false;
  connection.lastRoundRttUs = connection.roundRttUs;
  connection.roundRttUs = 0;
  connection.rttSamples = 0;
  if (connection.cssRounds == 0) return false;
  // The round in which it began counts, however little was left of it.
  if (connection.cssRounds < CSS_ROUNDS) {
    connection.cssRounds++;
    return false;
  }
  return true;
}
