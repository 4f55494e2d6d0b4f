/** Recoveries that were for nothing: what is taken back (RFC 4015, RFC 9438 4.9), and what is not. */
import { expect, test } from "bun:test";
import {
  COUNTER_TCP_RECOVERIES_UNDONE,
  COUNTER_TCP_REORDERING_SEEN,
  COUNTER_TCP_SPURIOUS_TIMEOUTS,
} from "../../../assembly/layout";
import { Connections, type ConnectionView } from "../../../src/wasm/connections";
import type { StackOptions } from "../../../src/wasm/stack-options";
import { arpFrame, hostMac, pattern } from "../packets";
import { Flow, mss, timeOut } from "./flow";
import { Lab } from "./lab";
import { Peer } from "./peer";
import { option } from "./segments";

const roundTripUs = 102_400;

/** A flow in congestion avoidance, its window full; `flow` has no options, so F-RTO judges. */
function avoiding(congestionControl: StackOptions["congestionControl"]): Flow {
  const flow = new Flow({ congestionControl });
  flow.fill();
  while (flow.view.cwnd < 40 * mss) {
    flow.round(roundTripUs);
    flow.fill();
  }
  flow.lose(roundTripUs);
  for (let round = 0; round < 6; round++) {
    flow.fill();
    flow.round(roundTripUs);
  }
  flow.fill();
  return flow;
}

/** The timer expires although nothing was lost: all acknowledgments come after it. */
function expireInVain(flow: Flow): void {
  timeOut(flow);
  // The repetition's, or so it seems; then that of a segment that was not repeated.
  flow.acknowledge(mss);
  flow.acknowledge(mss);
}

for (const controller of ["cubic", "newreno"] as const) {
  test(`${controller}: window and threshold come back after a timeout in vain (RFC 9438 4.9)`, () => {
    const flow = avoiding(controller);
    const { cwnd, ssthresh } = flow.view;
    expireInVain(flow);
    expect(flow.lab.counter(COUNTER_TCP_SPURIOUS_TIMEOUTS)).toBe(1);
    expect(flow.view.cwnd).toBe(cwnd);
    expect(flow.view.ssthresh).toBe(ssthresh);
    expect(flow.view.sendNext).toBe(flow.view.sendMax);
  });
}

test("CUBIC's curve goes on where it was (RFC 9438 4.9)", () => {
  const disturbed = avoiding("cubic");
  const calm = avoiding("cubic");
  expireInVain(disturbed);
  calm.acknowledge(2 * mss);
  for (let round = 0; round < 12; round++) {
    for (const flow of [disturbed, calm]) {
      flow.fill();
      flow.round(roundTripUs);
    }
  }
  // What the disturbed one has lost is the growth of the acknowledgments that were judged.
  expect(Math.abs(disturbed.view.cwnd - calm.view.cwnd)).toBeLessThan(2 * mss);
});

test("without a sample the timeout stays doubled, then it is as before (RFC 6298 5)", () => {
  const flow = avoiding("newreno");
  expireInVain(flow);
  expect(flow.view.backoff).toBe(1);
  flow.round(roundTripUs);
  flow.fill();
  flow.round(roundTripUs);
  expect(flow.view.backoff).toBe(0);
});

test("a loss that was real is not undone (RFC 5682 2.1)", () => {
  const flow = avoiding("cubic");
  const { cwnd } = flow.view;
  timeOut(flow);
  flow.acknowledge(mss);
  flow.acknowledge(0);
  expect(flow.lab.counter(COUNTER_TCP_RECOVERIES_UNDONE)).toBe(0);
  expect(flow.view.cwnd).toBeLessThanOrEqual(3 * mss);
  expect(flow.view.ssthresh).toBeLessThan(cwnd);
  flow.round(roundTripUs);
  expect(flow.flight).toBeGreaterThan(0);
});

/** A peer with SACK, without timestamps, and ten segments of ours in flight. */
function selective(): { lab: Lab; peer: Peer; qd: number; view: ConnectionView } {
  const lab = new Lab({ sendBufferBytes: 1 << 20, timestamps: false, tailProbes: false });
  const listener = lab.listen();
  const peer = new Peer(lab);
  peer.inject("S", { options: [...option.mss(mss), ...option.sackPermitted] });
  peer.take();
  lab.host.advance(50_000, 10_000);
  peer.inject("A", { seq: 1, ack: 1 });
  const qd = lab.accepted(listener);
  lab.push(qd, pattern(10 * mss));
  peer.take();
  const view = new Connections(lab.host.stack).of(qd) as ConnectionView;
  return { lab, peer, qd, view };
}

/** An acknowledgment up to this segment with blocks of segments, by their numbers from 0. */
function tell(peer: Peer, segment: number, ...blocks: readonly (readonly [number, number])[]) {
  const edges = blocks.flatMap((block) => block.map((edge) => peer.hostInitial + 1 + edge * mss));
  const bytes = edges.flatMap((edge) => [24, 16, 8, 0].map((shift) => (edge >>> shift) & 255));
  const options = blocks.length === 0 ? [] : [1, 1, 5, 2 + bytes.length, ...bytes];
  peer.inject("A", { seq: 1, ack: 1 + segment * mss, options });
}

