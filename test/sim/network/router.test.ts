import { describe, expect, test } from "bun:test";
import { DemibunError } from "../../../src/errors";
import { frameArp } from "../../../src/packet/build";
import { buildIcmp } from "../../../src/packet/build-transport";
import { parseFrame, parseIp } from "../../../src/packet/parse";
import type { Packet } from "../../../src/packet/types";
import { Router, type RouterOptions } from "../../../src/sim/network/router";
import type { FrameEvent } from "../../../src/sim/trace";
import { broadcast, ipFrame, macA, macB, tcpFrame, udpFrame } from "./packets";
import { Network } from "./routed";

const payload = new Uint8Array(100).fill(7);

/** a 10.0.0.1 — 10.0.0.254 router 10.0.1.254 — 10.0.1.1 b */
function routed(options: RouterOptions = {}, mtu = 1500) {
  const network = new Network();
  const events: FrameEvent[] = [];
  const trace = (event: FrameEvent) => events.push({ ...event, frame: event.frame.slice() });
  const router = new Router(network.scheduler, "router", { trace, ...options });
  const left = router.addInterface({ address: "10.0.0.254/24" });
  const right = router.addInterface({ address: "10.0.1.254/24", mtu });
  const a = network.host("a", "10.0.0.1", macA, left);
  const b = network.host("b", "10.0.1.1", macB, right);
  const send = (frame: Uint8Array) => {
    frame.set(left.mac, 0);
    a.send(frame);
    network.run();
  };
  return { network, router, events, left, right, a, b, send };
}

const toB = { source: "10.0.0.1", destination: "10.0.1.1" };

/** The quoted packet of an ICMP error. */
function quotation({ payload: quoted }: Packet): Packet {
  return parseIp(quoted, { quoted: true });
}

describe("forwarding", () => {
  test("a packet goes on with its TTL lowered and new Ethernet addresses", () => {
    const { send, b, right } = routed();
    send(udpFrame(payload, { ...toB, ttl: 9, identification: 77 }));
    const [packet] = b.packets;
    expect(packet?.problems).toEqual([]);
    expect(packet?.ip).toMatchObject({ ...toB, ttl: 8, identification: 77 });
    expect(packet?.ethernet?.source).toEqual(right.mac);
    expect(packet?.ethernet?.destination).toEqual(macB);
    expect(packet?.payload).toEqual(payload);
  });

  test("the checksum stays right for every TTL", () => {
    const { send, b } = routed();
    for (let ttl = 2; ttl < 256; ttl++) send(udpFrame(payload, { ...toB, ttl }));
    expect(b.packets.map(({ ip }) => ip?.ttl)).toEqual(
      Array.from({ length: 254 }, (_, index) => index + 1),
    );
    expect(b.packets.flatMap(({ problems }) => problems)).toEqual([]);
  });

  test("Ethernet's padding is not passed on", () => {
    const { send, b } = routed();
    const padded = new Uint8Array(60);
    padded.set(udpFrame(payload.subarray(0, 1), toB));
    send(padded);
    expect(b.arrivals.at(-1)?.frame.length).toBe(14 + 20 + 8 + 1);
  });

  test("the longest prefix decides", () => {
    const { router, send, network, right, b } = routed();
    router.addRoute("0.0.0.0/0", "10.0.0.77");
    router.addRoute("172.16.0.0/12", "10.0.1.1");
    router.addRoute("172.16.5.0/24", "10.0.0.77");
    send(udpFrame(payload, { source: "10.0.0.1", destination: "172.16.4.4" }));
    expect(b.packets.at(-1)?.ip?.destination).toBe("172.16.4.4");
    expect(b.packets.at(-1)?.ethernet?.source).toEqual(right.mac);
    const before = b.packets.length;
    send(udpFrame(payload, { source: "10.0.0.1", destination: "172.16.5.4" }));
    network.run();
    expect(b.packets.length).toBe(before);
  });

  test("a network of two has no broadcast address", () => {
    const { network, router, send } = routed();
    const narrow = router.addInterface({ address: "10.0.2.0/31" });
    const other = network.host("c", "10.0.2.1", macB, narrow);
    send(udpFrame(payload, { ...toB, destination: "10.0.2.1" }));
    expect(other.packets.length).toBe(1);
  });

  test.each([
    ["a bad header checksum", udpFrame(payload, { ...toB, checksum: 1 })],
    ["a header too long", udpFrame(payload, { ...toB, headerLength: 60, totalLength: 40 })],
    ["a packet cut short", udpFrame(payload, toB).subarray(0, 60)],
    ["another version", ipFrame(Uint8Array.of(0x65, ...new Uint8Array(19)))],
    ["no header", ipFrame(new Uint8Array(3))],
  ])("drops %s silently", (_, frame) => {
    const { send, a, b, events } = routed();
    send(frame.slice());
    expect(events.map(({ reason }) => reason)).toEqual(["malformed"]);
    expect(a.packets.concat(b.packets)).toEqual([]);
  });

  test("tells that it routes IPv4 alone", () => {
    const { a, b, send, events } = routed();
    const frame = ipFrame(new Uint8Array(60).fill(0x60));
    frame.set([0x86, 0xdd], 12);
    send(frame);
    expect(events.map(({ reason, station }) => [reason, station])).toEqual([
      ["no route", "router"],
    ]);
    expect(a.packets.concat(b.packets)).toEqual([]);
  });

  test("what came to everybody or goes to everybody is not passed on", () => {
    const { network, send, a, b } = routed();
    for (const destination of ["10.0.1.255", "255.255.255.255", "224.0.0.1"]) {
      send(udpFrame(payload, { ...toB, destination }));
    }
    const toAll = udpFrame(payload, toB);
    toAll.set(broadcast, 0);
    a.send(toAll);
    network.run();
    expect(a.packets.concat(b.packets)).toEqual([]);
  });
});

