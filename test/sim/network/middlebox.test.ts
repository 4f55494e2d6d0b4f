import { describe, expect, test } from "bun:test";
import { parseFrame } from "../../../src/packet/parse";
import { TCP_ACK, TCP_RST, TCP_SYN, type TcpOption } from "../../../src/packet/types";
import {
  clampMss,
  injectReset,
  rewriteSequence,
  stripOptions,
} from "../../../src/sim/network/middlebox";
import { Random } from "../../../src/sim/random";
import { macA, macB, tcpFrame, udpFrame } from "./packets";
import { frameOf, type Recorder, run, wire } from "./recorder";

const payload = Uint8Array.of(1, 2, 3, 4, 5);

function packets({ arrivals }: Recorder) {
  return arrivals.map(({ frame }) => parseFrame(frame));
}

describe("options", () => {
  const options: TcpOption[] = [
    { kind: "mss", mss: 1460 },
    { kind: "sackOK" },
    { kind: "timestamp", value: 77, echo: 0 },
    { kind: "nop" },
    { kind: "wscale", shift: 7 },
  ];

  test("those of the named kinds become NOPs", () => {
    const { link, a, b, scheduler } = wire({});
    link.ab.rules.add(stripOptions([4, 8]));
    a.send(tcpFrame(payload, { tcp: { flags: TCP_SYN, options } }));
    run(scheduler);
    const [packet] = packets(b);
    expect(packet?.problems).toEqual([]);
    const kinds = packet?.tcp?.options.map(({ kind }) => kind).filter((kind) => kind !== "nop");
    expect(kinds).toEqual(["mss", "wscale"]);
    expect(packet?.payload).toEqual(payload);
  });

  test("an MSS is lowered in SYNs, never raised", () => {
    const { link, a, b, scheduler } = wire({});
    link.ab.rules.add(clampMss(1000));
    for (const mss of [1460, 536]) {
      const offered: TcpOption[] = [{ kind: "nop" }, { kind: "mss", mss }];
      for (const flags of [TCP_SYN, TCP_ACK]) {
        a.send(tcpFrame(payload, { tcp: { flags, options: offered } }));
      }
    }
    run(scheduler);
    const seen = packets(b).map(({ tcp }) => tcp?.options.find(({ kind }) => kind === "mss"));
    expect(seen.map((option) => option?.kind === "mss" && option.mss)).toEqual([
      1000, 1460, 536, 536,
    ]);
    expect(packets(b).flatMap(({ problems }) => problems)).toEqual([]);
  });

  test("malformed options and other frames go through unharmed", () => {
    const { link, a, b, scheduler } = wire({});
    link.ab.rules.add(stripOptions([8]));
    link.ab.rules.add(clampMss(1000));
    const random = new Random("options");
    const frames = [frameOf(1), udpFrame(payload)];
    for (let round = 0; round < 300; round++) {
      const optionBytes = random.bytes(random.below(11) * 4).map((byte) => byte % 12);
      frames.push(tcpFrame(payload, { tcp: { flags: TCP_SYN, optionBytes } }));
    }
    for (const frame of frames) a.send(frame.slice());
    run(scheduler);
    b.arrivals.forEach(({ frame }, index) => {
      const sent = frames[index] as Uint8Array;
      expect(frame.length).toBe(sent.length);
      const checksums = parseFrame(frame).problems.filter((problem) =>
        problem.includes("checksum"),
      );
      expect(checksums).toEqual([]);
      expect(parseFrame(frame).payload).toEqual(parseFrame(sent).payload);
    });
  });
});

