/** Ranges of sequence numbers over time, in bounded memory. */

/** Columns again; `starts` and `ends` count bytes from the initial sequence number. */
export interface SpanData {
  readonly timesMs: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** How many there were; more than are listed when neighbours had to be merged or left out. */
  readonly total: number;
}

interface Span {
  readonly timeMs: number;
  readonly start: number;
  readonly end: number;
}

export class Spans {
  readonly #spansMax: number;
  #spans: Span[] = [];
  #total = 0;

  constructor(spansMax: number) {
    this.#spansMax = spansMax;
  }

  get total(): number {
    return this.#total;
  }

  add(timeMs: number, start: number, end: number): void {
    this.#total++;
    this.#spans.push({ timeMs, start, end });
    if (this.#spans.length > this.#spansMax) this.#spans = halved(this.#spans);
  }

  /** At most `spansMax` spans. */
  data(spansMax: number): SpanData {
    let spans = this.#spans;
    while (spans.length > spansMax) spans = halved(spans);
    return {
      timesMs: spans.map(({ timeMs }) => timeMs),
      starts: spans.map(({ start }) => start),
      ends: spans.map(({ end }) => end),
      total: this.#total,
    };
  }
}

/** Joins each two that meet; of two that do not, the earlier stays. */
function halved(spans: readonly Span[]): Span[] {
  const half: Span[] = [];
  for (let index = 0; index < spans.length; index += 2) {
    const first = spans[index] as Span;
    const second = spans[index + 1];
    half.push(second?.start === first.end ? { ...first, end: second.end } : first);
  }
  return half;
}
