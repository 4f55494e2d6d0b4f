/** Pacing: departures spread over the round trip, to the tick of the wheel, and never beyond a set rate. */
import { expect, test } from "bun:test";
import { COUNTER_TCP_PACED, SOCKET_OPTION_PACING_RATE } from "../../../assembly/layout";
import { pattern } from "../packets";
import { Flow, mss } from "./flow";
import { Lab } from "./lab";
import { accepted, Peer } from "./peer";

const roundTripUs = 102_400;
const TICK_US = 128;

/** Sends what there is for so long; when each segment left, in µs from the start, and its bytes. */
function departures(flow: Flow, forUs: number): { atUs: number; bytes: number }[] {
  const found: { atUs: number; bytes: number }[] = [];
  for (let atUs = 0; atUs < forUs; atUs += TICK_US) {
    for (const { length } of flow.peer.take()) found.push({ atUs, bytes: length });
    flow.lab.host.advance(TICK_US, TICK_US);
  }
  return found;
}

/** A flow that has come to so many segments, everything acknowledged but nothing new sent since. */
function grown(segments: number): Flow {
  const flow = new Flow({ pacing: true });
  flow.fill();
  while (flow.view.cwnd < segments * mss) {
    flow.lab.host.advance(roundTripUs, roundTripUs / 4);
    flow.acknowledge(flow.flight);
    departures(flow, roundTripUs);
    flow.fill();
  }
  flow.lab.host.advance(roundTripUs, TICK_US);
  flow.peer.take();
  return flow;
}

test("the initial window leaves at once", () => {
  const { lab, peer, qd } = accepted({ scale: 7 }, { pacing: true });
  lab.push(qd, pattern(14_600));
  expect(peer.take()).toHaveLength(10);
  expect(lab.counter(COUNTER_TCP_PACED)).toBe(0);
});

test("in slow start a window leaves in half of a round trip, evenly", () => {
  const flow = grown(40);
  const inUse = flow.view.srttUs;
  flow.acknowledged += flow.flight;
  flow.peer.inject("A", { seq: 1, ack: 1 + flow.acknowledged });
  const sent = departures(flow, inUse);
  const { cwnd } = flow.view;
  const bytes = sent.reduce((sum, one) => sum + one.bytes, 0);
  expect(bytes).toBe(cwnd);
  const last = sent.at(-1)?.atUs ?? 0;
  expect(last).toBeGreaterThan(inUse * 0.4);
  expect(last).toBeLessThan(inUse * 0.6);
  // No tick has more than its share, but for what a tick or two may be late.
  const share = (cwnd * 2 * TICK_US) / inUse;
  const busiest = Math.max(
    ...sent.map(({ atUs }) =>
      sent.filter((one) => one.atUs === atUs).reduce((sum, one) => sum + one.bytes, 0),
    ),
  );
  expect(busiest).toBeLessThanOrEqual(4 * share + 2 * mss);
});

test("a set rate is kept, whatever the window", () => {
  const bytesPerSecond = 1_000_000;
  const flow = grown(100);
  const { exports } = flow.lab.host.stack;
  expect(exports.setOption(flow.qd, SOCKET_OPTION_PACING_RATE, bytesPerSecond)).toBe(0);
  expect(exports.getOption(flow.qd, SOCKET_OPTION_PACING_RATE)).toBe(bytesPerSecond);
  flow.acknowledged += flow.flight;
  flow.peer.inject("A", { seq: 1, ack: 1 + flow.acknowledged });
  const sent = departures(flow, 50_000);
  const bytes = sent.reduce((sum, one) => sum + one.bytes, 0);
  expect(bytes).toBeGreaterThan(0.9 * 50_000);
  expect(bytes).toBeLessThan(1.1 * 50_000 + 2 * mss);
});

