/** Flow control: zero windows and their probes, silly windows, edges that never move left (3.8.6). */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  COUNTER_CONNECTIONS_OPEN,
  COUNTER_TCP_FAST_RETRANSMITS,
  ERRNO_ETIMEDOUT,
  SOCKET_OPTION_LINGER,
} from "../../../assembly/layout";
import { concat, pattern } from "../packets";
import type { Lab } from "./lab";
import { accepted, type Peer } from "./peer";

/** Times in milliseconds from now at which the peer is sent something, and what. */
function watch(lab: Lab, peer: Peer, milliseconds: number, answer?: () => void) {
  const seen: { ms: number; seq: number; length: number; flags: string }[] = [];
  for (let ms = 10; ms <= milliseconds; ms += 10) {
    lab.advance(10);
    for (const { seq, length, flags } of peer.take()) {
      seen.push({ ms, seq, length, flags });
      answer?.();
    }
  }
  return seen;
}

test("a zero window is probed after the timeout with growing intervals (MUST-36, MUST-37)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("A", { seq: 1, ack: 1, window: 0 });
  lab.push(qd, pattern(5000));
  lab.silence();
  const probes = watch(lab, peer, 3500, () => peer.inject("A", { seq: 1, ack: 1, window: 0 }));
  expect(probes.map(({ ms }) => Math.round(ms / 100) / 10)).toEqual([0.2, 0.6, 1.4, 3]);
  expect(probes.every(({ seq, length }) => seq === 1 && length === 1)).toBe(true);
});

test("probes that are answered go on for ever and are no sign of loss (MUST-35, MUST-37)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("A", { seq: 1, ack: 1, window: 0 });
  lab.push(qd, pattern(5000));
  const probes = watch(lab, peer, 3_600_000, () => peer.inject("A", { seq: 1, ack: 1, window: 0 }));
  expect(probes.length).toBeGreaterThan(50);
  expect(probes.every(({ seq, length }) => seq === 1 && length === 1)).toBe(true);
  expect(lab.counter(COUNTER_TCP_FAST_RETRANSMITS)).toBe(0);
  peer.inject("A", { seq: 1, ack: 1 });
  const sent = peer.take();
  expect(sent.map(({ seq, length }) => [seq, length])).toEqual([
    [1, 1460],
    [1461, 1460],
    [2921, 1460],
    [4381, 620],
  ]);
});

test("probes that nobody answers end the connection (MUST-20)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("A", { seq: 1, ack: 1, window: 0 });
  lab.push(qd, pattern(5000));
  const pop = lab.pop(qd);
  const probes = watch(lab, peer, 1_800_000);
  expect(probes).toHaveLength(15);
  expect(lab.result(pop).errno).toBe(ERRNO_ETIMEDOUT);
});

test("a probe's byte that is taken counts, and the last one ends the probing (3.8.6.1)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("A", { seq: 1, ack: 1, window: 0 });
  lab.push(qd, pattern(3));
  for (const seq of [1, 2, 3]) {
    const [probe, ...rest] = watch(lab, peer, 410);
    expect([probe, rest.length]).toMatchObject([{ seq, length: 1 }, 0]);
    peer.inject("A", { seq: 1, ack: seq + 1, window: 0 });
    lab.silence();
  }
  lab.advance(3_600_000, 1000);
  lab.silence();
  peer.inject("A", { seq: 1, ack: 4 });
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", seq: 4, length: 10 });
});

test("a FIN behind the last probed byte leaves by itself (3.8.6.1)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("A", { seq: 1, ack: 1, window: 0 });
  lab.push(qd, pattern(1));
  const token = lab.close(qd);
  lab.silence();
  expect(watch(lab, peer, 210)[0]).toMatchObject({ seq: 1, length: 1 });
  peer.inject("A", { seq: 1, ack: 2, window: 0 });
  expect(peer.take().at(-1)).toMatchObject({ flags: "FA", seq: 2 });
  peer.inject("A", { seq: 1, ack: 3, window: 0 });
  expect(lab.result(token).errno).toBe(0);
});

test("a peer may shrink its window below what is in flight (SHLD-16, MUST-34, S13)", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(7000));
  expect(peer.take()).toHaveLength(5);
  peer.inject("A", { seq: 1, ack: 1461, window: 0 });
  lab.silence();
  const answer = () => peer.inject("A", { seq: 1, ack: 1461, window: 0 });
  const probes = watch(lab, peer, 3_600_000, answer);
  expect(probes.length).toBeGreaterThan(20);
  expect(probes.every(({ seq, length }) => seq === 1461 && length === 1)).toBe(true);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(2);
  const got = new Uint8Array(7000);
  let acknowledged = 1461;
  peer.inject("A", { seq: 1, ack: acknowledged });
  for (let round = 0; round < 200 && acknowledged < 7001; round++) {
    for (const { seq, length, payload } of peer.take()) {
      got.set(payload, seq - 1);
      if (seq === acknowledged) acknowledged += length;
    }
    peer.inject("A", { seq: 1, ack: acknowledged });
    lab.advance(100);
  }
  expect(Buffer.compare(got.subarray(1460), pattern(7000).subarray(1460))).toBe(0);
});

test("after a timeout a window of less than a segment is used, not exceeded (MUST-34)", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(7000));
  expect(peer.take()).toHaveLength(5);
  peer.inject("A", { seq: 1, ack: 1, window: 700 });
  const [first] = watch(lab, peer, 250);
  expect(first).toMatchObject({ seq: 1, length: 700 });
});

