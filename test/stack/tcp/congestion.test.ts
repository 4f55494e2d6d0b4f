/** NewReno and what all controllers share: RFC 5681, RFC 6582 (NewReno), RFC 6928, RFC 3465. */
import { expect, test } from "bun:test";
import { COUNTER_TCP_FAST_RETRANSMITS } from "../../../assembly/layout";
import { pattern } from "../packets";
import type { Lab } from "./lab";
import { accepted, type Peer } from "./peer";

const mss = 1000;

/** An established connection of 1,000-byte segments with a large window and much to send. */
function loaded(bytes = 500_000): { lab: Lab; peer: Peer; qd: number } {
  const options = { sendBufferBytes: 1 << 20, congestionControl: "newreno" } as const;
  const opened = accepted({ mss, scale: 7 }, options);
  opened.lab.push(opened.qd, pattern(bytes));
  return opened;
}

/** Relative segment numbers (0 for the first) of the data that has been sent. */
function segments(peer: Peer): number[] {
  const data = peer.take().filter(({ length }) => length > 0);
  return data.map(({ seq }) => (seq - 1) / mss);
}

function acknowledge(peer: Peer, segment: number, times = 1): void {
  for (let time = 0; time < times; time++) peer.inject("A", { seq: 1, ack: 1 + segment * mss });
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

test("the initial window is ten segments, or less in bytes (RFC 6928 2)", () => {
  for (const [size, count] of [
    [536, 10],
    [1460, 10],
    [64, 10],
  ] as const) {
    const { lab, peer, qd } = accepted({ mss: size, scale: 7 });
    lab.push(qd, pattern(60_000));
    expect(peer.take()).toHaveLength(count);
  }
  const jumbo = accepted({ mss: 8960, scale: 7 }, { frames: 4096 }, { mtu: 9000 });
  jumbo.lab.push(jumbo.qd, pattern(60_000));
  const bytes = jumbo.peer.take().reduce((sum, { length }) => sum + length, 0);
  expect(bytes).toBeLessThanOrEqual(2 * 8960);
});

test("slow start adds what is acknowledged (RFC 5681 3.1, RFC 3465 2.2)", () => {
  const { peer } = loaded();
  expect(segments(peer)).toEqual(range(0, 10));
  acknowledge(peer, 2);
  expect(segments(peer)).toEqual(range(10, 14));
  for (let segment = 3; segment <= 10; segment++) acknowledge(peer, segment);
  expect(segments(peer)).toEqual(range(14, 30));
});

test("split acknowledgments grow the window by bytes, not by their number (RFC 3465, S12)", () => {
  const { peer } = loaded();
  segments(peer);
  for (let part = 1; part <= 10; part++) peer.inject("A", { seq: 1, ack: 1 + part * 100 });
  expect(segments(peer)).toEqual([10, 11]);
});

test("a window that was not used does not grow (RFC 5681 3.1, RFC 7661)", () => {
  const { lab, peer, qd } = accepted({ mss, scale: 7 });
  for (let round = 0; round < 50; round++) {
    lab.push(qd, pattern(100));
    peer.expect({ flags: "PA", seq: 1 + round * 100, length: 100 });
    peer.inject("A", { seq: 1, ack: 101 + round * 100 });
  }
  lab.push(qd, pattern(100_000));
  expect(peer.take()).toHaveLength(10);
});

test("the third duplicate acknowledgment retransmits, later ones send new data (RFC 5681 3.2)", () => {
  const { lab, peer } = loaded();
  expect(segments(peer)).toEqual(range(0, 10));
  // Limited transmit (RFC 3042).
  acknowledge(peer, 0, 2);
  expect(segments(peer)).toEqual([10, 11]);
  acknowledge(peer, 0);
  expect(segments(peer)).toEqual([0]);
  expect(lab.counter(COUNTER_TCP_FAST_RETRANSMITS)).toBe(1);
  // cwnd = 5 + 3 segments; each further duplicate adds one, so the fifth more sends segment 12.
  acknowledge(peer, 0, 4);
  lab.silence();
  acknowledge(peer, 0);
  expect(segments(peer)).toEqual([12]);
  acknowledge(peer, 0, 3);
  expect(segments(peer)).toEqual([13, 14, 15]);
});

test("the full acknowledgment ends recovery with ssthresh (RFC 6582 3.2, step 3)", () => {
  const { peer } = loaded();
  segments(peer);
  acknowledge(peer, 0, 9);
  expect(segments(peer)).toEqual([10, 11, 0, 12, 13]);
  acknowledge(peer, 14);
  // min(ssthresh = 5, max(flight = 0, 1) + 1) segments.
  expect(segments(peer)).toEqual([14, 15]);
  acknowledge(peer, 16);
  expect(segments(peer)).toEqual([16, 17, 18, 19]);
});

test("a partial acknowledgment retransmits the next hole (RFC 6582 3.2, step 3)", () => {
  const { peer } = loaded();
  segments(peer);
  acknowledge(peer, 0, 9);
  segments(peer);
  acknowledge(peer, 4);
  expect(segments(peer)[0]).toBe(4);
  acknowledge(peer, 7);
  expect(segments(peer)[0]).toBe(7);
});

test("only the first partial acknowledgment restarts the timer (RFC 6582 3.2, Impatient)", () => {
  const { lab, peer } = loaded();
  segments(peer);
  acknowledge(peer, 0, 9);
  segments(peer);
  acknowledge(peer, 2);
  segments(peer);
  lab.advance(150, 1);
  acknowledge(peer, 4);
  segments(peer);
  lab.advance(60, 1);
  expect(segments(peer)[0]).toBe(4);
});

test("duplicates of what was sent before recovery start no second one (RFC 6582 3.2, step 1)", () => {
  const { lab, peer } = loaded();
  segments(peer);
  lab.advance(210, 1);
  expect(segments(peer)).toEqual([0]);
  acknowledge(peer, 5);
  segments(peer);
  acknowledge(peer, 5, 5);
  expect(lab.counter(COUNTER_TCP_FAST_RETRANSMITS)).toBe(0);
});

test("what is not a duplicate acknowledgment does not count as one (RFC 5681 2)", () => {
  const { lab, peer } = loaded();
  segments(peer);
  for (const window of [60_000, 60_001, 60_002, 60_003])
    peer.inject("A", { seq: 1, ack: 1, window });
  for (let index = 0; index < 4; index++) {
    peer.inject("PA", { seq: 1 + index, ack: 1, length: 1, window: 60_003 });
  }
  segments(peer);
  expect(lab.counter(COUNTER_TCP_FAST_RETRANSMITS)).toBe(0);
});

test("a timeout goes back to one segment and half the flight (RFC 5681 3.1, equation 4)", () => {
  // There is no new data by which F-RTO could ask (RFC 5682).
  const { lab, peer, qd } = loaded(10 * mss);
  segments(peer);
  lab.advance(210, 1);
  expect(segments(peer)).toEqual([0]);
  acknowledge(peer, 1);
  expect(segments(peer)).toEqual([1, 2]);
  lab.push(qd, pattern(400_000));
  acknowledge(peer, 3);
  // A segment an acknowledgment until what was sent before is acknowledged (RFC 3465 2.3).
  expect(segments(peer)).toEqual([3, 4, 5]);
  acknowledge(peer, 6);
  expect(segments(peer)).toEqual([6, 7, 8, 9]);
  // ssthresh = 5: there slow start ends, then it is a segment a round trip.
  acknowledge(peer, 10);
  let window = segments(peer).length;
  expect(window).toBe(5);
  let first = 10;
  for (let round = 0; round < 3; round++) {
    acknowledge(peer, first + window);
    first += window;
    const grown = segments(peer).length;
    expect(grown - window).toBeLessThanOrEqual(1);
    expect(grown).toBeGreaterThanOrEqual(window);
    window = grown;
  }
});

test("acknowledgments of what was not sent are no help (S12)", () => {
  const { lab, peer } = loaded();
  segments(peer);
  for (let ahead = 11; ahead < 40; ahead++) acknowledge(peer, ahead);
  expect(segments(peer).filter((segment) => segment >= 10)).toEqual([]);
  expect(lab.counter(COUNTER_TCP_FAST_RETRANSMITS)).toBe(0);
});
