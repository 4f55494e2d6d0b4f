/** Buffers that grow by themselves: what makes them, what bounds them, and who turns it off. */
import { expect, test } from "bun:test";
import { SOCKET_OPTION_RECEIVE_BUFFER, SOCKET_OPTION_SEND_BUFFER } from "../../../assembly/layout";
import type { StackOptions } from "../../../src/wasm/stack-options";
import { pattern } from "../packets";
import { Lab } from "./lab";
import { accepted, Peer } from "./peer";

const MSS = 1460;
const SCALE = 4;
const ROUND_MS = 100;
const growing: Partial<StackOptions> = {
  receiveBufferBytes: 65_536,
  receiveBufferMaxBytes: 1 << 19,
  sendBufferBytes: 32_768,
  sendBufferMaxBytes: 1 << 19,
};

function option(lab: Lab, qd: number, number: number): number {
  return lab.host.stack.exports.getOption(qd, number);
}

/** A handshake of one round trip, then rounds in which the peer sends more and more. */
function open(options: Partial<StackOptions>): { lab: Lab; peer: Peer; qd: number } {
  const lab = new Lab(options);
  const listener = lab.listen();
  const peer = new Peer(lab, { scale: 0 });
  peer.inject("S", { options: peer.synOptions });
  peer.take();
  lab.advance(ROUND_MS, 1);
  peer.inject("A", { seq: 1, ack: 1 });
  return { lab, peer, qd: lab.accepted(listener) };
}

/** The window announced last in each round. */
function windows(
  { lab, peer, qd }: { lab: Lab; peer: Peer; qd: number },
  rounds: readonly number[],
  reads = true,
): number[] {
  let next = 1;
  const announced: number[] = [];
  for (const segments of rounds) {
    for (let index = 0; index < segments; index++) {
      peer.inject("A", { seq: next, ack: 1, length: MSS });
      next += MSS;
      if (reads) lab.read(qd);
    }
    lab.advance(ROUND_MS, 1);
    announced.push((peer.take().at(-1)?.window ?? 0) << SCALE);
  }
  return announced;
}

test("the window is ahead of a sender in slow start", () => {
  const connection = open(growing);
  const rounds = [10, 20, 40, 80, 160];
  const announced = windows(connection, rounds);
  for (const [index, window] of announced.slice(0, -1).entries()) {
    expect(window).toBeGreaterThanOrEqual((rounds[index + 1] as number) * MSS);
  }
});

test("a sender that sends little is promised no more than at first", () => {
  const connection = open(growing);
  const announced = windows(
    connection,
    Array.from({ length: 20 }, () => 8),
  );
  for (const window of announced) expect(window).toBeLessThanOrEqual(65_536);
});

test("a buffer that nobody reads does not grow", () => {
  const connection = open(growing);
  windows(connection, [10, 20, 14, 0], false);
  expect(option(connection.lab, connection.qd, SOCKET_OPTION_RECEIVE_BUFFER)).toBe(65_536);
});

test("a connection takes a quarter of the pool at most, however much is configured", () => {
  const connection = open({
    ...growing,
    frames: 512,
    ringEntries: 64,
    receiveBufferMaxBytes: 1 << 22,
  });
  windows(connection, [10, 20, 40, 60]);
  const bytes = option(connection.lab, connection.qd, SOCKET_OPTION_RECEIVE_BUFFER);
  expect(bytes).toBeGreaterThan(200_000);
  expect(bytes).toBeLessThanOrEqual(512 * 512);
});

test("a socket's own size is kept, on listeners' connections too", () => {
  const lab = new Lab(growing);
  const listener = lab.listen();
  const { exports } = lab.host.stack;
  expect(exports.setOption(listener, SOCKET_OPTION_RECEIVE_BUFFER, 100_000)).toBe(0);
  expect(exports.setOption(listener, SOCKET_OPTION_SEND_BUFFER, 20_000)).toBe(0);
  const peer = new Peer(lab, { scale: 0 });
  const qd = peer.establish(listener);
  windows({ lab, peer, qd }, [10, 20, 40, 60]);
  expect(option(lab, qd, SOCKET_OPTION_RECEIVE_BUFFER)).toBe(100_000);
  expect(option(lab, qd, SOCKET_OPTION_SEND_BUFFER)).toBe(20_000);
});

test("tuning turned off leaves the scale of the maximum and the window as it was", () => {
  const connection = open({ ...growing, tuneReceiveBuffer: false });
  const announced = windows(connection, [10, 20, 40, 44]);
  expect(Math.max(...announced)).toBeLessThanOrEqual(65_536);
  expect(Math.max(...announced)).toBeGreaterThan(50_000);
});

test("a size set later never asks for what the agreed scale cannot tell", () => {
  const { lab, qd } = accepted({}, { receiveBufferBytes: 65_536 });
  expect(lab.host.stack.exports.setOption(qd, SOCKET_OPTION_RECEIVE_BUFFER, 1 << 20)).toBe(0);
  expect(option(lab, qd, SOCKET_OPTION_RECEIVE_BUFFER)).toBe(65_535);
});

test("the right edge stays where it is when the buffer is made smaller (SHLD-14)", () => {
  const { lab, peer, qd } = accepted({ scale: 0 }, { receiveBufferBytes: 60_000 });
  peer.inject("A", { seq: 1, ack: 1, length: 1000 });
  peer.inject("A", { seq: 1001, ack: 1, length: 1920 });
  const edge = 2921 + (peer.take().at(-1)?.window ?? 0);
  lab.host.stack.exports.setOption(qd, SOCKET_OPTION_RECEIVE_BUFFER, 8000);
  peer.inject("A", { seq: 2921, ack: 1, length: 2920 });
  expect(5841 + (peer.take().at(-1)?.window ?? 0)).toBe(edge);
});

test("the send buffer grows with the congestion window", () => {
  const { lab, peer, qd } = accepted({ scale: 3 }, { ...growing, rtoMinUs: 1_000_000 });
  let acknowledged = 1;
  for (let round = 0; round < 6; round++) {
    for (let index = 0; index < 8; index++) lab.push(qd, pattern(16_000));
    for (const { seq, length } of peer.take()) acknowledged = Math.max(acknowledged, seq + length);
    lab.advance(10, 1);
    peer.inject("A", { seq: 1, ack: acknowledged });
  }
  const bytes = option(lab, qd, SOCKET_OPTION_SEND_BUFFER);
  expect(bytes).toBeGreaterThan(100_000);
  expect(bytes).toBeLessThanOrEqual(1 << 19);
});
