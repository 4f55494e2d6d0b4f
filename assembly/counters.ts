/** Counters that the host reads from the control page: drops by reason, totals, pool gauges. */
import { CONTROL_COUNTERS } from "./layout";

export function count(counter: u32): void {
  const at: usize = CONTROL_COUNTERS + (counter << 3);
  store<u64>(at, load<u64>(at) + 1);
}

export function countMany(counter: u32, amount: u32): void {
  const at: usize = CONTROL_COUNTERS + (counter << 3);
  store<u64>(at, load<u64>(at) + <u64>amount);
}

/** Takes one from a gauge. */
export function uncount(counter: u32): void {
  const at: usize = CONTROL_COUNTERS + (counter << 3);
  store<u64>(at, load<u64>(at) - 1);
}