describe("ICMP", () => {
  test("a packet whose TTL is used up is told of and goes no further", () => {
    const { send, a, b, events } = routed();
    for (const ttl of [0, 1]) send(tcpFrame(payload, { ...toB, ttl, tcp: { sequence: 5 } }));
    const [first] = a.packets;
    expect(first?.problems).toEqual([]);
    expect(first?.icmp).toMatchObject({ type: 11, code: 0, rest: 0 });
    expect(first?.ip).toMatchObject({ source: "10.0.0.254", destination: "10.0.0.1" });
    expect(quotation(first as Packet).tcp).toMatchObject({ sequence: 5 });
    expect(a.packets.length).toBe(2);
    expect(b.packets).toEqual([]);
    expect(events.map(({ reason }) => reason)).toEqual(["ttl exceeded", "ttl exceeded"]);
  });

  test("a packet too big that must not be cut is told of, with the next hop's MTU", () => {
    const { send, a, b } = routed({}, 576);
    send(udpFrame(new Uint8Array(1000), { ...toB, dontFragment: true }));
    expect(a.packets[0]?.icmp).toMatchObject({ type: 3, code: 4, rest: 576 });
    expect(b.packets).toEqual([]);
  });

  test("there is no route, or nobody answers there", () => {
    const { network, send, a, events } = routed();
    send(udpFrame(payload, { ...toB, destination: "192.168.0.1" }));
    expect(a.packets[0]?.icmp).toMatchObject({ type: 3, code: 0 });
    const start = network.scheduler.nowNs;
    send(udpFrame(payload, { ...toB, destination: "10.0.1.99" }));
    expect(a.packets[1]?.icmp).toMatchObject({ type: 3, code: 1 });
    expect(a.arrivals.at(-1)?.timeNs).toBe(start + 3e9);
    expect(events.map(({ reason }) => reason)).toEqual(["no route", "host unreachable"]);
  });

  test("it answers pings to any of its addresses, and nothing else is open", () => {
    const { send, a } = routed();
    const ping = buildIcmp({ type: 8, code: 0, rest: 0x12345678 }, payload);
    send(ipFrame(ping, { ...toB, destination: "10.0.1.254", protocol: 1 }));
    expect(a.packets[0]?.icmp).toMatchObject({ type: 0, code: 0, rest: 0x12345678 });
    expect(a.packets[0]?.ip).toMatchObject({ source: "10.0.1.254", destination: "10.0.0.1" });
    expect(a.packets[0]?.payload).toEqual(payload);
    send(udpFrame(payload, { ...toB, destination: "10.0.0.254" }));
    expect(a.packets[1]?.icmp).toMatchObject({ type: 3, code: 3 });
    send(tcpFrame(payload, { ...toB, destination: "10.0.0.254" }));
    expect(a.packets[2]?.icmp).toMatchObject({ type: 3, code: 2 });
  });

  test("no error is told about an error, a later fragment or a sender that is no host", () => {
    const { send, a } = routed();
    const error = buildIcmp({ type: 3, code: 1 }, udpFrame(payload).subarray(14));
    send(ipFrame(error, { ...toB, protocol: 1, ttl: 1 }));
    send(udpFrame(payload, { ...toB, ttl: 1, fragmentOffset: 80 }));
    for (const source of ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"]) {
      send(udpFrame(payload, { ...toB, ttl: 1, source }));
    }
    expect(a.packets).toEqual([]);
    const ping = buildIcmp({ type: 8, code: 0 }, payload);
    send(ipFrame(ping, { ...toB, protocol: 1, ttl: 1 }));
    expect(a.packets[0]?.icmp?.type).toBe(11);
  });

  test("errors come at a limited rate", () => {
    const { network, send, a } = routed({ icmpErrorsPerSecond: 10, icmpErrorBurst: 3 });
    const bad = () => udpFrame(payload, { ...toB, ttl: 1 });
    for (let count = 0; count < 10; count++) send(bad());
    expect(a.packets.length).toBe(3);
    network.scheduler.advance(network.scheduler.nowNs + 100e6);
    for (let count = 0; count < 10; count++) send(bad());
    expect(a.packets.length).toBe(4);
  });
});

