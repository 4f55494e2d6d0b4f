/** SYN cookies (RFC 4987 section 3.6): who gets one, what opens, what a flood may cost. */
import { expect, test } from "bun:test";
import {
  COUNTER_CONNECTIONS_OPEN,
  COUNTER_FRAMES_OUT,
  COUNTER_TCP_COOKIES_FAILED,
  COUNTER_TCP_COOKIES_RECEIVED,
  COUNTER_TCP_COOKIES_SENT,
  COUNTER_TCP_RESETS_SENT,
  COUNTER_TIMERS_ARMED,
} from "../../../assembly/layout";
import { pattern } from "../packets";
import { Lab } from "./lab";
import { Peer, type PeerOptions } from "./peer";
import { randomness } from "./randomness";
import { option } from "./segments";

/** Two periods of the cookies' clock. */
const lifeMs = 2 * 67_109;

/** A peer that has received a cookie and not yet acknowledged it. */
function asked(options: PeerOptions = {}): { lab: Lab; listener: number; peer: Peer } {
  const lab = new Lab({ synCookies: "always" });
  const listener = lab.listen();
  const peer = new Peer(lab, options);
  ask(peer);
  return { lab, listener, peer };
}

function ask(peer: Peer): void {
  peer.inject("S", { options: peer.synOptions });
  peer.expect({ flags: "SA", seq: 0, ack: 1, options: option.mss(1460) });
}

/** Bytes of the first segment when the stack sends much. */
function segmentBytes(lab: Lab, qd: number, peer: Peer): number {
  lab.push(qd, pattern(20_000));
  return peer.take()[0]?.length ?? 0;
}

test("a cookie holds no memory and its acknowledgment opens; data follow both ways", () => {
  const { lab, listener, peer } = asked();
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
  expect(lab.gauge(COUNTER_TIMERS_ARMED)).toBe(0);
  peer.inject("A", { seq: 1, ack: 1 });
  const qd = lab.accepted(listener);
  lab.silence();
  peer.inject("PA", { seq: 1, ack: 1, payload: pattern(1000) });
  expect(lab.read(qd)).toEqual(pattern(1000));
  lab.push(qd, pattern(500));
  peer.expect({ flags: "PA", seq: 1, ack: 1001, length: 500, payload: pattern(500) });
  expect(lab.counter(COUNTER_TCP_COOKIES_RECEIVED)).toBe(1);
});

test("the peer's MSS comes back rounded down to a class, and is never above what it asked for", () => {
  const classes: readonly (readonly [asked: number, kept: number])[] = [
    [0, 536],
    [1, 64],
    [535, 64],
    [536, 536],
    [1219, 536],
    [1220, 1220],
    [1399, 1300],
    [1452, 1440],
    [1460, 1460],
    [65535, 1460],
  ];
  for (const [mss, kept] of classes) {
    const { lab, listener, peer } = asked({ mss });
    peer.inject("A", { seq: 1, ack: 1 });
    expect(segmentBytes(lab, lab.accepted(listener), peer)).toBe(kept);
  }
});

test("no window scale is agreed on: neither end's windows are shifted", () => {
  const { lab, listener, peer } = asked({ scale: 7 });
  peer.inject("A", { seq: 1, ack: 1, window: 1000 });
  const qd = lab.accepted(listener);
  expect(segmentBytes(lab, qd, peer)).toBe(1000);
  peer.inject("FA", { seq: 1, ack: 1001, window: 0 });
  const [answer] = peer.take();
  expect(answer?.window).toBeGreaterThan(60_000);
});

test("data and FIN that carry the cookie count", () => {
  const { lab, listener, peer } = asked();
  peer.inject("FPA", { seq: 1, ack: 1, payload: pattern(100) });
  const qd = lab.accepted(listener);
  peer.expect({ flags: "A", seq: 1, ack: 102 });
  expect(lab.read(qd)).toEqual(pattern(100));
});

