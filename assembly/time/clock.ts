/** The stack's time: what the host said at the start of this call. It never asks for it itself. */

/** Microseconds of the host's monotonic clock. */
export let nowUs: u64 = 0;
/** The same in wheel ticks (TICK_US each), wrapping. */
export let nowTick: u32 = 0;
/** The same in milliseconds, wrapping. */
export let nowMs: u32 = 0;
/** Where the millisecond after this one begins, so that time is seldom divided. */
let nextMsUs: u64 = 0;

/** A tick of the timing wheel: 128 microseconds. */
export const TICK_SHIFT: u32 = 7;

export function setNow(microseconds: f64): void {
  const next = <u64>microseconds;
  if (next < nowUs) return;
  nowUs = next;
  nowTick = <u32>(next >> TICK_SHIFT);
  if (next >= nextMsUs) startMillisecond();
}

function startMillisecond(): void {
  const milliseconds = nowUs / 1000;
  nowMs = <u32>milliseconds;
  nextMsUs = (milliseconds + 1) * 1000;
}

/** The tick at which `microseconds` from now have surely passed. */
export function tickAfter(microseconds: u32): u32 {
  return <u32>((nowUs + <u64>microseconds + ((1 << TICK_SHIFT) - 1)) >> TICK_SHIFT);
}

/** The tick that comes when `milliseconds` have passed since `tick`. */
export function tickLater(tick: u32, milliseconds: u32): u32 {
  return tick + <u32>((<u64>milliseconds * 1000 + ((1 << TICK_SHIFT) - 1)) >> TICK_SHIFT);
}

export function resetClock(microseconds: f64): void {
  nowUs = <u64>microseconds;
  nowTick = <u32>(nowUs >> TICK_SHIFT);
  startMillisecond();
}