describe("fragments", () => {
  const big = Uint8Array.from({ length: 3000 }, (_, index) => index);

  /** The payload of the fragments together. */
  function reassemble(packets: readonly Packet[]): Uint8Array {
    const whole = new Uint8Array(big.length + 8);
    for (const { ip, payload: piece, problems } of packets) {
      expect(problems).toEqual([]);
      if (ip?.version !== 4) throw new Error("not IPv4");
      const bytes = ip.fragmentOffset === 0 ? udpBytes(packets) : piece;
      whole.set(bytes, ip.fragmentOffset);
    }
    return whole;
  }

  /** The first fragment's bytes behind the IP header, whatever was parsed of them. */
  function udpBytes(packets: readonly Packet[]): Uint8Array {
    const first = packets.find(({ ip }) => ip?.version === 4 && ip.fragmentOffset === 0) as Packet;
    const bytes = new Uint8Array(first.payload.buffer);
    return bytes.subarray(14 + (first.ip?.headerLength ?? 0));
  }

  test("a packet that may be cut goes on in pieces that fit", () => {
    const { send, b } = routed({}, 600);
    const frame = udpFrame(big, { ...toB, identification: 5 });
    send(frame.slice());
    expect(b.packets.length).toBe(Math.ceil(3008 / 576));
    for (const { ip } of b.packets) expect(ip?.totalLength).toBeLessThanOrEqual(600);
    const flags = b.packets.map(({ ip }) => ip?.version === 4 && ip.moreFragments);
    expect(flags).toEqual([true, true, true, true, true, false]);
    expect(reassemble(b.packets)).toEqual(frame.slice(34));
  });

  test("a fragment is cut again", () => {
    const { send, b } = routed({}, 256);
    send(udpFrame(big.subarray(0, 800), { ...toB, moreFragments: true, fragmentOffset: 1600 }));
    const places = b.packets.map(({ ip }) =>
      ip?.version === 4 ? [ip.fragmentOffset, ip.moreFragments] : [],
    );
    expect(places).toEqual([
      [1600, true],
      [1832, true],
      [2064, true],
      [2296, true],
    ]);
  });

  test("later fragments carry only the options that are to be copied", () => {
    const { send, b } = routed({}, 100);
    const recordRoute = [7, 3, 4];
    const security = [0x82, 4, 1, 2];
    const options = Uint8Array.of(1, ...recordRoute, ...security);
    send(udpFrame(big.subarray(0, 150), { ...toB, options }));
    const headers = b.arrivals.map(({ frame }) =>
      frame.subarray(34, 14 + ((frame[14] as number) & 15) * 4),
    );
    expect(headers[0]).toEqual(options);
    expect(headers.slice(1).every((bytes) => bytes.join() === security.join())).toBe(true);
    expect(b.packets.flatMap(({ problems }) => problems)).toEqual([]);
  });
});