test("a cookie opens for as long as a period at least and never after two", () => {
  for (const [waitMs, opens] of [
    [0, true],
    [67_000, true],
    [lifeMs, false],
    [lifeMs * 4, false],
    // The clock of periods in a cookie comes round.
    [67_109 * 32, false],
  ] as const) {
    const { lab, peer } = asked();
    lab.advance(waitMs, 1000);
    // Another cookie keeps the listener looking for them.
    ask(new Peer(lab, { port: 4001 }));
    peer.inject("A", { seq: 1, ack: 1 });
    peer.expect(...(opens ? [] : [{ flags: "R", seq: 1 }]));
    expect(lab.counter(COUNTER_TCP_COOKIES_FAILED)).toBe(opens ? 0 : 1);
  }
});

test("a cookie is good for its 4-tuple and its SYN only", () => {
  const { lab, peer } = asked();
  const strangers = [
    new Peer(lab, { port: 4001 }),
    new Peer(lab, { address: "10.0.0.3" }),
    new Peer(lab, { initial: peer.initial + 1 }),
    new Peer(lab, { initial: peer.initial - 1 }),
  ];
  for (const stranger of strangers) {
    stranger.hostInitial = peer.hostInitial;
    stranger.inject("A", { seq: 1, ack: 1 });
  }
  for (let distance = 1; distance <= 16; distance++) {
    peer.inject("A", { seq: 1, ack: 1 + distance });
    peer.inject("A", { seq: 1, ack: 1 - distance });
  }
  lab.collect();
  lab.pending = [];
  expect(lab.counter(COUNTER_TCP_COOKIES_RECEIVED)).toBe(0);
  expect(lab.counter(COUNTER_TCP_COOKIES_FAILED)).toBe(36);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});

test("a cookie's acknowledgment with SYN or RST opens nothing", () => {
  const { lab, peer } = asked();
  peer.inject("RA", { seq: 1, ack: 1 });
  lab.silence();
  peer.inject("SA", { seq: 1, ack: 1 });
  peer.expect({ flags: "R", seq: 1 });
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});

test("a copy of the acknowledgment opens nothing once the connection is over", () => {
  const { lab, peer } = asked();
  peer.inject("A", { seq: 1, ack: 1 });
  peer.inject("R", { seq: 1 });
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
  peer.inject("A", { seq: 1, ack: 1 });
  peer.expect({ flags: "R", seq: 1 });
  peer.inject("PA", { seq: 1, ack: 1, length: 10 });
  peer.expect({ flags: "R", seq: 1 });
  expect(lab.counter(COUNTER_TCP_COOKIES_RECEIVED)).toBe(1);
});

test("2^18 guesses open nothing (S11)", () => {
  const { lab, peer } = asked();
  lab.wire = () => {};
  const random = randomness(7);
  for (let guess = 0; guess < 1 << 18; guess++) {
    peer.inject("A", { seq: 1 + ((random() * 2 ** 32) >>> 0), ack: (random() * 2 ** 32) >>> 0 });
    if ((guess & 127) === 127) lab.collect();
  }
  expect(lab.counter(COUNTER_TCP_COOKIES_RECEIVED)).toBe(0);
  expect(lab.counter(COUNTER_TCP_COOKIES_FAILED)).toBe(1 << 18);
}, 60_000);

test("nobody who was sent no cookie can guess one: without a full backlog none is looked for", () => {
  const lab = new Lab();
  lab.listen();
  const peer = new Peer(lab);
  peer.inject("A", { seq: 1, ack: 1 });
  peer.expect({ flags: "R" });
  expect(lab.counter(COUNTER_TCP_COOKIES_FAILED)).toBe(0);
});

