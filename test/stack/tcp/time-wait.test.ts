/** TIME-WAIT: how long it lasts, what it ignores, who may end it (RFC 9293 3.6.1, RFC 1337). */
import { expect, test } from "bun:test";
import { COUNTER_CONNECTIONS_OPEN, COUNTER_TCP_TIME_WAIT_RECYCLED } from "../../../assembly/layout";
import { pattern } from "../packets";
import { Lab } from "./lab";
import { accepted, Peer } from "./peer";

/** Both FINs are acknowledged: the stack, which closed first, waits. Its last byte is `end`. */
function finish(lab: Lab, peer: Peer, qd: number, end = 1): void {
  lab.close(qd);
  peer.expect({ flags: "FA", seq: end, ack: 1 });
  peer.inject("FA", { seq: 1, ack: end + 1 });
  peer.expect({ flags: "A", seq: end + 1, ack: 2 });
}

function waiting(): { lab: Lab; peer: Peer; listener: number } {
  const { lab, peer, qd, listener } = accepted();
  finish(lab, peer, qd);
  return { lab, peer, listener };
}

test("a FIN that comes again is acknowledged and restarts 2 MSL (MUST-13)", () => {
  const { lab, peer } = waiting();
  lab.quiet(50_000);
  peer.inject("FA", { seq: 1, ack: 2 });
  peer.expect({ flags: "A", seq: 2, ack: 2 });
  lab.quiet(50_000);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(2);
  lab.quiet(11_000);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});

test("a reset does not end it (RFC 1337 section 3)", () => {
  const { lab, peer } = waiting();
  for (const seq of [1, 2, 3]) peer.inject("R", { seq });
  lab.silence();
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(2);
});

test("old data and an old SYN are acknowledged and open nothing (3.10.7.4, S16)", () => {
  const { peer } = waiting();
  peer.inject("PA", { seq: 1, ack: 2, length: 10 });
  peer.expect({ flags: "A", seq: 2, ack: 2 });
  peer.inject("S", { seq: -1000 });
  peer.expect({ flags: "A", seq: 2, ack: 2 });
  peer.inject("S", { seq: 1 });
  peer.expect({ flags: "A", seq: 2, ack: 2 });
});

test("a SYN beyond all we received opens anew (MAY-2)", () => {
  const { peer, listener } = waiting();
  peer.initial += 3;
  peer.establish(listener);
});

test("the new connection's first number lies beyond the old one's last (MAY-2, condition 1)", () => {
  const { lab, peer, qd, listener } = accepted({}, { frames: 4096 });
  const bytes = 2_000_000;
  let acknowledged = 1;
  for (let pushed = 0; pushed < bytes; pushed += 100_000) lab.push(qd, pattern(100_000));
  while (acknowledged < bytes + 1) {
    for (const { seq, length } of peer.take()) acknowledged = seq + length;
    peer.inject("A", { seq: 1, ack: acknowledged });
  }
  finish(lab, peer, qd, bytes + 1);
  const last = peer.hostInitial + bytes + 2;
  peer.initial += 1000;
  peer.establish(listener);
  expect((peer.hostInitial - last) | 0).toBeGreaterThan(0);
});

test("when the pool is exhausted the oldest one gives way", () => {
  const lab = new Lab({ connections: 4 });
  const listener = lab.listen();
  const peers = [0, 1, 2].map((index) => new Peer(lab, { port: 5000 + index }));
  for (const peer of peers) finish(lab, peer, peer.establish(listener));
  const late = new Peer(lab, { port: 6000 });
  late.establish(listener);
  expect(lab.counter(COUNTER_TCP_TIME_WAIT_RECYCLED)).toBe(1);
  peers[0]?.inject("FA", { seq: 1, ack: 2 });
  peers[0]?.expect({ flags: "R", seq: 2 });
  peers[1]?.inject("FA", { seq: 1, ack: 2 });
  peers[1]?.expect({ flags: "A", seq: 2, ack: 2 });
});

test("one that still owes an acknowledgment does not give way", () => {
  const lab = new Lab({ connections: 2 });
  const listener = lab.listen();
  const peer = new Peer(lab);
  finish(lab, peer, peer.establish(listener));
  lab.hold();
  peer.inject("FA", { seq: 1, ack: 2 });
  const late = new Peer(lab, { port: 6000 });
  late.inject("S");
  peer.expect({ flags: "A", seq: 2, ack: 2 });
  late.inject("S");
  late.expect({ flags: "SA", ack: 1 });
});