describe("sequence numbers", () => {
  const offset = 0xfffffff0;
  const sack = (left: number, right: number): TcpOption[] => [
    { kind: "nop" },
    { kind: "nop" },
    { kind: "sack", blocks: [{ left, right }] },
  ];

  test("are moved on their way out and back in acknowledgements and SACK blocks", () => {
    const { link, a, b, scheduler } = wire({});
    const rewriting = rewriteSequence(link, { offset });
    a.send(tcpFrame(payload, { tcp: { sequence: 100, acknowledgment: 50, flags: TCP_ACK } }));
    const back = { sequence: 50, acknowledgment: 84, options: sack(200, 300) };
    b.send(tcpFrame(payload, { tcp: { ...back, flags: TCP_ACK } }));
    b.send(tcpFrame(payload, { tcp: { flags: TCP_RST } }));
    run(scheduler);
    expect(packets(b)[0]?.tcp).toMatchObject({ sequence: 84, acknowledgment: 50 });
    expect(packets(a)[0]?.tcp).toMatchObject({
      sequence: 50,
      acknowledgment: 100,
      options: sack(216, 316),
    });
    // No ACK bit, no number to move.
    expect(packets(a)[1]?.tcp?.acknowledgment).toBe(0);
    expect([...packets(a), ...packets(b)].flatMap(({ problems }) => problems)).toEqual([]);
    rewriting[Symbol.dispose]();
    a.send(tcpFrame(payload, { tcp: { sequence: 100 } }));
    run(scheduler);
    expect(packets(b)[1]?.tcp?.sequence).toBe(100);
  });

  test("a box that does not know of SACK leaves the blocks", () => {
    const { link, a, b, scheduler } = wire({});
    rewriteSequence(link, { offset, rewritesSack: false });
    const options = sack(200, 300);
    b.send(tcpFrame(payload, { tcp: { flags: TCP_ACK, options } }));
    run(scheduler);
    expect(packets(a)[0]?.tcp?.options).toEqual(options);
  });
});

describe("forged resets", () => {
  const tcp = { sequence: 1000, acknowledgment: 500, flags: TCP_ACK };

  test("reach both ends with the number each expects, before the segment", () => {
    const { link, a, b, scheduler } = wire({ delayMs: 1 });
    link.ab.rules.add(injectReset({ when: (_, { packet }) => packet.payload.length > 0 }));
    a.send(tcpFrame(new Uint8Array(0), { tcp }));
    a.send(tcpFrame(payload, { tcp }));
    run(scheduler);
    const atB = packets(b);
    expect(atB.map((packet) => packet.tcp?.flags)).toEqual([TCP_ACK, TCP_RST, TCP_ACK]);
    expect(atB[1]?.tcp).toMatchObject({ sequence: 1000, sourcePort: 1000, destinationPort: 2000 });
    expect(atB[1]?.ethernet).toMatchObject({ source: macA, destination: macB });
    const [back] = packets(a);
    expect(back?.tcp).toMatchObject({ flags: TCP_RST, sequence: 500, sourcePort: 2000 });
    expect(back?.ip).toMatchObject({ source: "10.0.0.2", destination: "10.0.0.1" });
    expect([...atB, ...packets(a)].flatMap(({ problems }) => problems)).toEqual([]);
  });

  test("of a SYN acknowledge it; they may go to one end, be off, and replace the segment", () => {
    const { link, a, b, scheduler } = wire({});
    const when = () => true;
    link.ab.rules.add(injectReset({ when, to: "sender", sequenceOffset: 7, drops: true }));
    a.send(tcpFrame(payload, { tcp: { sequence: 1000, flags: TCP_SYN } }));
    run(scheduler);
    expect(b.arrivals).toEqual([]);
    const answer = { flags: TCP_RST | TCP_ACK, sequence: 0, acknowledgment: 1013 };
    expect(packets(a)[0]?.tcp).toMatchObject(answer);
  });

  test("are off by the same for both ends", () => {
    const { link, a, b, scheduler } = wire({});
    link.ab.rules.add(injectReset({ when: () => true, sequenceOffset: 9, drops: true }));
    a.send(tcpFrame(payload, { tcp }));
    run(scheduler);
    expect(packets(b)[0]?.tcp?.sequence).toBe(1009);
    expect(packets(a)[0]?.tcp?.sequence).toBe(509);
  });

  test("do not answer resets, nor what is not TCP", () => {
    const { link, a, b, scheduler } = wire({});
    link.ab.rules.add(injectReset({ when: () => true, to: "receiver" }));
    a.send(tcpFrame(payload, { tcp: { flags: TCP_RST } }));
    a.send(udpFrame(payload));
    run(scheduler);
    expect(b.arrivals.length).toBe(2);
  });
});