test("a rate set on a socket turns pacing on", () => {
  const { lab, peer, qd } = accepted({ scale: 7, mss });
  const { exports } = lab.host.stack;
  expect(exports.setOption(qd, SOCKET_OPTION_PACING_RATE, -1)).toBe(-22);
  expect(exports.setOption(qd, SOCKET_OPTION_PACING_RATE, 1_000_000)).toBe(0);
  lab.push(qd, pattern(30_000));
  const first = peer.take().length;
  expect(first).toBe(10);
  peer.inject("A", { seq: 1, ack: 10_001 });
  expect(peer.take().length).toBeLessThan(5);
  lab.advance(20, 1);
  expect(peer.take().length).toBeGreaterThan(10);
});

test("nothing in flight and nothing departed is no closed window", () => {
  const { lab, peer, qd } = accepted({ scale: 7, mss });
  const { exports } = lab.host.stack;
  lab.push(qd, pattern(10_000));
  peer.take();
  exports.setOption(qd, SOCKET_OPTION_PACING_RATE, 1000);
  peer.inject("A", { seq: 1, ack: 10_001 });
  lab.push(qd, pattern(1000));
  lab.push(qd, pattern(1000));
  const [one] = peer.take();
  expect(one).toMatchObject({ seq: 10_001, length: 1000 });
  peer.inject("A", { seq: 1, ack: 11_001 });
  lab.quiet(900);
  lab.advance(150, 5);
  peer.expect({ flags: "PA", seq: 11_001, length: 1000 });
});

test("after a long silence nobody waits for times of long ago", () => {
  const { lab, peer, qd } = accepted({ scale: 7, mss }, { pacing: true });
  lab.push(qd, pattern(10_000));
  peer.take();
  peer.inject("A", { seq: 1, ack: 10_001 });
  // Half of the clock's lower word, in which the last departure seems to lie ahead.
  lab.host.advance(2 ** 31 + 1_000_000, 2 ** 28);
  lab.push(qd, pattern(1000));
  peer.expect({ flags: "PA", seq: 10_001, length: 1000 });
});

test("a clock beyond half of its lower word is no reason to wait", () => {
  const lab = new Lab({ pacing: true });
  lab.host.advance(2 ** 31, 2 ** 28);
  const peer = new Peer(lab);
  const qd = peer.establish(lab.listen());
  lab.push(qd, pattern(100));
  peer.expect({ flags: "PA", seq: 1, length: 100 });
});

test("super-frames are worth a millisecond at most", () => {
  const device = { checksum: true, segmentMax: 65_535, chainMax: 40, partialReceive: true };
  const { lab, peer, qd } = accepted({ scale: 7 }, { pacing: true }, device);
  lab.host.stack.exports.setOption(qd, SOCKET_OPTION_PACING_RATE, 7_300_000);
  lab.push(qd, pattern(14_600));
  const sizes = peer.take().map(({ length }) => length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(5 * 1460);
  expect(sizes.reduce((sum, length) => sum + length, 0)).toBe(14_600);
});

test("a flow that waits for its time while the device's ring is full is on the ready list once", () => {
  const ringEntries = 16;
  const { lab, peer, qd } = accepted({ scale: 7 }, { pacing: true, ringEntries });
  lab.push(qd, pattern(14_600));
  expect(peer.take()).toHaveLength(10);
  lab.host.advance(roundTripUs, TICK_US);
  peer.inject("A", { seq: 1, ack: 14_601 });
  lab.push(qd, pattern(14_600));
  const sent = peer.take().length;
  expect(sent).toBeLessThan(10);
  // Each segment beyond a gap is answered at once, and nobody takes the answers off the ring.
  for (let at = 0; at <= ringEntries; at++) {
    peer.inject("A", { seq: 1001 + 10 * at, ack: 14_601, length: 10 });
    lab.host.poll();
  }
  expect(peer.take().length).toBeGreaterThanOrEqual(ringEntries);
  expect(lab.counter(COUNTER_TCP_PACED)).toBeGreaterThan(0);
  // At its end the record is freed as often as it is on the list; all tests look at that.
});
