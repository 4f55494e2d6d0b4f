import { describe, expect, test } from "bun:test";
import { DemibunError } from "../../../src/errors";
import { buildIcmp, buildIcmpError } from "../../../src/packet/build-transport";
import { parseFrame, parseIp } from "../../../src/packet/parse";
import { Link } from "../../../src/sim/network/link";
import { Nat, type NatOptions } from "../../../src/sim/network/nat";
import { Router } from "../../../src/sim/network/router";
import { Switch } from "../../../src/sim/network/switch";
import { Random } from "../../../src/sim/random";
import { ipFrame, macA, macB, tcpFrame, udpFrame } from "./packets";
import { Network } from "./routed";

const payload = Uint8Array.of(9, 8, 7);
const macC = Uint8Array.of(2, 0, 0, 0, 0, 3);
const outside = "203.0.113.1";
const server = "203.0.113.9";

/** a 10.0.0.1, c 10.0.0.3 — router 10.0.0.254 / 203.0.113.1 (NAT) — 203.0.113.9 server b */
function translated(options: Partial<NatOptions> = {}) {
  const network = new Network();
  const { scheduler } = network;
  const router = new Router(scheduler, "router");
  const left = router.addInterface({ address: "10.0.0.254/24" });
  const right = router.addInterface({ address: `${outside}/24` });
  const bridge = new Switch(scheduler, "switch");
  new Link({ scheduler, random: new Random(1) }, left, bridge);
  const a = network.host("a", "10.0.0.1", macA, bridge);
  const c = network.host("c", "10.0.0.3", macC, bridge);
  const b = network.host("b", server, macB, right);
  const [, , link] = network.links;
  if (link === undefined) throw new Error("no link");
  const nat = new Nat(link, { outside, inside: "b", portMin: 5000, ...options });
  const send = (host: typeof a, frame: Uint8Array) => {
    frame.set(host === b ? right.mac : left.mac, 0);
    frame.set(host.mac, 6);
    host.send(frame);
    network.run();
  };
  return { network, a, b, c, nat, send };
}

const out = { source: "10.0.0.1", destination: server };
const back = { source: server, destination: outside };

