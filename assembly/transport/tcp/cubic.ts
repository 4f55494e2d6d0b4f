/**
 * CUBIC (RFC 9438): the window is a cubic function of the time since the last congestion, so that its
 * growth does not depend on the round-trip time. Windows are bytes, as everywhere in this stack; the
 * RFC's are segments.
 *
 * Time is summed up over acknowledgments that found the window in use. So it stands still while the
 * application or the peer's window limits the flow, as sections 4.2 and 5.8 ask.
 */
import { nowTick, TICK_SHIFT } from "../../time/clock";
import { Connection } from "./connection";
import { CWND_MAX } from "./slow-start";

/** C and β of section 4.1 and 4.6. */
const SCALE: f64 = 0.4;
const BETA: f64 = 0.7;
const BETA_ECHO: f64 = 0.85;
/** α of section 4.3: what AIMD must add a round trip to share with Reno while it falls only to β. */
const ALPHA: f64 = (3.0 * (1.0 - BETA)) / (1.0 + BETA);
const TICK_SECONDS: f64 = <f64>(1 << TICK_SHIFT) / 1e6;
/** srtt is held in eighths of a microsecond. */
const SRTT_SECONDS: f64 = 1.0 / 8e6;
/** Section 4.2: the window does not grow by more than half in a round trip. */
const TARGET_MAX: f64 = 1.5;

/** Congestion avoidance (sections 4.2 to 4.5); the window is in use. */
export function cubicAvoid(connection: Connection, acknowledged: u32): void {
  if (!connection.cubicRuns) beginEpoch(connection);
  else countTime(connection);
  const mss = <f64>connection.mss;
  const cwnd = <f64>connection.cwnd;
  const bytes = <f64>min(acknowledged, connection.cwnd);

  const alpha = connection.cubicEstimate < <f64>connection.cubicPrior ? ALPHA : 1.0;
  const estimate = min(connection.cubicEstimate + (alpha * bytes * mss) / cwnd, <f64>CWND_MAX);
  connection.cubicEstimate = estimate;

  const seconds = <f64>connection.cubicTicks * TICK_SECONDS;
  let next = cwnd + <f64>connection.cubicFraction;
  if (cubicWindow(connection, seconds) < estimate) {
    // Section 4.3, the Reno-friendly region.
    next = max(next, estimate);
  } else {
    const ahead = cubicWindow(connection, seconds + <f64>connection.srtt * SRTT_SECONDS);
    const target = min(max(ahead, cwnd), cwnd * TARGET_MAX);
    next += ((target - cwnd) * bytes) / cwnd;
  }
  next = min(next, <f64>CWND_MAX);
  const whole = <u32>next;
  connection.cubicFraction = <f32>(next - <f64>whole);
  connection.cwnd = whole;
}

/** W_cubic(t) of section 4.2 in bytes. */
function cubicWindow(connection: Connection, seconds: f64): f64 {
  const distance = seconds - <f64>connection.cubicOrigin;
  const segments = SCALE * distance * distance * distance;
  return <f64>connection.cubicMaximum + segments * <f64>connection.mss;
}

/**
 * A stage of congestion avoidance begins. Without a W_max above the window (after slow start without
 * loss, after a timeout: section 4.8) the curve begins at its origin.
 */
function beginEpoch(connection: Connection): void {
  const cwnd = connection.cwnd;
  connection.cubicRuns = 1;
  connection.cubicTicks = 0;
  connection.cubicSeenTick = nowTick;
  connection.cubicEstimate = <f64>cwnd;
  connection.cubicFraction = 0;
  if (connection.cubicMaximum > cwnd) {
    const segments = <f64>(connection.cubicMaximum - cwnd) / <f64>connection.mss;
    connection.cubicOrigin = <f32>Math.cbrt(segments / SCALE);
  } else {
    connection.cubicMaximum = cwnd;
    connection.cubicOrigin = 0;
  }
}

function countTime(connection: Connection): void {
  const passed = nowTick - connection.cubicSeenTick;
  connection.cubicSeenTick = nowTick;
  const ticks = connection.cubicTicks + passed;
  connection.cubicTicks = ticks < passed ? u32.MAX_VALUE : ticks;
}

/** The time until now does not count: the window was not in use. */
export function cubicSkipTime(connection: Connection): void {
  connection.cubicSeenTick = nowTick;
}

/** The window was taken back without congestion: the curve begins anew where slow start ends. */
export function cubicRestart(connection: Connection): void {
  connection.cubicRuns = 0;
}

/** ssthresh after a loss with so many bytes in flight (section 4.6). */
export function cubicThreshold(connection: Connection, flight: u32): u32 {
  return max(<u32>(<f64>flight * BETA), 2 * <u32>connection.mss);
}

/** ssthresh after an echo of congestion (RFC 8511 section 3). */
export function cubicEchoThreshold(connection: Connection, flight: u32): u32 {
  return max(<u32>(<f64>flight * BETA_ECHO), 2 * <u32>connection.mss);
}

/** Remembers the window at which congestion was met; another stage begins after it. */
export function cubicCongested(connection: Connection): void {
  const cwnd = connection.cwnd;
  // Fast convergence (section 4.7): a flow that lost below its last maximum makes room for others.
  const shrinks = cwnd < connection.cubicMaximum;
  connection.cubicMaximum = shrinks ? <u32>((<f64>cwnd * (1.0 + BETA)) / 2.0) : cwnd;
  connection.cubicPrior = cwnd;
  connection.cubicRuns = 0;
}

/** After a timeout the next stage starts with K = 0 at the window it finds (section 4.8). */
export function cubicForget(connection: Connection): void {
  connection.cubicMaximum = 0;
  connection.cubicRuns = 0;
}

/** Remembers the curve before it is reduced (section 4.9). */
export function cubicSave(connection: Connection): void {
  connection.undoMaximum = connection.cubicMaximum;
  connection.undoPrior = connection.cubicPrior;
  connection.undoEstimate = <u32>connection.cubicEstimate;
  connection.undoOrigin = connection.cubicOrigin;
  connection.undoTicks = connection.cubicTicks;
}

/** The curve goes on where it was, `ran` or not; the time between does not count. */
export function cubicRestore(connection: Connection, ran: bool): void {
  connection.cubicMaximum = connection.undoMaximum;
  connection.cubicPrior = connection.undoPrior;
  connection.cubicEstimate = <f64>connection.undoEstimate;
  connection.cubicOrigin = connection.undoOrigin;
  connection.cubicTicks = connection.undoTicks;
  connection.cubicSeenTick = nowTick;
  connection.cubicFraction = 0;
  connection.cubicRuns = ran ? 1 : 0;
}
