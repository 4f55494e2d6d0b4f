/** The retransmission timer (RFC 6298), giving up (RFC 9293 3.8.3), Karn's algorithm. */
import { expect, test } from "bun:test";
import { COUNTER_TCP_TIMEOUTS, ERRNO_ETIMEDOUT } from "../../../assembly/layout";
import { pattern } from "../packets";
import { Lab } from "./lab";
import { accepted, Peer } from "./peer";

/** Milliseconds from now until the peer is sent something; checked every `stepMs`. */
function untilSent(lab: Lab, peer: Peer, limitMs: number, stepMs = 1): number {
  for (let ms = stepMs; ms <= limitMs; ms += stepMs) {
    lab.advance(stepMs, stepMs);
    if (peer.take().length > 0) return ms;
  }
  return Number.POSITIVE_INFINITY;
}

/** Within one tick of the wheel and one step of the clock. */
function expectAbout(actual: number, expected: number, tolerance = 2): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance);
}

/** Opens with a round trip of so many milliseconds. */
function opened(roundTripMs: number, stack: object = {}) {
  const lab = new Lab(stack);
  const listener = lab.listen();
  const peer = new Peer(lab);
  peer.inject("S", { options: peer.synOptions });
  peer.expect({ flags: "SA", ack: 1 });
  lab.advance(roundTripMs, 1);
  peer.take();
  peer.inject("A", { seq: 1, ack: 1 });
  return { lab, peer, qd: lab.accepted(listener) };
}

test("the first sample R gives R + 4·R/2 (2.2)", () => {
  const { lab, peer, qd } = opened(300);
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", length: 10 });
  expectAbout(untilSent(lab, peer, 2000), 900);
});

test("later samples: RTTVAR by a quarter, SRTT by an eighth (2.3)", () => {
  const { lab, peer, qd } = opened(300);
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", length: 10 });
  lab.advance(500, 1);
  peer.inject("A", { seq: 1, ack: 11 });
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", seq: 11, length: 10 });
  // RTTVAR = 3/4 · 150 + 1/4 · 200 = 162.5; SRTT = 7/8 · 300 + 1/8 · 500 = 325.
  expectAbout(untilSent(lab, peer, 3000), 325 + 4 * 162.5);
});

test("the timeout has a configured floor (2.4)", () => {
  for (const rtoMinUs of [200_000, 1_000_000]) {
    const { lab, peer, qd } = opened(1, { rtoMinUs });
    lab.push(qd, pattern(10));
    peer.expect({ flags: "PA", length: 10 });
    expectAbout(untilSent(lab, peer, 2000), rtoMinUs / 1000);
  }
});

test("after a repeated SYN-ACK data starts with 3 s and one segment (5.7, RFC 6928 2)", () => {
  const { lab, peer, qd } = opened(1100);
  lab.push(qd, pattern(5000));
  peer.expect({ flags: "A", seq: 1, length: 1460 });
  expectAbout(untilSent(lab, peer, 5000), 3000);
});

test("each timeout doubles the next, one segment at a time (5.4, 5.5)", () => {
  const { lab, peer, qd } = opened(1);
  lab.push(qd, pattern(5000));
  expect(peer.take()).toHaveLength(4);
  for (const expected of [200, 400, 800, 1600, 3200]) {
    const before = lab.counter(COUNTER_TCP_TIMEOUTS);
    expectAbout(untilSent(lab, peer, 10_000), expected);
    expect(lab.counter(COUNTER_TCP_TIMEOUTS)).toBe(before + 1);
  }
});

test("new data acknowledged restarts the timer with its base value (5.3)", () => {
  const { lab, peer, qd } = opened(1);
  lab.push(qd, pattern(2920));
  expect(peer.take()).toHaveLength(2);
  lab.advance(150, 1);
  peer.inject("A", { seq: 1, ack: 1461 });
  expectAbout(untilSent(lab, peer, 1000), 200);
});

test("when all is acknowledged no timer is left (5.2)", () => {
  const { lab, peer, qd } = opened(1);
  lab.push(qd, pattern(2920));
  peer.take();
  peer.inject("A", { seq: 1, ack: 2921 });
  lab.quiet(300_000);
});

