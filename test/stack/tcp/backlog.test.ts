/** The listen backlog: bounded, and never leaked (RFC 9293 section 3.10, RFC 4987). */
import { expect, test } from "bun:test";
import {
  COUNTER_CONNECTIONS_OPEN,
  COUNTER_DROP_TCP_BACKLOG_FULL,
  ERRNO_EBADF,
} from "../../../assembly/layout";
import { Lab } from "./lab";
import { Peer } from "./peer";

function peers(lab: Lab, count: number, first = 5000): Peer[] {
  return Array.from({ length: count }, (_, index) => new Peer(lab, { port: first + index }));
}

test("SYNs beyond the backlog are dropped without an answer where cookies are off", () => {
  const lab = new Lab({ synCookies: "never" });
  lab.listen(80, 2);
  const [one, two, three] = peers(lab, 3) as [Peer, Peer, Peer];
  for (const peer of [one, two]) {
    peer.inject("S");
    peer.expect({ flags: "SA", ack: 1 });
  }
  three.inject("S");
  lab.silence();
  expect(lab.counter(COUNTER_DROP_TCP_BACKLOG_FULL)).toBe(1);
  one.inject("R", { seq: 1 });
  three.inject("S");
  three.expect({ flags: "SA", ack: 1 });
});

test("connections nobody has accepted count too, until they are accepted or end", () => {
  const lab = new Lab();
  const listener = lab.listen(80, 2);
  const [one, two, three, four] = peers(lab, 4) as [Peer, Peer, Peer, Peer];
  one.open();
  two.open();
  three.inject("S");
  lab.silence();
  const qd = lab.accepted(listener);
  three.open();
  four.inject("S");
  lab.silence();
  two.inject("R", { seq: 1 });
  four.open();
  expect(new Set([qd, lab.accepted(listener), lab.accepted(listener)]).size).toBe(3);
});

test("aborted handshakes leak no slot: 1,000 each by reset, by reset after opening, by silence", () => {
  const lab = new Lab({ connections: 32 });
  const listener = lab.listen(80, 8);
  const peer = new Peer(lab);
  for (let round = 0; round < 1000; round++) {
    peer.initial += 100_000;
    peer.inject("S");
    peer.expect({ flags: "SA", ack: 1 });
    peer.inject("R", { seq: 1 });
  }
  for (let round = 0; round < 1000; round++) {
    peer.initial += 100_000;
    peer.open();
    peer.inject("RA", { seq: 1, ack: 1 });
  }
  for (let round = 0; round < 125; round++) {
    for (const silent of peers(lab, 8, 6000 + round * 8)) silent.inject("S");
    lab.advance(64_000, 500);
  }
  lab.collect();
  lab.pending = [];
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
  expect(lab.counter(COUNTER_DROP_TCP_BACKLOG_FULL)).toBe(0);
  peer.establish(listener);
});

test("a reset connection in the middle of the accept queue leaves the others in order", () => {
  const lab = new Lab();
  const listener = lab.listen();
  const all = peers(lab, 5);
  for (const peer of all) peer.open();
  for (const index of [0, 2, 4]) all[index]?.inject("R", { seq: 1 });
  const ports = [lab.result(lab.accept(listener)), lab.result(lab.accept(listener))];
  expect(ports.map(({ port }) => port)).toEqual([5001, 5003]);
  const late = new Peer(lab, { port: 7000 });
  const token = lab.accept(listener);
  expect(lab.isDone(token)).toBe(false);
  late.open();
  expect(lab.result(token).port).toBe(7000);
});

test("closing a listener resets half-open and waiting connections (3.10.4)", () => {
  const lab = new Lab();
  const listener = lab.listen();
  const [half, waiting, closing, accepted] = peers(lab, 4) as [Peer, Peer, Peer, Peer];
  accepted.establish(listener);
  half.inject("S");
  half.expect({ flags: "SA", ack: 1 });
  waiting.open();
  closing.open();
  closing.inject("FPA", { seq: 1, ack: 1, length: 4 });
  closing.expect({ flags: "A", ack: 6 });
  const token = lab.close(listener);
  expect(lab.result(token).errno).toBe(0);
  expect([...half.take(), ...waiting.take(), ...closing.take()]).toMatchObject([
    { flags: "RA", seq: 1, ack: 1 },
    { flags: "RA", seq: 1, ack: 1 },
    { flags: "RA", seq: 1, ack: 6 },
  ]);
  lab.silence();
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
  accepted.inject("PA", { seq: 1, ack: 1, length: 1 });
  lab.advance(100);
  accepted.expect({ flags: "A", ack: 2 });
  half.inject("S");
  half.expect({ flags: "RA", ack: 1 });
});

test("closing a listener fails pending accepts with EBADF", () => {
  const lab = new Lab();
  const listener = lab.listen();
  const tokens = [lab.accept(listener), lab.accept(listener)];
  lab.close(listener);
  expect(tokens.map((token) => lab.result(token).errno)).toEqual([ERRNO_EBADF, ERRNO_EBADF]);
});

test("a full connection pool drops SYNs and recovers (S19)", () => {
  const lab = new Lab({ connections: 4 });
  lab.listen(80, 100);
  const all = peers(lab, 5);
  for (const peer of all) peer.inject("S");
  expect(all.map((peer) => peer.take().length)).toEqual([1, 1, 1, 0, 0]);
  all[0]?.inject("R", { seq: 1 });
  all[4]?.inject("S");
  all[4]?.expect({ flags: "SA", ack: 1 });
});
