/** A full device ring, an empty frame pool, a neighbour nobody has resolved: nothing is lost. */
import { expect, test } from "bun:test";
import {
  COUNTER_FRAMES_OUT,
  COUNTER_POOL_EXHAUSTED,
  COUNTER_TCP_TIMEOUTS,
  COUNTER_TX_RING_FULL,
  ERRNO_EHOSTUNREACH,
} from "../../../assembly/layout";
import { arpFrame, concat, hostMac, pattern } from "../packets";
import { Lab } from "./lab";
import { accepted, Peer } from "./peer";

/** Acknowledges all that comes in order until `bytes` are through; what came. */
function drain(lab: Lab, peer: Peer, bytes: number, seq = 1): Uint8Array {
  const got: Uint8Array[] = [];
  let acknowledged = 1;
  for (let round = 0; round < 3000 && acknowledged < bytes + 1; round++) {
    for (const segment of peer.take()) {
      if (segment.seq !== acknowledged || segment.length === 0) continue;
      got.push(segment.payload);
      acknowledged += segment.length;
    }
    peer.inject("A", { seq, ack: acknowledged });
    lab.advance(20, 20);
  }
  return concat(...got);
}

test("a full tx ring delays segments and loses none", () => {
  const { lab, peer, qd } = accepted({ mss: 536, scale: 7 }, { ringEntries: 8 });
  const bytes = pattern(60_000);
  lab.push(qd, bytes);
  // The ring is not emptied for a while; the push's result is read so that the stack sends.
  lab.host.completions();
  lab.advance(50, 10);
  expect(lab.counter(COUNTER_TX_RING_FULL)).toBeGreaterThan(0);
  expect(drain(lab, peer, bytes.length)).toEqual(bytes);
  expect(lab.counter(COUNTER_TCP_TIMEOUTS)).toBe(0);
});

test("a bare acknowledgment that found the ring full leaves later", () => {
  const lab = new Lab({ ringEntries: 8 });
  const listener = lab.listen();
  const peers = Array.from({ length: 12 }, (_, index) => new Peer(lab, { port: 5000 + index }));
  for (const peer of peers) peer.establish(listener);
  lab.hold();
  for (const peer of peers) peer.inject("FA", { seq: 1, ack: 1 });
  const answers = peers.map((peer) => peer.take());
  lab.collect();
  const rest = peers.map((peer, index) => [...(answers[index] ?? []), ...peer.take()]);
  expect(rest.map((sent) => sent.map(({ ack }) => ack))).toEqual(peers.map(() => [2]));
});

test("an empty frame pool costs time and no data", () => {
  const { lab, peer, qd } = accepted({ scale: 7 }, { frames: 256, ringEntries: 32 });
  const bytes = pattern(100_000);
  lab.push(qd, bytes);
  const { exports } = lab.host.stack;
  const taken: number[] = [];
  for (let frame = exports.allocate(1); frame !== 0; frame = exports.allocate(1)) taken.push(frame);
  expect(lab.counter(COUNTER_POOL_EXHAUSTED)).toBeGreaterThan(0);
  lab.advance(300);
  peer.take();
  for (const frame of taken) exports.release(frame);
  const got = new Uint8Array(bytes.length);
  let acknowledged = 1;
  for (let round = 0; round < 500 && acknowledged < bytes.length + 1; round++) {
    for (const { seq, length, payload } of peer.take()) {
      got.set(payload, seq - 1);
      if (seq <= acknowledged && seq + length > acknowledged) acknowledged = seq + length;
    }
    peer.inject("A", { seq: 1, ack: acknowledged });
    lab.advance(100, 50);
  }
  expect(Buffer.compare(got, bytes)).toBe(0);
});

test("data that nobody reads cannot take the frames the device receives into", () => {
  const options = { frames: 512, ringEntries: 64, receiveBufferBytes: 1 << 20 };
  const { lab, peer, listener } = accepted({ scale: 7 }, options);
  const other = new Peer(lab, { port: 4001 });
  const qd = other.establish(listener);
  const pop = lab.pop(qd);
  let next = 1;
  for (let segment = 0; segment < 2000; segment++) {
    peer.inject("A", { seq: next, ack: 1, length: 300 });
    next = peer.take().at(-1)?.ack ?? next + 300;
    if (segment % 50 === 49) lab.advance(50, 50);
  }
  expect(lab.counter(COUNTER_POOL_EXHAUSTED)).toBeGreaterThan(0);
  other.inject("PA", { seq: 1, ack: 1, payload: pattern(100) });
  expect(lab.host.take(lab.result(pop).frame)).toEqual(pattern(100));
});

test("a device ring as large as the pool is no shortage", () => {
  const options = { frames: 512, ringEntries: 512 };
  const { lab, peer, qd } = accepted({ scale: 7 }, options);
  const bytes = pattern(14_000);
  for (const at of [0, 2800, 1400, 5600, 7000, 4200, 9800, 8400, 11_200, 12_600]) {
    peer.inject("A", { seq: 1 + at, ack: 1, payload: bytes.subarray(at, at + 1400) });
  }
  expect(peer.take().at(-1)?.ack).toBeGreaterThan(11_000);
  expect(lab.read(qd)).toEqual(bytes);
});

