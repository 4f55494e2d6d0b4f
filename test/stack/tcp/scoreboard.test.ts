/** SACK at the sender (RFC 6675, RFC 8985): what blocks may cause, and what they must not. */
import { expect, test } from "bun:test";
import {
  COUNTER_FRAMES_OUT,
  COUNTER_TCP_FAST_RETRANSMITS,
  COUNTER_TCP_RETRANSMISSIONS,
  OPTION_CONTINUED,
} from "../../../assembly/layout";
import { Connections, type ConnectionView } from "../../../src/wasm/connections";
import { Lab } from "./lab";
import { Peer, type PeerOptions } from "./peer";
import { randomness } from "./randomness";
import { option } from "./segments";

const MSS = 1460;
/** Ethernet, IPv4 and TCP headers without options. */
const HEADER_BYTES = 54;
const PUSH_BYTES = 65_536;

interface Sender {
  readonly lab: Lab;
  readonly peer: Peer;
  readonly qd: number;
}

function sender(options: PeerOptions = {}, ...host: ConstructorParameters<typeof Lab>): Sender {
  const lab = new Lab(...host);
  const listener = lab.listen();
  const peer = new Peer(lab, options);
  const scale = options.scale === undefined ? [] : option.scale(options.scale);
  peer.inject("S", {
    options: [...option.mss(options.mss ?? MSS), ...option.sackPermitted, ...scale],
  });
  peer.take();
  lab.advance(50);
  peer.inject("A", { seq: 1, ack: 1 });
  return { lab, peer, qd: lab.accepted(listener) };
}

/** Acknowledges up to `ack` and selectively the ranges of `edges`, left and right in turn. */
function acknowledge({ peer }: Sender, ack: number, ...edges: readonly number[]): void {
  const blocks = edges.map((edge) => (peer.hostInitial + edge) >>> 0);
  peer.inject("A", { seq: 1, ack, options: blocks.length === 0 ? [] : option.sack(blocks) });
}

/** Pushes so many segments, which leave at once; the number after the last. */
function send({ lab, peer, qd }: Sender, segments: number): void {
  lab.push(qd, new Uint8Array(segments * MSS));
  expect(peer.take().reduce((sum, { length }) => sum + length, 0)).toBe(segments * MSS);
}

/** A segment is lost and sent again: the sender has now seen blocks. Everything is acknowledged. */
function loseOne(end: Sender, from: number): number {
  const { lab, peer } = end;
  send(end, 5);
  lab.advance(50);
  acknowledge(end, from, from + MSS, from + 5 * MSS);
  peer.expect({ flags: "A", seq: from, length: MSS });
  lab.advance(50);
  acknowledge(end, from + 5 * MSS);
  return from + 5 * MSS;
}

/** Takes what the stack has sent without looking at it; its bytes of payload. */
function discardSent({ host }: Lab): number {
  host.stack.exports.flush();
  const { tx } = host.rings;
  const ready = tx.available();
  let bytes = 0;
  for (let index = tx.own; index < tx.own + ready; index++) {
    bytes += tx.descriptorLength(index);
    if ((tx.descriptorOptions(index) & OPTION_CONTINUED) === 0) bytes -= HEADER_BYTES;
  }
  host.rings.complete(0, ready);
  host.rings.publishSent(ready);
  host.poll();
  return bytes;
}

test("after 40 idle minutes one segment out of order is no loss yet (RFC 8985 6.2)", () => {
  const end = sender();
  const { lab, peer } = end;
  const from = loseOne(end, 1);
  const before = lab.counter(COUNTER_TCP_RETRANSMISSIONS);
  lab.advance(40 * 60_000, 60_000);
  send(end, 3);
  lab.advance(49);
  acknowledge(end, from, from + MSS, from + 2 * MSS);
  peer.expect();
  acknowledge(end, from + 3 * MSS);
  lab.quiet(2000);
  expect(lab.counter(COUNTER_TCP_RETRANSMISSIONS)).toBe(before);
});

