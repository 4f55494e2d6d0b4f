/** Timing in memory: many short chunks, the fastest of which the machine disturbed least. */
import { measure } from "mitata";
import type { Budget } from "./figure";

const CHUNKS_MIN = 60;
const TOTAL_NS = 1.5e9;

/** How the figures of this file are come by, for their conditions. */
export const chunkConditions = `best of ≥ ${CHUNKS_MIN} chunks`;

/**
 * Nanoseconds that one unit takes at best. `chunk` does `units` of work and must take at least
 * 0.1 ms, so that mitata times each call by itself; a brief run asks for a hundredth of the units.
 */
export async function fastest(
  units: number,
  chunk: (units: number) => void,
  { brief }: Budget,
): Promise<number> {
  const count = brief ? Math.max(Math.floor(units / 100), 1) : units;
  // The JIT needs some thousand calls of what runs inside before it settles; mitata warms up less.
  for (let warm = brief ? 1 : 20; warm > 0; warm--) chunk(count);
  const stats = await measure(() => chunk(count), {
    min_samples: brief ? 3 : CHUNKS_MIN,
    max_samples: brief ? 3 : 2000,
    min_cpu_time: brief ? 0 : TOTAL_NS,
    batch_threshold: 0,
    gc: false,
  });
  return stats.min / count;
}

/** Throws unless all that was asked for happened: a figure of half the work would be a lie. */
export function complete(what: string, done: number, asked: number): void {
  if (done !== asked) throw new Error(`${what}: ${done} of ${asked} done`);
}