describe("NAT", () => {
  test("translates there and back, with all checksums right", () => {
    const { a, b, c, nat, send } = translated();
    for (const make of [tcpFrame, udpFrame]) {
      send(a, make(payload, out));
      send(c, make(payload, { ...out, source: "10.0.0.3" }));
    }
    const seen = b.packets.map(({ ip, tcp, udp }) => [ip?.source, (tcp ?? udp)?.sourcePort]);
    expect(seen).toEqual([
      [outside, 5000],
      [outside, 5001],
      [outside, 5002],
      [outside, 5003],
    ]);
    expect(nat.mappings).toBe(4);
    send(b, tcpFrame(payload, { ...back, tcp: { sourcePort: 2000, destinationPort: 5001 } }));
    const [packet] = c.packets.slice(-1);
    expect(packet?.ip).toMatchObject({ source: server, destination: "10.0.0.3" });
    expect(packet?.tcp).toMatchObject({ sourcePort: 2000, destinationPort: 1000 });
    expect(packet?.payload).toEqual(payload);
    expect([...b.packets, ...c.packets].flatMap(({ problems }) => problems)).toEqual([]);
  });

  test("keeps a mapping, whoever the inside speaks to", () => {
    const { a, b, send, nat } = translated();
    send(a, udpFrame(payload, out));
    send(a, udpFrame(payload.subarray(1), out));
    expect(b.packets.map(({ udp }) => udp?.sourcePort)).toEqual([5000, 5000]);
    expect(nat.mappings).toBe(1);
  });

  test("leaves a datagram's missing checksum missing", () => {
    const { a, b, send } = translated();
    const bare = udpFrame(payload, out);
    bare.fill(0, 40, 42);
    send(a, bare);
    expect(b.packets[0]?.udp?.checksum).toBe(0);
    expect(b.packets[0]?.problems).toEqual([]);
  });

  test("translates pings by their identifier", () => {
    const { a, b, send } = translated();
    const ping = buildIcmp({ type: 8, code: 0, rest: 0x00070001 }, payload);
    send(a, ipFrame(ping, { ...out, protocol: 1 }));
    expect(b.packets[0]?.icmp).toMatchObject({ type: 8, rest: 5000 * 65536 + 1 });
    const answer = buildIcmp({ type: 0, code: 0, rest: 5000 * 65536 + 1 }, payload);
    send(b, ipFrame(answer, { ...back, protocol: 1 }));
    const [packet] = a.packets;
    expect(packet?.icmp).toMatchObject({ type: 0, rest: 0x00070001 });
    expect(packet?.problems).toEqual([]);
  });

  test("brings ICMP errors to whom they concern, with their own packet inside", () => {
    const { a, b, send } = translated();
    for (const make of [tcpFrame, udpFrame]) send(a, make(payload, out));
    b.arrivals.slice().forEach(({ frame }) => {
      const error = buildIcmpError(3, 4, 1200, frame.subarray(14));
      send(b, ipFrame(error, { ...back, protocol: 1 }));
    });
    expect(a.packets.length).toBe(2);
    for (const { icmp, ip, problems, payload: quoted } of a.packets) {
      expect(problems).toEqual([]);
      expect(icmp).toMatchObject({ type: 3, code: 4, rest: 1200 });
      expect(ip).toMatchObject({ source: server, destination: "10.0.0.1" });
      const inner = parseIp(quoted, { quoted: true });
      expect(inner.ip).toMatchObject(out);
      expect((inner.tcp ?? inner.udp)?.sourcePort).toBe(1000);
      const headerProblems = parseIp(quoted).problems.filter((text) => text.includes("IPv4"));
      expect(headerProblems).toEqual([]);
    }
  });

  test("what nobody inside asked for ends at the router", () => {
    const { a, b, c, send } = translated();
    send(b, udpFrame(payload, back));
    expect([...a.packets, ...c.packets]).toEqual([]);
    // The address is the router's own: it says that the port is closed.
    expect(b.packets[0]?.icmp).toMatchObject({ type: 3, code: 3 });
  });

  test("forgets idle mappings and gives their ports to others", () => {
    const { network, a, b, c, nat, send } = translated({ portMax: 5000, idleMs: 1000 });
    send(a, udpFrame(payload, out));
    send(c, udpFrame(payload, { ...out, source: "10.0.0.3" }));
    expect(nat.refused).toBe(1);
    network.scheduler.advance(network.scheduler.nowNs + 2e9);
    send(c, udpFrame(payload, { ...out, source: "10.0.0.3" }));
    expect(b.packets.length).toBe(2);
    expect(nat.mappings).toBe(1);
    const reply = udpFrame(payload, back);
    const view = new DataView(reply.buffer);
    view.setUint16(36, 5000);
    view.setUint16(40, 0);
    send(b, reply);
    expect(c.packets[0]?.udp?.destinationPort).toBe(1000);
    expect(a.packets).toEqual([]);
  });

  test("keeps what is used, from either side", () => {
    const { network, a, b, send } = translated({ idleMs: 1000 });
    const wait = () => network.scheduler.advance(network.scheduler.nowNs + 800e6);
    const answer = () =>
      send(b, tcpFrame(payload, { ...back, tcp: { destinationPort: 5000, sourcePort: 2000 } }));
    const ask = () => send(a, tcpFrame(payload, out));
    for (const step of [ask, ask, ask, answer, answer, answer, ask]) {
      step();
      wait();
    }
    expect(b.packets.map(({ tcp }) => tcp?.sourcePort)).toEqual([5000, 5000, 5000, 5000]);
    expect(a.packets.length).toBe(3);
  });

  test("a mapping made anew is its own, whatever becomes of the old one's port", () => {
    const { network, a, c, nat, send } = translated({ portMax: 5001, idleMs: 1000 });
    send(a, udpFrame(payload, out));
    network.scheduler.advance(network.scheduler.nowNs + 2e9);
    send(a, udpFrame(payload, out));
    send(c, udpFrame(payload, { ...out, source: "10.0.0.3" }));
    expect(nat.mappings).toBe(2);
    expect(nat.refused).toBe(0);
  });

  test("drops what it cannot translate, and leaves other frames alone", () => {
    const { a, b, nat, send } = translated();
    send(a, udpFrame(payload, { ...out, fragmentOffset: 80 }));
    send(a, ipFrame(payload, { ...out, protocol: 47 }));
    expect(nat.refused).toBe(2);
    expect(b.packets).toEqual([]);
    nat[Symbol.dispose]();
    send(a, udpFrame(payload, out));
    expect(parseFrame(b.arrivals[0]?.frame as Uint8Array).ip?.source).toBe("10.0.0.1");
  });

  test("ports that are none are refused", () => {
    expect(() => translated({ portMin: 9, portMax: 8 })).toThrow(DemibunError);
    expect(() => translated({ portMax: 65536 })).toThrow("5000 to 65536 is no range of ports");
  });
});