test("a loss after 2 GiB without one is found by its blocks (RFC 6675 5)", () => {
  const end = sender(
    { scale: 14, window: 60_000 },
    { sendBufferBytes: 1 << 20 },
    { checksum: true, segmentMax: 65_535, chainMax: 40 },
  );
  const { lab, peer, qd } = end;
  const { exports } = lab.host.stack;
  let sent = loseOne(end, 1);
  while (sent < 2 ** 31 + 2 ** 20) {
    if (exports.push(qd, exports.allocate(PUSH_BYTES)) < 0) throw new Error("a push was refused");
    const end = sent + PUSH_BYTES;
    while (sent < end) {
      lab.host.nowUs += 1000;
      sent += discardSent(lab);
      peer.inject("A", { seq: 1, ack: sent });
      lab.host.completions();
    }
  }
  peer.take();
  const before = lab.counter(COUNTER_TCP_FAST_RETRANSMITS);
  send(end, 5);
  lab.advance(1);
  acknowledge(end, sent, sent + MSS, sent + 5 * MSS);
  peer.expect({ flags: "A", seq: sent, length: MSS });
  expect(lab.counter(COUNTER_TCP_FAST_RETRANSMITS)).toBe(before + 1);
  acknowledge(end, sent + 5 * MSS);
});

test("blocks of single bytes cut no more frames than two a segment and some (CVE-2019-11477)", () => {
  const end = sender();
  const { lab, peer } = end;
  send(end, 10);
  for (let at = 3; at < 10 * MSS - 2; at += 2) acknowledge(end, 1, at, at + 1);
  peer.take();
  expect(lab.gauge(COUNTER_FRAMES_OUT)).toBeLessThan(10 + 2 * 10 + 64 + 10);
  // What could not be marked is only sent again.
  acknowledge(end, 1 + 10 * MSS);
  send(end, 2);
  acknowledge(end, 1 + 12 * MSS);
  expect(lab.gauge(COUNTER_FRAMES_OUT)).toBe(0);
});

test("blocks that lie cost nothing, and what is kept of them is what the frames say (S06)", () => {
  const random = randomness(6);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let round = 0; round < 20; round++) {
    const end = sender();
    const { lab, peer, qd } = end;
    const view = new Connections(lab.host.stack).of(qd) as ConnectionView;
    send(end, 10);
    const edges = [
      -(2 ** 31),
      -MSS,
      0,
      1,
      2,
      MSS,
      MSS + 1,
      5 * MSS,
      10 * MSS,
      10 * MSS + 1,
      2 ** 31,
    ];
    const edge = () => 1 + (edges[below(edges.length)] as number) + below(3) - 1;
    for (let told = 0; told < 100; told++) {
      const count = 2 * (1 + below(4));
      acknowledge(end, 1, ...Array.from({ length: count }, edge));
      const { sacked, lost } = view.marked;
      expect([view.sackedBytes, view.lostBytes]).toEqual([sacked, lost]);
      expect(sacked + lost).toBeLessThanOrEqual(10 * MSS);
    }
    expect(lab.gauge(COUNTER_FRAMES_OUT)).toBeLessThan(10 + 2 * 10 + 64 + 10);
    for (const { seq, length } of peer.take())
      expect(seq + length).toBeLessThanOrEqual(1 + 10 * MSS);
    acknowledge(end, 1 + 10 * MSS);
    expect(view.sendUna).toBe(view.sendMax);
    expect(lab.gauge(COUNTER_FRAMES_OUT)).toBe(0);
  }
});

