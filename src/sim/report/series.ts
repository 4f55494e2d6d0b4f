/** Values over time in bounded memory: what is thinned out keeps its extremes. */

/** Columns, because they take a third of the JSON that pairs would. */
export interface SeriesData {
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
}

/** A value that holds until the next one: only changes are kept. */
export class Series {
  readonly #pointsMax: number;
  #timesMs: number[] = [];
  #values: number[] = [];

  /** `pointsMax`: at least 8. */
  constructor(pointsMax: number) {
    this.#pointsMax = pointsMax;
  }

  add(timeMs: number, value: number): void {
    if (this.#values.at(-1) === value) return;
    this.#timesMs.push(timeMs);
    this.#values.push(value);
    if (this.#values.length > this.#pointsMax) this.#thin();
  }

  get last(): number | undefined {
    return this.#values.at(-1);
  }

  /** At most `pointsMax` points. */
  data(pointsMax: number): SeriesData {
    let data: SeriesData = { timesMs: this.#timesMs, values: this.#values };
    while (data.values.length > pointsMax) data = thinned(data);
    return data;
  }

  #thin(): void {
    const { timesMs, values } = thinned({ timesMs: this.#timesMs, values: this.#values });
    this.#timesMs = [...timesMs];
    this.#values = [...values];
  }
}

const GROUP = 4;

/**
 * Half as many points: the first, the last, and of every four in between the smallest and the
 * largest, in their order. What only rose before still only rises.
 */
export function thinned({ timesMs, values }: SeriesData): SeriesData {
  const last = values.length - 1;
  if (last < GROUP) return { timesMs, values };
  const kept = [0];
  for (let start = 1; start < last; start += GROUP) {
    kept.push(...extremes(values, start, Math.min(start + GROUP, last)));
  }
  kept.push(last);
  return {
    timesMs: kept.map((index) => timesMs[index] as number),
    values: kept.map((index) => values[index] as number),
  };
}

/** Where in `[start, end)` the smallest and the largest value stand, in order; one index if alike. */
function extremes(values: readonly number[], start: number, end: number): number[] {
  let low = start;
  let high = start;
  for (let index = start + 1; index < end; index++) {
    const value = values[index] as number;
    if (value < (values[low] as number)) low = index;
    // Of equal ones the latest, so that a rising group keeps its end.
    if (value >= (values[high] as number)) high = index;
  }
  if (low === high) return [low];
  return low < high ? [low, high] : [high, low];
}
