/** Boxes that make segments anew, hold them back or forge them. */
import { describe, expect, test } from "bun:test";
import { parseFrame } from "../../../src/packet/parse";
import {
  TCP_ACK,
  TCP_CWR,
  TCP_ECE,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
} from "../../../src/packet/types";
import { thinAcknowledgments } from "../../../src/sim/network/ack-filter";
import { forgeBlindResets } from "../../../src/sim/network/blind-reset";
import { bleachEcn } from "../../../src/sim/network/middlebox";
import { mergeSegments, splitSegments } from "../../../src/sim/network/resegment";
import { Random } from "../../../src/sim/random";
import { tcpFrame, udpFrame } from "./packets";
import { type Recorder, run, wire } from "./recorder";

const payload = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);

/** Of each arrival: its time in ms, number, flags and payload; all of them must be sound. */
function arrived({ arrivals }: Recorder) {
  return arrivals.map(({ frame, timeNs }) => {
    const { tcp, payload: bytes, problems } = parseFrame(frame);
    expect(problems).toEqual([]);
    return [timeNs / 1e6, tcp?.sequence ?? -1, tcp?.flags ?? -1, [...bytes]] as const;
  });
}

/** A segment, 100 and more, that acknowledges. */
function text(sequence: number, bytes: Uint8Array, flags = TCP_ACK): Uint8Array {
  return tcpFrame(bytes, { tcp: { sequence, acknowledgment: 9, flags } });
}

function damaged(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  copy[copy.length - 1] = (copy[copy.length - 1] as number) ^ 1;
  return copy;
}

describe("cutting", () => {
  test("gives the pieces their numbers, and the last one PSH and FIN", () => {
    const { link, a, b, scheduler } = wire({});
    link.ab.rules.add(splitSegments(3));
    a.send(text(0xffff_fffe, payload, TCP_ACK | TCP_PSH | TCP_FIN));
    run(scheduler);
    expect(arrived(b)).toEqual([
      [0, 0xffff_fffe, TCP_ACK, [1, 2, 3]],
      [0, 1, TCP_ACK, [4, 5, 6]],
      [0, 4, TCP_ACK | TCP_PSH | TCP_FIN, [7]],
    ]);
  });

  test("leaves SYNs, what is damaged, single bytes and other protocols", () => {
    const { link, a, b, scheduler } = wire({});
    link.ab.rules.add(splitSegments(2));
    const frames = [
      text(1, payload, TCP_SYN),
      text(1, payload.subarray(1, 2)),
      damaged(text(1, payload)),
      udpFrame(payload),
    ];
    for (const frame of frames) a.send(frame);
    run(scheduler);
    expect(b.arrivals.map(({ frame }) => frame)).toEqual(frames);
  });
});

describe("joining", () => {
  const options = { mtu: 20 + 20 + 10, holdMs: 2 };

  test("what follows in time becomes one segment, with the headers of the last", () => {
    const { link, a, b, scheduler } = wire({});
    link.ab.rules.add(mergeSegments(scheduler, options));
    a.send(text(100, payload.subarray(0, 4)));
    a.send(text(104, payload.subarray(4), TCP_ACK | TCP_PSH));
    run(scheduler);
    expect(arrived(b)).toEqual([[0, 100, TCP_ACK | TCP_PSH, [...payload]]]);
  });

  test("nobody waits longer than is said, and order is kept", () => {
    const { link, a, b, scheduler } = wire({});
    link.ab.rules.add(mergeSegments(scheduler, options));
    a.send(text(100, payload));
    // Too long together, then not the next one, then one that carries nothing.
    a.send(text(107, payload));
    a.send(text(200, payload));
    a.send(text(207, new Uint8Array(0)));
    a.send(text(207, payload));
    run(scheduler);
    const numbers = arrived(b).map(([ms, sequence, , bytes]) => [ms, sequence, bytes.length]);
    expect(numbers).toEqual([
      [0, 100, 7],
      [0, 107, 7],
      [0, 200, 7],
      [0, 207, 0],
      [2, 207, 7],
    ]);
  });

  test("damaged segments are not made good", () => {
    const { link, a, b, scheduler } = wire({});
    link.ab.rules.add(mergeSegments(scheduler, options));
    const bad = damaged(text(103, payload.subarray(3, 6)));
    a.send(text(100, payload.subarray(0, 3)));
    a.send(bad);
    run(scheduler);
    expect(b.arrivals.map(({ frame }) => frame)).toEqual([text(100, payload.subarray(0, 3)), bad]);
  });
});

test("of acknowledgments that come too soon the latest follows, of each connection by itself", () => {
  const { link, a, b, scheduler } = wire({});
  link.ab.rules.add(thinAcknowledgments(scheduler, 5));
  const bare = (acknowledgment: number, sourcePort = 1000) =>
    a.send(tcpFrame(new Uint8Array(0), { tcp: { acknowledgment, sourcePort, flags: TCP_ACK } }));
  for (const acknowledgment of [1, 2, 3]) bare(acknowledgment);
  bare(7, 1001);
  a.send(text(100, payload));
  run(scheduler);
  bare(4);
  run(scheduler);
  const seen = b.arrivals.map(({ timeNs, frame }) => {
    return [timeNs / 1e6, parseFrame(frame).tcp?.acknowledgment];
  });
  expect(seen).toEqual([
    [0, 1],
    [0, 7],
    [0, 9],
    [5, 3],
    [10, 4],
  ]);
});

test("bleaching takes the field of packets, or the offer in SYNs", () => {
  const { link, a, b, scheduler } = wire({});
  const field = link.ab.rules.add(bleachEcn("ip"));
  a.send(tcpFrame(payload, { tcp: { flags: TCP_SYN | TCP_ECE }, trafficClass: 0xbb }));
  field[Symbol.dispose]();
  link.ab.rules.add(bleachEcn("syn"));
  a.send(tcpFrame(payload, { tcp: { flags: TCP_SYN | TCP_ECE | TCP_CWR }, trafficClass: 0xbb }));
  a.send(tcpFrame(payload, { tcp: { flags: TCP_ACK | TCP_ECE } }));
  run(scheduler);
  const seen = b.arrivals.map(({ frame }) => {
    const { ip, tcp, problems } = parseFrame(frame);
    expect(problems).toEqual([]);
    return [ip?.trafficClass, tcp?.flags];
  });
  expect(seen).toEqual([
    [0xb8, TCP_SYN | TCP_ECE],
    [0xbb, TCP_SYN],
    [0, TCP_ACK | TCP_ECE],
  ]);
});

test("blind resets lie beyond everything that the sender has sent, whatever it repeats", () => {
  const { link, a, b, scheduler } = wire({});
  link.ab.rules.add(forgeBlindResets(new Random(1), { probability: 1, beyondBytes: 50 }));
  a.send(text(1000, payload, TCP_SYN));
  a.send(text(1008, payload));
  a.send(text(1001, payload));
  a.send(text(5, payload, TCP_RST));
  run(scheduler);
  const seen = arrived(b);
  expect(seen.map(([, , flags]) => flags)).toEqual([
    TCP_SYN,
    TCP_RST,
    TCP_ACK,
    TCP_RST,
    TCP_ACK,
    TCP_RST,
  ]);
  for (const at of [1, 3]) {
    expect(seen[at]?.[1]).toBeGreaterThan(1015);
    expect(seen[at]?.[1]).toBeLessThanOrEqual(1015 + 50);
  }
});
