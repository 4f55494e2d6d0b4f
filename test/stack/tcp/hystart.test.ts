/** HyStart++ (RFC 9406): how slow start ends before a queue overflows. */
import { expect, test } from "bun:test";
import { Flow, mss, timeOut } from "./flow";

const unset = 2 ** 30;
const baseUs = 40_000;
/** Above the base by an eighth of it, the threshold at 40 ms (section 4.2). */
const grownUs = 45_100;

/** Rounds of slow start at the base round-trip time: 10, 20, 40 segments. */
function started(): Flow {
  const flow = new Flow();
  flow.fill();
  for (let round = 0; round < 3; round++) {
    flow.round(baseUs);
    flow.fill();
  }
  expect(flow.view.cwnd).toBe(80 * mss);
  return flow;
}

/** Growth of the window in one round. */
function growth(flow: Flow, roundTripUs: number): number {
  const before = flow.view.cwnd;
  flow.round(roundTripUs);
  flow.fill();
  return flow.view.cwnd / before;
}

test("slow start doubles the window while the round-trip time stays (RFC 9406 4.2)", () => {
  const flow = started();
  expect(growth(flow, baseUs)).toBe(2);
  // Less than the threshold: an eighth of the last round's.
  expect(growth(flow, baseUs + 4000)).toBe(2);
  expect(flow.view.ssthresh).toBe(unset);
});

test("a longer round-trip time leads to conservative slow start, five rounds of it end it (RFC 9406 4.2)", () => {
  const flow = started();
  // Eight samples of a round tell, which begins with what was in flight when the last one ended.
  expect(growth(flow, grownUs)).toBeLessThan(1.95);
  let rounds = 0;
  while (flow.view.ssthresh === unset && rounds < 10) {
    expect(growth(flow, grownUs)).toBeLessThan(1.26);
    rounds++;
  }
  expect(rounds).toBeWithin(4, 6);
  const { ssthresh } = flow.view;
  expect(growth(flow, grownUs)).toBeLessThan(1.02);
  expect(flow.view.ssthresh).toBe(ssthresh);
});

test("a round-trip time that falls again was jitter: slow start goes on (RFC 9406 4.2)", () => {
  const flow = started();
  growth(flow, grownUs);
  expect(growth(flow, grownUs)).toBeLessThan(1.26);
  // A shorter sample is believed once its round has eight.
  growth(flow, baseUs);
  expect(growth(flow, baseUs)).toBeGreaterThan(1.98);
  expect(flow.view.ssthresh).toBe(unset);
});

test("fewer than eight samples in a round say nothing (RFC 9406 4.2)", () => {
  const flow = new Flow();
  flow.fill();
  // Five and ten acknowledgments; the longer round-trip time is seen by seven of fourteen.
  flow.round(baseUs);
  flow.fill();
  flow.lab.host.advance(grownUs, grownUs / 4);
  for (let index = 0; index < 7; index++) flow.acknowledge(2 * mss);
  expect(flow.view.cwnd).toBe(34 * mss);
});

test("only the first slow start is cut short (RFC 9406 4.3)", () => {
  const flow = started();
  timeOut(flow);
  flow.acknowledge(flow.flight);
  const { ssthresh } = flow.view;
  for (let round = 0; round < 4; round++) {
    const before = flow.view.cwnd;
    flow.round(baseUs + round * 20_000);
    flow.fill();
    expect(flow.view.cwnd).toBeGreaterThanOrEqual(Math.min(ssthresh, 1.5 * before));
  }
});

test("NewReno has slow start as it always was (RFC 5681 3.1)", () => {
  const flow = new Flow({ congestionControl: "newreno" });
  flow.fill();
  for (const roundTripUs of [baseUs, baseUs, 60_000, 90_000]) {
    expect(growth(flow, roundTripUs)).toBe(2);
  }
});
