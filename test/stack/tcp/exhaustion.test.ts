/** A full device ring, an empty frame pool, a neighbour nobody has resolved: nothing is lost. */
import { expect, test } from "bun:test";
import {
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
