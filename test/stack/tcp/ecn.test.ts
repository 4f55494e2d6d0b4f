/**
 * Explicit congestion notification (RFC 3168) where scripts cannot say it: super-frames, fragments, the
 * controllers' answers, what it costs and counts. test/packetdrill/scripts/rfc3168 has the rest.
 */
import { expect, test } from "bun:test";
import {
  COUNTER_DROP_FRAGMENT,
  COUNTER_TCP_CE_RECEIVED,
  COUNTER_TCP_ECN_FALLBACKS,
  COUNTER_TCP_ECN_REDUCTIONS,
  ECN_OFF,
  ECN_ON,
  SOCKET_OPTION_ECN,
} from "../../../assembly/layout";
import { CONNECTION_RECOVER } from "../../../assembly/transport/tcp/record";
import { ethernet, ipv4, pattern } from "../packets";
import { Flow, mss } from "./flow";
import { Lab } from "./lab";
import { accepted, Peer } from "./peer";
import { protocolTcp } from "./segments";

const ECT_0 = 2;
const CE = 3;
const roundTripUs = 102_400;
const device = { checksum: true, segmentMax: 65_535, chainMax: 40, partialReceive: true };

/** A flow whose window is full and has come to at least so many segments. */
function grown(segments: number, options: ConstructorParameters<typeof Flow>[0]): Flow {
  const flow = new Flow(options, { ecn: true });
  flow.fill();
  while (flow.view.cwnd < segments * mss) {
    flow.round(roundTripUs);
    flow.fill();
  }
  return flow;
}

test("only one segment has CWR where the device cuts super-frames (6.1.2)", () => {
  const { lab, peer, qd } = accepted({ scale: 7, ecn: true }, {}, device);
  lab.push(qd, pattern(29_200));
  const [first] = peer.take();
  expect(first).toMatchObject({ flags: "A", length: 14_600, codepoint: ECT_0 });
  peer.inject("AE", { seq: 1, ack: 14_601 });
  const sent = peer.take();
  expect(sent[0]).toMatchObject({ flags: "AC", length: 1460, codepoint: ECT_0 });
  expect(sent.slice(1).every(({ flags }) => !flags.includes("C"))).toBe(true);
});

test("a device that was full takes the news of the reduction later (6.1.2)", () => {
  const { lab, peer, qd } = accepted({ scale: 7, ecn: true }, { ringEntries: 4 });
  lab.push(qd, pattern(14_600));
  let received = 1;
  let news = 0;
  for (let turn = 0; turn < 30 && received <= 14_600; turn++) {
    for (const { seq, length, flags } of peer.take()) {
      if (flags.includes("C")) news++;
      if (seq === received) received += length;
    }
    peer.inject(turn === 0 ? "AE" : "A", { seq: 1, ack: received });
  }
  expect(received).toBe(14_601);
  expect(news).toBe(1);
});

test("an echo leaves of the window what a loss would (6.1.2)", () => {
  for (const [congestionControl, share] of [
    ["newreno", 0.5],
    ["cubic", 0.7],
  ] as const) {
    const flow = grown(40, { congestionControl, alternativeBackoff: false });
    const { flight } = flow;
    flow.flags = "AE";
    flow.acknowledge(2 * mss);
    expect(flow.view.ssthresh).toBe(Math.floor(flight * share));
    // Each acknowledgment of this window echoes; it is one reason.
    for (let left = flight - 2 * mss; left > 0; left -= 2 * mss) {
      flow.acknowledge(Math.min(left, 2 * mss));
    }
    expect(flow.view.cwnd).toBe(Math.floor(flight * share));
    expect(flow.lab.counter(COUNTER_TCP_ECN_REDUCTIONS)).toBe(1);
  }
});

test("in congestion avoidance an echo may leave more than a loss (RFC 8511 3)", () => {
  for (const [congestionControl, share] of [
    ["newreno", 0.8],
    ["cubic", 0.85],
  ] as const) {
    const flow = grown(40, { congestionControl });
    const slowStart = flow.flight;
    flow.flags = "AE";
    flow.acknowledge(2 * mss);
    // Slow start may have overshot by a whole window.
    const loss = congestionControl === "cubic" ? 0.7 : 0.5;
    expect(flow.view.ssthresh).toBe(Math.floor(slowStart * loss));
    flow.flags = "A";
    for (let round = 0; round < 3; round++) {
      flow.round(roundTripUs);
      flow.fill();
    }
    const { flight } = flow;
    flow.flags = "AE";
    flow.acknowledge(2 * mss);
    expect(flow.view.ssthresh).toBe(Math.ceil(flight * share - 1e-6));
  }
});