test("the acknowledgment of a repeated segment gives no sample (3, Karn)", () => {
  const { lab, peer, qd } = opened(1);
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", length: 10 });
  expectAbout(untilSent(lab, peer, 1000), 200);
  lab.advance(199, 1);
  peer.inject("A", { seq: 1, ack: 11 });
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", seq: 11, length: 10 });
  // A sample of 399 ms would have made it longer; without one the doubled timeout stays (section 5).
  expectAbout(untilSent(lab, peer, 2000), 400);
  peer.inject("A", { seq: 1, ack: 21 });
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", seq: 21, length: 10 });
  peer.inject("A", { seq: 1, ack: 31 });
  // The next segment that is sent once gives the sample that ends it.
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", seq: 31, length: 10 });
  expectAbout(untilSent(lab, peer, 2000), 200);
});

test("after R2 the connection ends with ETIMEDOUT, 100 s at least (MUST-20, SHLD-11)", () => {
  const { lab, peer, qd } = opened(1);
  const pop = lab.pop(qd);
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", length: 10 });
  let attempts = 0;
  let ms = 0;
  for (; ms < 3_600_000 && !lab.isDone(pop); ms += 100) {
    lab.advance(100, 100);
    attempts += peer.take().length;
  }
  expect(attempts).toBe(15);
  expect(ms).toBeGreaterThan(100_000);
  expect(lab.result(pop).errno).toBe(ERRNO_ETIMEDOUT);
  lab.silence();
});

test("no timeout is longer than its ceiling of two minutes (2.5)", () => {
  const { lab, peer, qd } = opened(1);
  lab.push(qd, pattern(10));
  peer.take();
  let longest = 0;
  for (let attempt = 0; attempt < 15; attempt++) {
    longest = Math.max(longest, untilSent(lab, peer, 200_000, 50));
  }
  expectAbout(longest, 120_000, 100);
});

test("a retransmission covers what was pushed meanwhile up to a segment, bytes unchanged", () => {
  const { lab, peer, qd } = opened(1, { noDelay: true });
  const bytes = pattern(900);
  for (let at = 0; at < 900; at += 300) lab.push(qd, bytes.subarray(at, at + 300));
  expect(peer.take().reduce((sum, { length }) => sum + length, 0)).toBe(900);
  lab.advance(210, 1);
  const [again] = peer.take();
  expect(again).toMatchObject({ seq: 1 });
  expect(again?.payload).toEqual(bytes.subarray(0, again?.length));
});

test("a partly acknowledged segment is sent again from its first missing byte", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(1460));
  peer.expect({ flags: "PA", length: 1460 });
  peer.inject("A", { seq: 1, ack: 701 });
  lab.advance(210, 1);
  peer.expect({ flags: "PA", seq: 701, length: 760, payload: pattern(1460).subarray(700) });
});

test("after a timeout a gap's acknowledgment carries SND.MAX, below which the peer refuses it", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(5000));
  expect(peer.take()).toHaveLength(4);
  // The peer has it all, its acknowledgments are lost; SND.NXT goes back.
  lab.advance(250, 1);
  expect(peer.take()).toHaveLength(1);
  peer.inject("A", { seq: 11, ack: 1, length: 10 });
  peer.expect({ flags: "A", seq: 5001, ack: 1 });
});

test("after a timeout acknowledgments of pieces cause no smaller pieces (RFC 9293 3.8.6.2.1)", () => {
  const { lab, peer, qd } = accepted({ mss: 1000 });
  lab.push(qd, pattern(10_000));
  expect(peer.take()).toHaveLength(10);
  lab.advance(250);
  peer.expect({ flags: "A", seq: 1, length: 1000 });
  // A box has cut the segment, and each quarter is acknowledged.
  for (let at = 250; at <= 1000; at += 250) {
    peer.inject("A", { seq: 1, ack: 1 + at });
    for (const { length } of peer.take()) expect(length).toBe(1000);
  }
  peer.inject("A", { seq: 1, ack: 10_001 });
});