test("cookies go out only while the backlog is full, half-open ones keep their places", () => {
  const lab = new Lab();
  const listener = lab.listen(80, 2);
  const peers = Array.from({ length: 4 }, (_, index) => new Peer(lab, { port: 5000 + index }));
  for (const peer of peers) peer.inject("S", { options: peer.synOptions });
  expect(peers.map((peer) => peer.take().length)).toEqual([1, 1, 1, 1]);
  expect(lab.counter(COUNTER_TCP_COOKIES_SENT)).toBe(2);
  peers[2]?.inject("A", { seq: 1, ack: 1 });
  peers[0]?.inject("A", { seq: 1, ack: 1 });
  // Two wait to be accepted: no place for the fourth, which is not told so.
  peers[3]?.inject("A", { seq: 1, ack: 1 });
  lab.silence();
  const ports = [1, 2].map(() => lab.result(lab.accept(listener)).port);
  expect(ports).toEqual([5002, 5000]);
  peers[3]?.inject("A", { seq: 1, ack: 1 });
  expect(lab.result(lab.accept(listener)).port).toBe(5003);
  peers[1]?.inject("R", { seq: 1 });
  new Peer(lab, { port: 6000 }).open();
  expect(lab.counter(COUNTER_TCP_COOKIES_SENT)).toBe(2);
});

test("a SYN that replaces a connection in TIME-WAIT is kept, beyond that one's numbers", () => {
  const { lab, listener, peer } = asked();
  peer.inject("A", { seq: 1, ack: 1 });
  const qd = lab.accepted(listener);
  lab.close(qd);
  peer.expect({ flags: "FA", seq: 1, ack: 1 });
  peer.inject("FA", { seq: 1, ack: 2 });
  peer.expect({ flags: "A", seq: 2, ack: 2 });
  const end = peer.hostInitial + 2;
  peer.initial += 1000;
  peer.inject("S", { options: peer.synOptions });
  peer.expect({ flags: "SA", ack: 1 });
  expect((peer.hostInitial - end) | 0).toBeGreaterThan(0);
  expect(lab.counter(COUNTER_TCP_COOKIES_SENT)).toBe(1);
});

test("100,000 forged SYNs cost no memory and keep nobody out (S10)", () => {
  const lab = new Lab({ connections: 64, neighbours: 16 });
  const listener = lab.listen(80, 32);
  const good = new Peer(lab, { port: 9000 });
  const bytes = pattern(1000);
  const random = randomness(1);
  let forgeries = 0;
  const forge = (count: number) => {
    for (let index = 0; index < count; index++) {
      const forged = new Peer(lab, {
        address: `10.0.0.${2 + Math.floor(random() * 250)}`,
        port: 1 + Math.floor(random() * 65_535),
        initial: (random() * 2 ** 32) >>> 0,
      });
      forged.inject("S", { options: forged.synOptions });
      if (++forgeries % 100 === 0) {
        lab.collect();
        lab.pending = lab.pending.filter(({ destinationPort }) => destinationPort === good.port);
      }
    }
  };
  forge(20_000);
  good.inject("S", { options: good.synOptions });
  expect(good.take()).toMatchObject([{ flags: "SA", ack: 1 }]);
  forge(20_000);
  good.inject("A", { seq: 1, ack: 1 });
  const qd = lab.accepted(listener);
  for (let round = 0; round < 30; round++) {
    forge(2000);
    good.inject("PA", { seq: 1 + round * 1000, ack: 1 + round * 1000, payload: bytes });
    expect(lab.read(qd)).toEqual(bytes);
    lab.push(qd, bytes);
    expect(good.take()).toMatchObject([{ ack: 1001 + round * 1000, payload: bytes }]);
  }
  expect(forgeries).toBe(100_000);
  lab.collect();
  lab.pending = [];
  // 32 half-open ones, the listener and the good one.
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(34);
  expect(lab.counter(COUNTER_TCP_COOKIES_SENT)).toBeGreaterThan(99_000);
  expect(lab.counter(COUNTER_TCP_RESETS_SENT)).toBe(0);
  // One packet waits with each neighbour that is being asked for.
  expect(lab.gauge(COUNTER_FRAMES_OUT)).toBeLessThanOrEqual(16);
}, 60_000);