test("the rate goes down evenly over a round trip (RFC 9937)", () => {
  const flow = grown(40, { congestionControl: "newreno" });
  flow.flags = "AE";
  const before = flow.flight;
  let most = 0;
  let last = flow.view.sendMax;
  flow.lab.host.advance(roundTripUs, roundTripUs / 4);
  for (let acknowledged = 0; acknowledged < before; acknowledged += 2 * mss) {
    flow.acknowledge(Math.min(2 * mss, flow.flight));
    most = Math.max(most, flow.view.sendMax - last);
    last = flow.view.sendMax;
  }
  // Half of two segments an acknowledgment, a segment's share letting it leave whole.
  expect(most).toBeLessThanOrEqual(2 * mss);
  expect(flow.flight).toBe(flow.view.ssthresh);
});

test("half the number space after the last loss an echo still counts", () => {
  const flow = grown(20, { congestionControl: "newreno" });
  const { stack } = flow.lab.host;
  const record = new DataView(stack.memory.buffer, flow.view.at);
  // Far enough behind that a few rounds more would make it seem to lie ahead.
  record.setUint32(CONNECTION_RECOVER, (flow.view.sendUna - 2 ** 31 + 100_000) >>> 0, true);
  for (let round = 0; round < 3; round++) {
    flow.round(roundTripUs);
    flow.fill();
  }
  flow.flags = "AE";
  flow.acknowledge(2 * mss);
  expect(flow.view.ssthresh).toBeLessThan(2 ** 30);
});

test("a fragment that met congestion marks the whole, if all could be marked (5.3)", () => {
  for (const [codepoints, isEchoed] of [
    [[ECT_0, CE], true],
    [[CE, ECT_0], true],
    [[ECT_0, ECT_0], false],
    [[0, 0], false],
    [[CE, 0], undefined],
    [[0, CE], undefined],
  ] as const) {
    const { lab, peer } = accepted({ ecn: true });
    const segment = peer.frame("A", { seq: 1, ack: 1, length: 600 }).subarray(34);
    const cut = 320;
    const [first, second] = codepoints;
    const common = { protocol: protocolTcp, identification: 7 };
    const pieces = [
      ipv4(segment.subarray(0, cut), { ...common, fragment: 0x2000, codepoint: first }),
      ipv4(segment.subarray(cut), { ...common, fragment: cut / 8, codepoint: second }),
    ];
    for (const piece of pieces) lab.host.send(ethernet(piece));
    lab.advance(50);
    const dropped = isEchoed === undefined;
    expect(lab.counter(COUNTER_DROP_FRAGMENT)).toBe(dropped ? 2 : 0);
    const answers = peer.take().map(({ flags }) => flags);
    expect(answers).toEqual(dropped ? [] : [isEchoed ? "AE" : "A"]);
    expect(lab.counter(COUNTER_TCP_CE_RECEIVED)).toBe(isEchoed === true ? 1 : 0);
  }
});

test("a socket decides for itself, its listener for those it accepts", () => {
  const lab = new Lab({ ecn: "off" });
  const { exports } = lab.host.stack;
  const listener = lab.listen();
  expect(exports.getOption(listener, SOCKET_OPTION_ECN)).toBe(ECN_OFF);
  const peer = new Peer(lab);
  peer.inject("SEC");
  peer.expect({ flags: "SA", codepoint: 0 });
  peer.inject("R", { seq: 1 });
  expect(exports.setOption(listener, SOCKET_OPTION_ECN, ECN_ON)).toBe(0);
  expect(exports.setOption(listener, SOCKET_OPTION_ECN, 3)).toBe(-22);
  const other = new Peer(lab, { port: 4001, ecn: true });
  other.establish(listener);
  const qd = lab.socket();
  expect(exports.setOption(qd, SOCKET_OPTION_ECN, ECN_ON)).toBe(0);
  lab.connect(qd, undefined, 81);
  lab.collect();
  expect(lab.pending.map(({ flags }) => flags)).toEqual(["SEC"]);
  lab.pending = [];
  lab.advance(1100);
  lab.collect();
  expect(lab.pending.map(({ flags }) => flags)).toEqual(["S"]);
  lab.pending = [];
  expect(lab.counter(COUNTER_TCP_ECN_FALLBACKS)).toBe(1);
});
