/** The send buffer: pushes complete when there is room for them, wait in order, and are not lost. */
import { expect, test } from "bun:test";
import { ERRNO_ECONNRESET, OPCODE_PUSH } from "../../../assembly/layout";
import { concat, pattern } from "../packets";
import { accepted } from "./peer";

const small = { sendBufferBytes: 10_000 };

test("a push completes once the send buffer has room for its start, in order", () => {
  const { lab, peer, qd } = accepted({ window: 0 }, small);
  const tokens = [8000, 8000, 100, 8000].map((length) => lab.push(qd, pattern(length)));
  expect(tokens.map((token) => lab.isDone(token))).toEqual([true, true, false, false]);
  peer.inject("A", { seq: 1, ack: 1, window: 7000 });
  peer.take();
  expect(lab.isDone(tokens[2] as number)).toBe(false);
  peer.inject("A", { seq: 1, ack: 5841, window: 7000 });
  expect(peer.take()).toHaveLength(4);
  expect(tokens.map((token) => lab.isDone(token))).toEqual([true, true, false, false]);
  peer.inject("A", { seq: 1, ack: 7301, window: 7000 });
  expect(tokens.map((token) => lab.isDone(token))).toEqual([true, true, true, true]);
  expect(lab.result(tokens[3] as number)).toMatchObject({ opcode: OPCODE_PUSH, bytes: 8000 });
});

test("pushes that wait are sent before the FIN of a close", () => {
  const { lab, peer, qd } = accepted({}, small);
  const arrays = [9000, 9000, 9000].map(pattern);
  const tokens = arrays.map((array) => lab.push(qd, array));
  const close = lab.close(qd);
  expect(tokens.map((token) => lab.result(token).errno)).toEqual([0, 0, 0]);
  const got: Uint8Array[] = [];
  let acknowledged = 1;
  let fin = false;
  for (let round = 0; round < 50 && !fin; round++) {
    for (const { flags, length, payload } of peer.take()) {
      got.push(payload);
      fin = flags.includes("F");
      acknowledged += length + (fin ? 1 : 0);
    }
    peer.inject("A", { seq: 1, ack: acknowledged });
  }
  expect(concat(...got)).toEqual(concat(...arrays));
  expect(lab.result(close).errno).toBe(0);
});

test("a reset fails the pushes that wait and gives their arrays back", () => {
  const { lab, peer, qd } = accepted({ window: 0 }, small);
  const tokens = [9000, 9000, 9000, 9000].map((length) => lab.push(qd, pattern(length)));
  peer.inject("RA", { seq: 1, ack: 1 });
  expect(tokens.map((token) => lab.result(token).errno)).toEqual([
    0,
    0,
    ERRNO_ECONNRESET,
    ERRNO_ECONNRESET,
  ]);
  expect(lab.host.framesOut()).toBe(0);
});

test("a pop of a size takes as much and leaves the rest", () => {
  const { lab, peer, qd } = accepted();
  const bytes = pattern(5000);
  for (let at = 0; at < 5000; at += 1000) {
    peer.inject("PA", { seq: 1 + at, ack: 1, payload: bytes.subarray(at, at + 1000) });
  }
  const sizes = [1, 10, 1000, 999, 2000, 500, 4000];
  const parts = sizes.map((size) => lab.read(qd, size));
  expect(parts.map(({ length }) => length)).toEqual([1, 10, 1000, 999, 2000, 500, 490]);
  expect(concat(...parts)).toEqual(bytes);
  peer.take();
});

test("pops wait in order and each gets what comes next", () => {
  const { lab, peer, qd } = accepted();
  const tokens = [lab.pop(qd, 100), lab.pop(qd), lab.pop(qd, 5)];
  peer.inject("PA", { seq: 1, ack: 1, payload: pattern(300) });
  peer.inject("PA", { seq: 301, ack: 1, payload: pattern(4) });
  const got = tokens.map((token) => lab.host.take(lab.result(token).frame));
  expect(got.map(({ length }) => length)).toEqual([100, 200, 4]);
  expect(concat(got[0] as Uint8Array, got[1] as Uint8Array)).toEqual(pattern(300));
});

test("neither pushes nor pops take the last quarter of the tokens from each other", () => {
  const { lab, peer, qd } = accepted({ window: 0 }, { tokens: 64, sendBufferBytes: 4096 });
  lab.push(qd, pattern(4096));
  let waiting = 0;
  while (waiting < 64) {
    const { exports } = lab.host.stack;
    const frame = lab.host.array(pattern(10));
    if (exports.push(qd, frame) > 0) waiting++;
    else {
      exports.release(frame);
      break;
    }
  }
  expect(waiting).toBe(48);
  peer.inject("PA", { seq: 1, ack: 1, length: 10 });
  expect(lab.read(qd)).toHaveLength(10);
  peer.take();
});
