import { describe, expect, test } from "bun:test";
import { parseFrame } from "../../../src/packet/parse";
import { setCoveredByte, transportOf } from "../../../src/sim/network/frame-fields";
import type { Rule } from "../../../src/sim/network/rule";
import { tcpFrame, udpFrame } from "./packets";
import { frameOf, numberOf, run, sendMany, wire } from "./recorder";

const ms = 1e6;

describe("rules", () => {
  test("pass, drop, deliver at their own time and change what they are shown", () => {
    const setting = wire({ delayMs: 10, bandwidthBitsPerSecond: 1e6 });
    setting.link.ab.rules.add((frame) => {
      const number = numberOf(frame);
      if (number === 2) return "drop";
      if (number === 3) return { deliverMs: 2 };
      return number === 4 ? { frame: frameOf(40) } : "pass";
    });
    sendMany(setting, 5, { everyNs: 0 });
    expect(setting.b.numbers).toEqual([3, 1, 40, 5]);
    expect(setting.b.times[0]).toBe(2 * ms);
    expect(setting.events.filter(({ reason }) => reason === "rule").length).toBe(1);
  });

  test("are asked in order, each about what the one before made", () => {
    const setting = wire({});
    setting.link.ab.rules.add((frame) => ({ frame: frameOf(numberOf(frame) * 2) }));
    setting.link.ab.rules.add((frame) => ({ frame: frameOf(numberOf(frame) + 1) }));
    sendMany(setting, 3);
    expect(setting.b.numbers).toEqual([3, 5, 7]);
  });

  test("read the packet as the rule before left it", () => {
    const setting = wire({});
    const ports: unknown[] = [];
    const look: Rule = (_, { packet }) => {
      ports.push(packet.udp?.destinationPort ?? packet.tcp?.destinationPort);
      return "pass";
    };
    setting.link.ab.rules.add(look);
    setting.link.ab.rules.add(() => ({
      frame: tcpFrame(new Uint8Array(1), { tcp: { destinationPort: 7 } }),
    }));
    setting.link.ab.rules.add(look);
    setting.a.send(udpFrame(new Uint8Array(1)));
    expect(ports).toEqual([2000, 7]);
  });

  test("end when they are disposed of or the link heals, unless they are permanent", () => {
    const setting = wire({});
    const rule = setting.link.ab.rules.add(() => "drop");
    setting.link.ab.rules.add((frame) => ({ frame: frameOf(numberOf(frame) + 100) }), {
      permanent: true,
    });
    sendMany(setting, 1);
    rule[Symbol.dispose]();
    sendMany(setting, 1);
    setting.link.ab.rules.add(() => "drop");
    setting.link.heal();
    sendMany(setting, 1);
    expect(setting.b.numbers).toEqual([101, 101]);
  });

  test("see the packet, its number and the time, and may send frames of their own", () => {
    const setting = wire({ delayMs: 1 });
    const seen: unknown[] = [];
    setting.link.ab.rules.add((_, context) => {
      const { direction, number, nowNs, packet } = context;
      seen.push([direction, number, nowNs, packet.udp?.destinationPort]);
      if (number > 2) return "pass";
      context.inject(frameOf(70));
      context.reply(frameOf(71));
      return "drop";
    });
    setting.a.send(udpFrame(new Uint8Array(10)));
    run(setting.scheduler);
    setting.a.send(udpFrame(new Uint8Array(10)));
    run(setting.scheduler);
    expect(seen).toEqual([
      ["a>b", 1, 0, 2000],
      ["a>b", 3, 1 * ms, 2000],
    ]);
    expect(setting.b.numbers[0]).toBe(70);
    expect(setting.a.numbers).toEqual([71]);
  });
});

describe("corruption of packets", () => {
  const payload = Uint8Array.from({ length: 500 }, (_, index) => index);
  const make = { tcp: tcpFrame, udp: udpFrame };

  test.each(["tcp", "udp"] as const)("behind the checksum it is noticed: %s", (protocol) => {
    const setting = wire({ corrupt: { probability: 1, what: "burst" } });
    for (let round = 0; round < 300; round++) setting.a.send(make[protocol](payload));
    run(setting.scheduler);
    const clean = make[protocol](payload);
    for (const { frame } of setting.b.arrivals) {
      expect(frame).not.toEqual(clean);
      // Ethernet's addresses are the frame check sequence's matter, which is gone here.
      const hitsPacket = frame.findIndex((byte, index) => byte !== clean[index]) >= 14;
      if (hitsPacket) expect(parseFrame(frame).problems.length).toBeGreaterThan(0);
    }
  });

  test.each(["tcp", "udp"] as const)(
    "before the checksum only the payload tells: %s",
    (protocol) => {
      for (const what of ["bit", "byte", "burst"] as const) {
        const setting = wire({ corrupt: { probability: 1, what, before: true } });
        for (let round = 0; round < 300; round++) setting.a.send(make[protocol](payload));
        run(setting.scheduler);
        for (const { frame } of setting.b.arrivals) {
          const packet = parseFrame(frame);
          expect(packet.problems).toEqual([]);
          expect(packet.payload).not.toEqual(payload);
          expect(packet.payload.length).toBe(payload.length);
        }
      }
    },
  );

  test("a datagram without checksum stays without, and one of odd length is mended too", () => {
    const setting = wire({ corrupt: { probability: 1, what: "byte", before: true } });
    for (let length = 1; length < 60; length++) {
      setting.a.send(udpFrame(payload.subarray(0, length)));
      const bare = udpFrame(payload.subarray(0, length));
      bare.fill(0, 40, 42);
      setting.a.send(bare);
    }
    run(setting.scheduler);
    setting.b.arrivals.forEach(({ frame }, index) => {
      expect(parseFrame(frame).problems).toEqual([]);
      const checksum = ((frame[40] as number) << 8) | (frame[41] as number);
      expect(checksum === 0).toBe(index % 2 === 1);
    });
  });

  test("a datagram's mended checksum is never zero, which would say that there is none", () => {
    const frame = udpFrame(Uint8Array.of(1, 1));
    const transport = transportOf(frame);
    if (transport === undefined) throw new Error("no datagram");
    let allOnes = 0;
    for (let word = 0; word < 65536; word++) {
      setCoveredByte(frame, transport, 42, word >>> 8);
      setCoveredByte(frame, transport, 43, word & 255);
      const checksum = ((frame[40] as number) << 8) | (frame[41] as number);
      expect(checksum).not.toBe(0);
      if (checksum === 0xffff) allOnes++;
    }
    expect(allOnes).toBeGreaterThan(0);
    expect(parseFrame(frame).problems).toEqual([]);
  });

  test("before the checksum, what has no payload or is a fragment is left alone", () => {
    const setting = wire({ corrupt: { probability: 1, what: "bit", before: true } });
    const frames = [
      tcpFrame(new Uint8Array(0)),
      udpFrame(payload, { moreFragments: true }),
      udpFrame(payload, { fragmentOffset: 800 }),
      frameOf(7),
    ];
    for (const frame of frames) setting.a.send(frame.slice());
    run(setting.scheduler);
    expect(setting.b.arrivals.map(({ frame }) => frame)).toEqual(frames);
    expect(setting.link.ab.counts.corrupted).toBe(0);
  });
});