test("blocks behind more than a thousand missing segments are reached, step by step (RFC 2018 5)", () => {
  const mss = 500;
  const stack = { frames: 8192, tokens: 4096, ringEntries: 4096, sendBufferBytes: 1 << 21 };
  const end = sender(
    { mss, scale: 7, window: 60_000 },
    { ...stack, congestionControl: "newreno" as const },
  );
  const { lab, peer, qd } = end;
  const view = new Connections(lab.host.stack).of(qd) as ConnectionView;
  const fly = (segments: number) => {
    for (let index = 0; index < segments; index++) lab.push(qd, new Uint8Array(mss));
    peer.take();
    lab.advance(50);
  };
  let from = 1;
  for (let segments = 10; segments < 2000; segments *= 2) {
    fly(segments);
    // Slow start grows by two segments an acknowledgment (RFC 3465).
    for (let at = 2; at <= segments; at += 2) acknowledge(end, from + at * mss);
    from += segments * mss;
  }
  fly(1500);
  expect(view.flightBytes).toBe(1500 * mss);
  const left = from + 1480 * mss;
  for (let told = 1; told <= 20; told++) acknowledge(end, from, left, left + told * mss);
  expect(view.sackedBytes).toBe(20 * mss);
  const again = peer.take();
  expect(again.length).toBeGreaterThan(0);
  expect(again.every(({ seq }) => seq < left)).toBe(true);
  acknowledge(end, from + 1500 * mss);
});

/** Frames of 1,448 and 452 bytes, too few to cut one; ten segments have left. */
function shortOfFrames(): Sender & { readonly bytes: number } {
  const postedMax = 4;
  const stack = { frames: 64, ringEntries: 16, sendBufferBytes: 1 << 17 };
  const end = sender({ mss: 1000, window: 60_000 }, stack, { postedMax });
  const { lab, peer, qd } = end;
  let bytes = 0;
  for (; lab.gauge(COUNTER_FRAMES_OUT) <= 64 - 16 - postedMax; bytes += 1900) {
    lab.push(qd, new Uint8Array(1900));
  }
  expect(peer.take()).toHaveLength(10);
  lab.advance(50);
  return { ...end, bytes };
}

/** Acknowledges what comes from `reached` on, until nothing is left; how far that was. */
function finish(end: Sender, from: number, bytes: number): number {
  let reached = from;
  for (let round = 0; round < 30 && reached <= bytes; round++) {
    end.lab.advance(50);
    acknowledge(end, reached);
    for (const { seq, length } of end.peer.take()) {
      if (seq <= reached) reached = Math.max(reached, seq + length);
    }
  }
  acknowledge(end, reached);
  return reached;
}

test("where frames are too few to be cut what was sent of them goes again, and only that", () => {
  const mss = 1000;
  const end = shortOfFrames();
  const { peer, bytes } = end;
  // The last frame in flight has not left whole.
  acknowledge(end, 1, 1 + mss, 1 + 10 * mss);
  const again = peer.take();
  for (const { length } of again) expect(length).toBeGreaterThan(0);
  // The first frame is longer than a segment: its second half was told of in vain.
  const [first, second, ...others] = again.filter(({ seq }) => seq <= 10 * mss);
  expect(first).toMatchObject({ seq: 1, length: mss });
  expect(second).toMatchObject({ seq: 1 + mss, length: 448 });
  expect(others).toMatchObject([{ seq: 9501, length: 500 }]);
  const reached = Math.max(...again.map(({ seq, length }) => seq + length));
  expect(finish(end, reached, bytes)).toBe(1 + bytes);
});

test("what was never sent is not lost, also when it is cut off from what seemed to be", () => {
  const mss = 1000;
  const end = shortOfFrames();
  const { lab, peer, qd, bytes } = end;
  const view = new Connections(lab.host.stack).of(qd) as ConnectionView;
  acknowledge(end, 1, 5 * mss + 1, 10 * mss + 1);
  expect(peer.take().every(({ seq }) => seq < 5 * mss)).toBe(true);
  expect(view.lostBytes).toBeGreaterThan(0);
  // Now there are frames to cut with, and the block ends where nothing more was sent.
  lab.advance(50);
  acknowledge(end, 3801, 5 * mss + 1, 10 * mss + 1);
  expect(view.marked).toEqual({ sacked: view.sackedBytes, lost: view.lostBytes });
  for (const { length } of peer.take()) expect(length).toBeGreaterThan(0);
  expect(view.lostBytes).toBe(0);
  const told = (view.sendMax - view.initialSend) >>> 0;
  expect(finish(end, told, bytes)).toBe(1 + bytes);
});