describe("ARP", () => {
  test("asks once, holds what waits in order, and remembers for twenty seconds", () => {
    const { network, a, left, b, send } = routed();
    for (let count = 1; count <= 3; count++) {
      const frame = udpFrame(payload.subarray(0, count), toB);
      frame.set(left.mac, 0);
      a.send(frame);
    }
    network.run();
    expect(b.packets.map((packet) => packet.payload.length)).toEqual([1, 2, 3]);
    expect(b.asked).toBe(1);
    send(udpFrame(payload, toB));
    expect(b.asked).toBe(1);
    network.scheduler.advance(network.scheduler.nowNs + 21e9);
    send(udpFrame(payload, toB));
    expect(b.asked).toBe(2);
  });

  test("drops the oldest of too many that wait", () => {
    const { network, left, a, events } = routed();
    for (let count = 1; count <= 18; count++) {
      const frame = udpFrame(payload.subarray(0, count), { ...toB, destination: "10.0.1.9" });
      frame.set(left.mac, 0);
      a.send(frame);
    }
    network.run();
    const dropped = events.filter(({ reason }) => reason === "queue full");
    expect(dropped.map(({ frame }) => parseFrame(frame).payload.length)).toEqual([1, 2]);
  });

  test("learns nothing new from what is asked of others", () => {
    const { network, a, send } = routed();
    const request = { operation: 1, senderMac: macA, targetMac: new Uint8Array(6) };
    const addresses = { senderAddress: "10.0.0.1", targetAddress: "10.0.0.77" };
    a.send(frameArp(broadcast, { ...request, ...addresses }));
    network.run();
    send(udpFrame(payload, { ...toB, ttl: 1 }));
    expect(a.asked).toBe(1);
  });

  test("answers for its own address only, probes too, and learns from who asks it", () => {
    const { network, a, b, left, send } = routed();
    const request = { operation: 1, senderMac: macA, targetMac: new Uint8Array(6) };
    const ask = (senderAddress: string, targetAddress: string) => {
      a.send(frameArp(broadcast, { ...request, senderAddress, targetAddress }));
      network.run();
      return a.arrivals.splice(0).map(({ frame }) => parseFrame(frame).arp);
    };
    expect(ask("10.0.0.1", "10.0.0.77")).toEqual([]);
    expect(ask("0.0.0.0", "10.0.0.254")[0]).toMatchObject({ operation: 2, senderMac: left.mac });
    expect(ask("10.0.0.1", "10.0.0.254")[0]).toMatchObject({
      operation: 2,
      senderMac: left.mac,
      targetMac: macA,
    });
    send(udpFrame(payload, { ...toB, ttl: 1 }));
    expect(a.asked).toBe(0);
    expect(b.asked).toBe(0);
  });
});

test("impossible addresses and routes are refused", () => {
  const router = new Router(new Network().scheduler, "r");
  expect(() => router.addInterface({ address: "10.0.0.1/33" })).toThrow(DemibunError);
  expect(() => router.addInterface({ address: "10.0.0/24" })).toThrow('"10.0.0/24" is no prefix');
  router.addInterface({ address: "10.0.0.1/24" });
  expect(() => router.addRoute("10.9.0.0/16", "10.1.0.1")).toThrow("10.1.0.1 is on none of its");
});
