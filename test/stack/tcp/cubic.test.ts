/** CUBIC (RFC 9438), against its formulas worked out here in segments and seconds. */
import { expect, test } from "bun:test";
import { Flow, mss, timeOut } from "./flow";

/** A whole number of the wheel's ticks. */
const roundTripUs = 102_400;

/** Section 4 as it is written: windows in segments, time in seconds. */
class Model {
  cwnd: number;
  readonly #maximum: number;
  readonly #prior: number;
  readonly #origin: number;
  readonly #startSeconds: number;
  #estimate: number;

  constructor(start: { cwnd: number; maximum: number; prior: number; seconds: number }) {
    this.cwnd = start.cwnd;
    this.#maximum = Math.max(start.maximum, start.cwnd);
    this.#prior = start.prior;
    this.#startSeconds = start.seconds;
    this.#estimate = start.cwnd;
    this.#origin = Math.cbrt((this.#maximum - start.cwnd) / 0.4);
  }

  /** Figure 1. */
  #cubic(seconds: number): number {
    return 0.4 * (seconds - this.#origin) ** 3 + this.#maximum;
  }

  /** Figure 4 with what section 4.3 says of α. */
  acknowledge(segments: number, seconds: number, roundTripSeconds: number): "reno" | "cubic" {
    const alpha = this.#estimate < this.#prior ? (3 * (1 - 0.7)) / (1 + 0.7) : 1;
    this.#estimate += (alpha * segments) / this.cwnd;
    const elapsed = seconds - this.#startSeconds;
    if (this.#cubic(elapsed) < this.#estimate) {
      this.cwnd = Math.max(this.cwnd, this.#estimate);
      return "reno";
    }
    const ahead = this.#cubic(elapsed + roundTripSeconds);
    const target = Math.min(Math.max(ahead, this.cwnd), 1.5 * this.cwnd);
    this.cwnd += ((target - this.cwnd) / this.cwnd) * segments;
    return "cubic";
  }
}

/** Slow start to at least so many segments, at a constant round-trip time. */
function grown(segments: number): Flow {
  const flow = new Flow();
  flow.fill();
  while (flow.view.cwnd < segments * mss) {
    flow.round(roundTripUs);
    flow.fill();
  }
  return flow;
}

/** Rounds in congestion avoidance beside the model; says how often each region of it ruled. */
function follow(flow: Flow, start: { maximum: number; prior: number }, rounds: number) {
  const regions = { reno: 0, cubic: 0 };
  let model: Model | undefined;
  for (let round = 0; round < rounds; round++) {
    flow.round(roundTripUs, (bytes, cwndBefore) => {
      const { cwnd, ssthresh, srttUs } = flow.view;
      if (cwndBefore < ssthresh && cwnd <= ssthresh) return;
      let segments = Math.min(bytes, cwndBefore) / mss;
      if (cwndBefore < ssthresh) segments = (cwndBefore + bytes - ssthresh) / mss;
      model ??= new Model({
        cwnd: Math.max(cwndBefore, ssthresh) / mss,
        maximum: start.maximum / mss,
        prior: start.prior / mss,
        seconds: flow.seconds,
      });
      regions[model.acknowledge(segments, flow.seconds, srttUs / 1e6)]++;
      expect(Math.abs(cwnd - model.cwnd * mss)).toBeLessThan(4);
    });
    flow.fill();
  }
  return regions;
}

test("a loss leaves seven tenths of the flight (RFC 9438 4.6)", () => {
  const flow = grown(40);
  const { flight } = flow;
  flow.lose(roundTripUs);
  expect(flow.view.ssthresh).toBe(Math.floor(flight * 0.7));
});

test("ssthresh is two segments at least (RFC 9438 4.6)", () => {
  const flow = new Flow();
  flow.write(2 * mss);
  timeOut(flow);
  expect(flow.view.ssthresh).toBe(2 * mss);
});

test("a large window follows the cubic curve to its old maximum and beyond (RFC 9438 4.2, 4.4, 4.5)", () => {
  const flow = grown(300);
  const { cwnd } = flow.view;
  flow.lose(roundTripUs);
  const regions = follow(flow, { maximum: cwnd, prior: cwnd }, 90);
  expect(regions.cubic).toBeGreaterThan(regions.reno);
  expect(flow.view.cwnd).toBeGreaterThan(cwnd);
});

test("a small window grows as Reno's would with its share (RFC 9438 4.3)", () => {
  const flow = grown(20);
  const { cwnd } = flow.view;
  flow.lose(roundTripUs);
  const regions = follow(flow, { maximum: cwnd, prior: cwnd }, 40);
  expect(regions.reno).toBeGreaterThan(regions.cubic);
  // α is 0.53 up to the old window, 1 beyond.
  expect(flow.view.cwnd).toBeGreaterThan(cwnd + 5 * mss);
});

test("a loss below the last maximum leaves room for others (RFC 9438 4.7)", () => {
  const flow = grown(300);
  flow.lose(roundTripUs);
  for (let round = 0; round < 5; round++) {
    flow.round(roundTripUs);
    flow.fill();
  }
  const { cwnd } = flow.view;
  flow.lose(roundTripUs);
  follow(flow, { maximum: Math.floor((cwnd * 1.7) / 2), prior: cwnd }, 60);
});

test("after a timeout the curve starts where slow start ends (RFC 9438 4.8)", () => {
  const flow = grown(100);
  const { cwnd, flight } = { cwnd: flow.view.cwnd, flight: flow.flight };
  timeOut(flow);
  expect(flow.view.cwnd).toBe(mss);
  expect(flow.view.ssthresh).toBe(Math.floor(flight * 0.7));
  flow.acknowledge(flow.flight);
  follow(flow, { maximum: 0, prior: cwnd }, 60);
  expect(flow.view.cwnd).toBeGreaterThan(flow.view.ssthresh);
});

test("time in which the window is not used does not count (RFC 9438 5.8)", () => {
  const windows = [0, 300].map((pauseRounds) => {
    const flow = grown(300);
    flow.lose(roundTripUs);
    for (let round = 0; round < 60; round++) {
      if (round === 20) {
        // The data at hand ends; then a segment a round trip, for half a minute.
        for (let left = pauseRounds; left > 0; left--) {
          while (flow.flight > 5 * mss) flow.round(roundTripUs);
          flow.write(mss);
          flow.round(roundTripUs);
        }
      }
      flow.fill();
      flow.round(roundTripUs);
    }
    return flow.view.cwnd;
  });
  const [without = 0, paused = 0] = windows;
  expect(Math.abs(paused - without)).toBeLessThan(0.05 * without);
});