test("a small window is not filled before the override (MUST-38, 3.8.6.2.1)", () => {
  const { lab, peer, qd } = accepted({ window: 8000 });
  lab.push(qd, pattern(8000));
  expect(peer.take()).toHaveLength(6);
  lab.push(qd, pattern(6000));
  peer.inject("A", { seq: 1, ack: 8001, window: 1000 });
  lab.silence();
  const [first] = watch(lab, peer, 300);
  expect(first).toMatchObject({ seq: 8001, length: 1000 });
  expect(first?.ms).toBeGreaterThanOrEqual(100);
  peer.inject("A", { seq: 1, ack: 9001, window: 4000 });
  expect(peer.take().map(({ length }) => length)).toEqual([1460, 1460]);
});

test("half of the largest window is worth sending (3.8.6.2.1, Fs = 1/2)", () => {
  const { lab, peer, qd } = accepted({ window: 1000 });
  lab.push(qd, pattern(3000));
  peer.expect({ flags: "A", seq: 1, length: 1000 });
  peer.inject("A", { seq: 1, ack: 1001, window: 499 });
  lab.silence();
  peer.inject("A", { seq: 1, ack: 1001, window: 500 });
  peer.expect({ flags: "A", seq: 1001, length: 500 });
});

test("no byte leaves beyond the peer's window", () => {
  const { lab, peer, qd } = accepted({ window: 4000 });
  lab.push(qd, pattern(20_000));
  let edge = 4001;
  for (let acknowledged = 1; acknowledged < 20_001;) {
    const sent = peer.take();
    for (const { seq, length } of sent) {
      expect(seq + length).toBeLessThanOrEqual(edge);
      if (seq === acknowledged) acknowledged += length;
    }
    if (sent.length === 0) lab.advance(50);
    edge = acknowledged + 4000;
    peer.inject("A", { seq: 1, ack: acknowledged });
  }
});

test("reading reopens the window by a worthwhile step (MUST-39, 3.8.6.2.2)", () => {
  const { lab, peer, qd } = accepted({}, { receiveBufferBytes: 8192 });
  for (let at = 0; at < 8192; at += 1024) {
    peer.inject("A", { seq: 1 + at, ack: 1, length: 1024 });
  }
  lab.advance(50);
  expect(peer.take().at(-1)).toMatchObject({ flags: "A", ack: 8193, window: 0 });
  lab.read(qd, 1000);
  lab.silence();
  lab.read(qd, 2000);
  const [update, ...rest] = peer.take();
  expect(rest).toEqual([]);
  expect(update).toMatchObject({ flags: "A", seq: 1, ack: 8193, window: 3000 });
  lab.read(qd);
  expect(peer.take()).toMatchObject([{ flags: "A", ack: 8193, window: 8192 }]);
});

test("while little is free the right edge stays where it is (3.8.6.2.2)", () => {
  const { lab, peer, qd } = accepted({}, { receiveBufferBytes: 8192 });
  for (let at = 0; at < 8192; at += 1024) {
    peer.inject("A", { seq: 1 + at, ack: 1, length: 1024 });
  }
  lab.advance(50);
  lab.read(qd, 100);
  peer.take();
  peer.inject("A", { seq: 8193, ack: 1, length: 1 });
  peer.expect({ flags: "A", ack: 8193, window: 0 });
});

test("the right edge never moves left but by a scaled window's rounding (SHLD-14, RFC 7323 2.4)", () => {
  const piece = fc.record({
    length: fc.integer({ min: 1, max: 1460 }),
    read: fc.integer({ min: 0, max: 4000 }),
  });
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 60 }), (pieces) => {
      const { lab, peer, qd } = accepted({ scale: 7 }, { receiveBufferBytes: 1_000_000 });
      let next = 1;
      let edge = 0;
      let unread = 0;
      for (const { length, read } of pieces) {
        peer.inject("PA", { seq: next, ack: 1, length });
        next += length;
        lab.advance(50);
        unread += length;
        if (read > 0 && unread > 0) unread -= lab.read(qd, read).length;
        for (const { ack, window } of peer.take()) {
          // Rounding down to whole units may hide less than one of them.
          expect(ack + window * 16).toBeGreaterThan(edge - 16);
          edge = Math.max(edge, ack + window * 16);
        }
      }
      lab.finish();
    }),
    { numRuns: 30, seed: 7 },
  );
});

test("a peer without window scale hears no window that its field cannot hold", () => {
  const { lab, peer, qd } = accepted();
  const pieces: Uint8Array[] = [];
  for (let round = 0; round < 20; round++) {
    peer.inject("PA", { seq: 1 + round * 10, ack: 1, payload: pattern(10) });
    pieces.push(lab.read(qd));
    lab.silence();
    lab.advance(100);
    peer.expect({ flags: "A", ack: 11 + round * 10, window: 65525 - round * 10 });
  }
  expect(concat(...pieces)).toHaveLength(200);
});

test("what SWS avoidance held back is sent data, so that a reset begins behind it", () => {
  const { lab, peer, qd } = accepted();
  peer.window = 500;
  peer.inject("A", { seq: 1, ack: 1 });
  lab.push(qd, pattern(5000));
  // Sender SWS avoidance holds the 500 bytes back; the override (MUST-38) lets them go.
  lab.silence();
  lab.advance(300, 10);
  peer.expect({ flags: "A", seq: 1, length: 500 });
  peer.inject("PA", { seq: 1, ack: 1, length: 10 });
  lab.advance(100, 10);
  peer.expect({ flags: "A", seq: 501, ack: 11 });
  const { exports } = lab.host.stack;
  expect(exports.setOption(qd, SOCKET_OPTION_LINGER, 0)).toBe(0);
  lab.close(qd);
  expect(peer.take().map(({ flags, seq }) => [flags, seq])).toEqual([["RA", 501]]);
});
