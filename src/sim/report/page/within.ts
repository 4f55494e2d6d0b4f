/** The part of a series that a window of time shows. */
import type { SeriesData } from "../series";

/**
 * The smallest and the largest of a line's values in this time, the one that holds at its start
 * included; Infinity and -Infinity when there is none.
 */
export function valuesWithin(
  data: SeriesData,
  fromMs: number,
  untilMs: number,
): readonly [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  data.timesMs.forEach((timeMs, index) => {
    const nextMs = data.timesMs[index + 1] ?? Number.POSITIVE_INFINITY;
    if (timeMs > untilMs || nextMs < fromMs) return;
    low = Math.min(low, data.values[index] as number);
    high = Math.max(high, data.values[index] as number);
  });
  return [low, high];
}

/** The largest value of several lines in this time; 0 when there is none. */
export function largestWithin(
  lines: readonly SeriesData[],
  fromMs: number,
  untilMs: number,
): number {
  return Math.max(0, ...lines.map((data) => valuesWithin(data, fromMs, untilMs)[1]));
}