const data = (peer: Peer) => peer.take().filter(({ length }) => length > 0);

test("the acknowledgment of everything sends no whole window at once (RFC 4015 3.2)", () => {
  const { lab, peer, qd, view } = selective();
  const sent = () => ((view.sendMax - peer.hostInitial - 1) >>> 0) / mss;
  for (let round = 0; round < 3; round++) {
    lab.host.advance(50_000, 10_000);
    tell(peer, sent());
    lab.push(qd, pattern(100 * mss));
    peer.take();
  }
  const { cwnd, ssthresh } = view;
  expect(cwnd).toBeGreaterThan(30 * mss);
  const first = ((view.sendUna - peer.hostInitial - 1) >>> 0) / mss;
  let repeated = data(peer);
  for (; repeated.length === 0; repeated = data(peer)) lab.advance(5, 5);
  expect(repeated.map(({ seq }) => seq)).toEqual([1 + first * mss]);
  // Only acknowledgments were lost.
  tell(peer, sent(), [first, first + 1]);
  expect(lab.counter(COUNTER_TCP_SPURIOUS_TIMEOUTS)).toBe(1);
  const burst = data(peer).length;
  expect(burst).toBeGreaterThanOrEqual(10);
  expect(burst).toBeLessThan(25);
  expect(view.ssthresh).toBe(ssthresh);
});

test("what is in flight after an undone timeout is watched by a timer", () => {
  const { lab, peer } = selective();
  let repeated = data(peer);
  for (; repeated.length === 0; repeated = data(peer)) lab.advance(5, 5);
  expect(repeated.map(({ seq }) => seq)).toEqual([1]);
  // Half of it has arrived, the repetition twice; the other half is lost.
  tell(peer, 5, [0, 1]);
  expect(lab.counter(COUNTER_TCP_SPURIOUS_TIMEOUTS)).toBe(1);
  expect(data(peer)).toEqual([]);
  lab.advance(2000, 10);
  expect(data(peer)[0]?.seq).toBe(1 + 5 * mss);
});

test("duplicates widen the reordering window once a round, recoveries narrow it (RFC 8985 6.2)", () => {
  const { lab, peer, qd } = selective();
  /** How long a segment that others overtook has, in ms. */
  const patienceMs = (first: number): number => {
    lab.push(qd, pattern(10 * mss));
    peer.take();
    lab.host.advance(48_000, 1000);
    tell(peer, first, [first + 1, first + 2]);
    let ms = 0;
    for (; ms < 60 && data(peer).every(({ seq }) => seq !== 1 + first * mss); ms++) {
      lab.advance(1, 1);
    }
    tell(peer, first + 10);
    return ms;
  };
  lab.host.advance(50_000, 10_000);
  tell(peer, 0, [1, 2]);
  tell(peer, 10);
  expect(lab.counter(COUNTER_TCP_REORDERING_SEEN)).toBe(1);
  const quarter = patienceMs(10);
  expect(quarter).toBeGreaterThan(0);
  tell(peer, 20, [10, 11]);
  tell(peer, 20, [10, 11]);
  const half = patienceMs(20);
  expect(half).toBeGreaterThan(1.5 * quarter);
  expect(half).toBeLessThan(3 * quarter);
});

test("the timeout becomes as long as the acknowledgment took (RFC 4015 3.2)", () => {
  const lab = new Lab({ tailProbes: false });
  const listener = lab.listen();
  const peer = new Peer(lab);
  peer.inject("S", { options: [...option.mss(mss), ...option.timestamps(1000, 0)] });
  const echo = () => Number.parseInt(Buffer.from(last.options.slice(-8, -4)).toString("hex"), 16);
  let last = peer.take()[0] as { options: readonly number[] };
  peer.inject("A", { seq: 1, ack: 1, options: option.timestamps(1001, echo()) });
  const qd = lab.accepted(listener);
  lab.push(qd, pattern(10));
  last = peer.take()[0] as { options: readonly number[] };
  const options = option.timestamps(1002, echo());
  lab.advance(500, 10);
  expect(peer.take()).toHaveLength(1);
  peer.inject("A", { seq: 1, ack: 11, options });
  expect(lab.counter(COUNTER_TCP_SPURIOUS_TIMEOUTS)).toBe(1);
  const view = new Connections(lab.host.stack).of(qd) as ConnectionView;
  expect(view.srttUs).toBe(500_000);
  expect(view.rtoUs).toBeGreaterThanOrEqual(1_500_000);
});

test("what waited for ARP has its round trip from when it leaves (RFC 6298 3, RFC 8985 6.1)", () => {
  const address = "10.0.0.9";
  const lab = new Lab();
  const peer = new Peer(lab, { address });
  const qd = lab.socket();
  const token = lab.connect(qd, address);
  lab.host.advance(400_000, 10_000);
  lab.host.send(arpFrame({ operation: 2, sender: address, to: hostMac }));
  lab.host.advance(20_000, 10_000);
  peer.answer();
  expect(lab.result(token).errno).toBe(0);
  const view = new Connections(lab.host.stack).of(qd) as ConnectionView;
  expect(view.srttUs).toBe(20_000);
});
