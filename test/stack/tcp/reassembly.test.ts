/** Segments out of order (RFC 9293 SHLD-31): kept, joined, bounded; the first copy of a byte wins. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { COUNTER_DROP_TCP_REASSEMBLY_FULL, COUNTER_FRAMES_OUT } from "../../../assembly/layout";
import { concat, pattern } from "../packets";
import { accepted } from "./peer";

const total = 6000;
const piece = fc.tuple(fc.nat(total - 1), fc.integer({ min: 1, max: 1460 }));

test("any order and overlap of segments gives the same bytes", () => {
  const bytes = pattern(total);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.boolean(), (pieces, reads) => {
      const { lab, peer, qd } = accepted({ scale: 7 });
      const read: Uint8Array[] = [];
      const send = (at: number, length: number) => {
        const end = Math.min(total, at + length);
        const flags = end === total ? "FPA" : "PA";
        peer.inject(flags, { seq: 1 + at, ack: 1, payload: bytes.subarray(at, end) });
      };
      for (const [at, length] of pieces) {
        send(at, length);
        if (!reads) continue;
        const token = lab.pop(qd, 100);
        if (lab.isDone(token)) {
          const { frame } = lab.result(token);
          if (frame !== 0) read.push(lab.host.take(frame));
        }
      }
      for (let at = 0; at < total; at += 1460) send(at, 1460);
      expect(peer.take().at(-1)?.ack).toBe(total + 2);
      lab.finish();
    }),
    { numRuns: 40, seed: 3 },
  );
});

test("what is read is byte-exact whatever the order", () => {
  const bytes = pattern(total);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const { lab, peer, qd } = accepted({ scale: 7 });
      const read: Uint8Array[] = [];
      let next = 0;
      const drain = () => {
        const { ack } = peer.take().at(-1) ?? { ack: 0 };
        if (ack - 1 > next) {
          read.push(lab.read(qd));
          next += (read.at(-1) as Uint8Array).length;
        }
      };
      for (const [at, length] of [...pieces, ...fullCover]) {
        const end = Math.min(total, at + length);
        peer.inject("PA", { seq: 1 + at, ack: 1, payload: bytes.subarray(at, end) });
        lab.advance(50, 50);
        drain();
      }
      expect(concat(...read)).toEqual(bytes);
      lab.finish();
    }),
    { numRuns: 40, seed: 5 },
  );
});

const fullCover: [number, number][] = Array.from({ length: 5 }, (_, index) => [index * 1460, 1460]);

test("of copies that differ the first one received counts (S08)", () => {
  const first = (length: number) => new Uint8Array(length).fill(1);
  const second = (length: number) => new Uint8Array(length).fill(2);
  const { lab, peer, qd } = accepted();
  peer.inject("PA", { seq: 101, ack: 1, payload: first(100) });
  peer.inject("PA", { seq: 51, ack: 1, payload: second(200) });
  peer.inject("PA", { seq: 151, ack: 1, payload: second(150) });
  peer.inject("PA", { seq: 1, ack: 1, payload: first(60) });
  peer.inject("PA", { seq: 1, ack: 1, payload: second(300) });
  const expected = new Uint8Array(300).fill(2);
  expected.fill(1, 0, 50);
  expected.fill(1, 100, 200);
  const got = lab.read(qd);
  // Bytes 51 to 60 came first in the second segment.
  expect(got.subarray(0, 50)).toEqual(expected.subarray(0, 50));
  expect(got.subarray(100, 200)).toEqual(expected.subarray(100, 200));
  expect(got.subarray(200)).toEqual(expected.subarray(200));
  expect(got).toHaveLength(300);
});

test("the number of holes is bounded, and the connection recovers (S07)", () => {
  const { lab, peer, qd } = accepted({ scale: 7 });
  for (let at = 1; at < 4000; at += 2) peer.inject("PA", { seq: 1 + at, ack: 1, length: 1 });
  peer.take();
  expect(lab.counter(COUNTER_DROP_TCP_REASSEMBLY_FULL)).toBeGreaterThan(1700);
  expect(lab.gauge(COUNTER_FRAMES_OUT)).toBeLessThan(150);
  const bytes = pattern(4000);
  for (let at = 0; at < 4000; at += 1000) {
    peer.inject("PA", { seq: 1 + at, ack: 1, payload: bytes.subarray(at, at + 1000) });
  }
  lab.advance(50);
  expect(peer.take().at(-1)?.ack).toBe(4001);
  expect(lab.read(qd)).toHaveLength(4000);
});

test("a queue that drops every other full segment costs what it dropped, and no more", () => {
  const bytes = 1460;
  const stack = { frames: 4096, receiveBufferBytes: 1 << 22 };
  const { lab, peer, qd } = accepted({ scale: 7 }, stack);
  let reached = 0;
  const segment = (index: number) => {
    peer.inject("A", { seq: 1 + index * bytes, ack: 1, length: bytes });
    reached = peer.take().at(-1)?.ack ?? reached;
  };
  for (let index = 1; index < 1000; index += 2) segment(index);
  expect(lab.counter(COUNTER_DROP_TCP_REASSEMBLY_FULL)).toBe(0);
  for (let index = 0; index < 1000; index += 2) segment(index);
  expect(reached).toBe(1000 * bytes + 1);
  expect(lab.read(qd)).toHaveLength(1000 * bytes);
});

test("the frames kept beyond a hole never take the last that the device receives into", () => {
  const { lab, peer, qd } = accepted({ scale: 7 }, { frames: 1024, ringEntries: 64 });
  for (let at = 1; at < 2000; at++) peer.inject("A", { seq: 1 + at * 10, ack: 1, length: 10 });
  peer.take();
  expect(lab.gauge(COUNTER_FRAMES_OUT)).toBeLessThanOrEqual(1024);
  expect(lab.counter(COUNTER_DROP_TCP_REASSEMBLY_FULL)).toBeGreaterThan(0);
  peer.inject("A", { seq: 1, ack: 1, length: 10 });
  const reached = peer.take().at(-1)?.ack ?? 0;
  expect(reached).toBeGreaterThan(1000);
  expect(lab.read(qd)).toHaveLength(reached - 1);
});
