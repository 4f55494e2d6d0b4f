/**
 * The receive buffer grows with what the application takes out of it: within each round trip the sender
 * has to find room for twice as much as was read in the last one, or slow start would wait for us. A
 * window is only a promise, so a connection that carries little holds little. It never shrinks; what is
 * not asked for any more is not used.
 */
import { FRAME_SHIFT } from "../../layout";
import { framesTotal } from "../../memory/frame";
import { nowTick, TICK_SHIFT } from "../../time/clock";
import { Connection, RECEIVE_FIXED, SCALING } from "./connection";
import { segmentEcho } from "./options";
import { framesLeft } from "./pressure";
import { RTO_MAX_US } from "./rtt";
import { segmentBytes } from "./segment";
import { receiveBufferMax, tunesReceiveBuffer } from "./settings";
import { fromShortFloat, toShortFloat } from "./short-float";
import { timestampNow } from "./timestamp";

/** What the sender may have under way more than twice what was read, in segments. */
const MARGIN_SEGMENTS: u32 = 16;
/** The initial window of RFC 6928, which every sender may use before we know anything of it. */
const FIRST_SEGMENTS: u32 = 10;
/** Half of a clock's circle less a bit: never, until something is measured by accident. */
const NEVER_TICKS: u32 = 1 << 30;
/** What the record can hold: 8 s, a round trip that nobody knows yet. */
const ROUND_MAX_TICKS: u32 = 65_535;
const WINDOW_MAX: u32 = 65_535;

/** The connection is established. */
export function startTuning(connection: Connection): void {
  beginRound(connection, connection.receiveNext, 0);
  connection.tuneBytes = toShortFloat(FIRST_SEGMENTS * <u32>connection.mss);
}

/** Text has arrived and was taken or queued; `segmentEcho` is its own where timestamps are agreed. */
export function tuneReceiveBuffer(connection: Connection): void {
  const largest = largestBuffer(connection);
  if (connection.receiveBuffer >= largest) {
    connection.tuneTick = nowTick + NEVER_TICKS;
    return;
  }
  const elapsed = nowTick - connection.tuneTick + connection.tuneWait;
  const round = min(roundTicks(connection, elapsed), ROUND_MAX_TICKS);
  if (elapsed < round) {
    // Not over, or not known yet.
    const wait = round == ROUND_MAX_TICKS ? elapsed + 1 : round;
    connection.tuneTick += wait - connection.tuneWait;
    connection.tuneWait = <u16>wait;
    return;
  }
  const taken = connection.receiveNext - connection.receiveQueued;
  // Beyond a gap nothing could be read; what was then read at once is of all the rounds since.
  const bytes = <u64>(taken - connection.tuneSequence);
  const copied = <u32>((bytes * <u64>round) / <u64>max<u32>(1, elapsed));
  const before = fromShortFloat(connection.tuneBytes);
  if (copied > before) {
    growTo(connection, copied, before, largest);
    connection.tuneBytes = toShortFloat(copied);
  }
  beginRound(connection, taken, round);
}

/** A round begins with the byte `sequence` and lasts `ticks` at least. */
function beginRound(connection: Connection, sequence: u32, ticks: u32): void {
  connection.tuneSequence = sequence;
  connection.tuneTick = nowTick + ticks;
  connection.tuneWait = <u16>ticks;
}

/** What the configuration, the window field and a quarter of the pool allow. */
function largestBuffer(connection: Connection): u32 {
  if (connection.chose(RECEIVE_FIXED) || !tunesReceiveBuffer()) return 0;
  const tellable = connection.has(SCALING) ? WINDOW_MAX << connection.receiveScale : WINDOW_MAX;
  return min(min(receiveBufferMax(), tellable), (framesTotal() << FRAME_SHIFT) >> 2);
}

/**
 * Twice what was read in this round, and up to twice as much again as far as that was more than in the
 * round before: in slow start the sender will be further ahead by the time it hears of it.
 */
function growTo(connection: Connection, copied: u32, before: u32, largest: u32): void {
  const window = 2 * <u64>copied + MARGIN_SEGMENTS * <u64>connection.mss;
  const more = (window * <u64>(copied - before)) / <u64>max<u32>(1, before);
  const wanted = <u32>min<u64>(largest, window + min<u64>(2 * more, window));
  // Where frames are short nobody is promised more of them.
  if (wanted <= connection.receiveBuffer || framesLeft(connection) < framesTotal() >> 1) return;
  connection.receiveBuffer = wanted;
}

/** A round trip in ticks; u32.MAX_VALUE when nothing tells it yet. */
function roundTicks(connection: Connection, elapsed: u32): u32 {
  if (connection.optionBytes != 0) sampleEchoed(connection);
  if (connection.tuneRtt != 0) return connection.tuneRtt;
  const own = connection.srtt >> (3 + TICK_SHIFT);
  if (connection.srtt != 0) return max<u32>(1, own);
  // A window's worth takes a round trip at least (the peer cannot send more).
  const arrived = connection.receiveNext - connection.tuneSequence;
  return arrived >= connection.receiveBuffer ? elapsed : u32.MAX_VALUE;
}

/**
 * How long ago we sent what a full segment echoes. What the peer held back makes it longer, so one
 * sample moves the estimate by an eighth and counts twice the estimate at most.
 */
function sampleEchoed(connection: Connection): void {
  if (segmentBytes < <u32>connection.mss) return;
  const elapsedMs = timestampNow(connection) - segmentEcho;
  if (elapsedMs > RTO_MAX_US / 1000) return;
  const own = connection.srtt >> (3 + TICK_SHIFT);
  // The clock of timestamps is coarse; below its unit our own measurement is better, if there is one.
  const ticks = elapsedMs <= 1 ? max<u32>(1, own) : (elapsedMs * 1000) >> TICK_SHIFT;
  const sample = min(ticks, ROUND_MAX_TICKS - 1);
  const known: u32 = connection.tuneRtt;
  if (known == 0) {
    connection.tuneRtt = <u16>sample;
    return;
  }
  const step = <i32>(min(sample, 2 * known) - known);
  connection.tuneRtt = <u16>max<i32>(1, <i32>known + (step + (step > 0 ? 7 : 0)) / 8);
}