/** A peer whose MAC the stack has to ask for. */
const stranger = { address: "10.0.0.3" };

/** The stranger answers the stack's question. */
function answerArp(lab: Lab): void {
  const { address: sender } = stranger;
  lab.host.send(arpFrame({ operation: 2, to: hostMac, targetMac: hostMac, sender }));
}

test("a connect waits for ARP and its SYN leaves when the answer comes", () => {
  const lab = new Lab();
  const peer = new Peer(lab, stranger);
  lab.connect(lab.socket(), stranger.address);
  lab.silence();
  answerArp(lab);
  peer.findSyn();
  peer.expect({ flags: "S", seq: 0 });
});

test("a connect that ARP finds nobody for fails with EHOSTUNREACH", () => {
  const lab = new Lab();
  const token = lab.connect(lab.socket(), stranger.address);
  lab.quiet(60_000);
  expect(lab.result(token).errno).toBe(ERRNO_EHOSTUNREACH);
});

test("a SYN-ACK waits for ARP, and so does data when the neighbour was forgotten meanwhile", () => {
  const lab = new Lab();
  const listener = lab.listen();
  const peer = new Peer(lab, stranger);
  peer.inject("S", { options: peer.synOptions });
  lab.silence();
  answerArp(lab);
  peer.expect({ flags: "SA", ack: 1 });
  peer.inject("A", { seq: 1, ack: 1 });
  const qd = lab.accepted(listener);
  lab.quiet(60_000);
  lab.push(qd, pattern(6000));
  lab.silence();
  answerArp(lab);
  const sent = peer.take();
  expect(concat(...sent.map(({ payload }) => payload))).toEqual(pattern(6000));
  expect(lab.counter(COUNTER_TCP_TIMEOUTS)).toBe(0);
});

test("thousands of tiny pushes leave the pool the frames to send and to receive with", () => {
  const { lab, peer, qd } = accepted({ scale: 7 }, { frames: 256, ringEntries: 32, tokens: 1024 });
  const { exports } = lab.host.stack;
  let pushed = 0;
  // One turn a push, so that each is in flight by itself.
  for (let index = 0; index < 900; index++) {
    const frame = exports.allocate(10);
    if (frame === 0) break;
    exports.release(frame);
    lab.push(qd, pattern(10));
    lab.collect();
    pushed += 10;
  }
  expect(pushed).toBeGreaterThan(1000);
  // Nothing has been acknowledged; the retransmissions need frames, and so do acknowledgments.
  peer.take();
  lab.advance(2000, 10);
  expect(peer.take().length).toBeGreaterThan(0);
  const got = drain(lab, peer, pushed);
  expect(got).toHaveLength(pushed);
});

test("small pushes of one turn share a frame and leave as one segment", () => {
  const { lab, peer, qd } = accepted();
  lab.hold();
  const before = lab.host.framesOut();
  for (let index = 0; index < 20; index++) lab.push(qd, pattern(10));
  expect(lab.host.framesOut() - before).toBe(1);
  const sent = peer.take();
  expect(sent).toHaveLength(1);
  expect(sent[0]?.length).toBe(200);
  peer.inject("A", { seq: 1, ack: 201 });
});

test("a frame counts against the send buffer, however little it holds", () => {
  const { lab, peer, qd } = accepted({ window: 0 }, { sendBufferBytes: 4096 });
  // In the window of 0 nothing leaves but the probe; what has been probed takes no more bytes.
  const tokens: number[] = [];
  for (let index = 0; index < 40; index++) tokens.push(lab.push(qd, pattern(300)));
  lab.collect();
  const done = tokens.filter((token) => lab.isDone(token)).length;
  expect(done).toBeLessThanOrEqual(16);
  peer.take();
  peer.window = 65535;
  peer.inject("A", { seq: 1, ack: 1 });
  drain(lab, peer, 40 * 300);
});

test("an accept that found no free descriptor is served when one is free", () => {
  const lab = new Lab({ queues: 2 });
  const listener = lab.listen();
  const first = new Peer(lab, { port: 5001 });
  const second = new Peer(lab, { port: 5002 });
  const qd = first.establish(listener);
  second.open();
  const token = lab.accept(listener);
  lab.collect();
  expect(lab.isDone(token)).toBe(false);
  const { exports } = lab.host.stack;
  expect(exports.setOption(qd, 2, 0)).toBe(0);
  lab.close(qd);
  lab.collect();
  lab.advance(1);
  expect(lab.result(token).accepted).toBeGreaterThan(0);
  first.take();
  second.take();
});

test("a flood of single bytes holds frames by the bytes, and is answered once a batch (S24)", () => {
  const { lab, peer, qd } = accepted({ scale: 7 }, { frames: 512, receiveBufferBytes: 1 << 16 });
  const total = 20_000;
  let answers = 0;
  for (let at = 0; at < total; at++) {
    peer.inject("PA", { seq: 1 + at, ack: 1, length: 1 });
    if (at % 50 === 0) answers += peer.take().length;
  }
  answers += peer.take().length;
  expect(answers).toBeLessThan(total / 10);
  expect(lab.gauge(COUNTER_FRAMES_OUT)).toBeLessThan(total / 1024);
  lab.advance(50);
  peer.take();
  expect(lab.read(qd)).toHaveLength(total);
});
