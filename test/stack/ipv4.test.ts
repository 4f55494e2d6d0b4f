/** IPv4 reception and transmission: headers that lie, options, sources, routes, fragments sent. */
import { expect, test } from "bun:test";
import {
  COUNTER_DROP_IP_CHECKSUM,
  COUNTER_DROP_IP_HEADER,
  COUNTER_DROP_OTHER_ADDRESS,
  COUNTER_DROP_PROTOCOL,
  COUNTER_DROP_SOURCE_ADDRESS,
  COUNTER_DROP_TRUNCATED,
  COUNTER_ICMP_ECHO_REPLIES,
  COUNTER_IP_FRAGMENTS_SENT,
  ERRNO_EACCES,
  ERRNO_ENETUNREACH,
  KIND_DATAGRAM,
} from "../../assembly/layout";
import { parseIpv4 } from "../../src/wasm/address";
import { Host } from "./host";
import {
  addressText,
  arpFrame,
  broadcastMac,
  concat,
  echo,
  ethernet,
  type Ipv4Fields,
  icmpFrame,
  ipv4,
  isArp,
  pattern,
  peerAddress,
  protocolIcmp,
  readIpv4,
} from "./packets";

const ping = echo(pattern(24));

function greeted(...options: ConstructorParameters<typeof Host>): Host {
  const host = new Host(...options);
  host.exchange(arpFrame());
  return host;
}

/** Sends pings whose headers differ, and expects each to be dropped by this reason. */
function expectDropped(counter: number, variants: readonly Ipv4Fields[]): void {
  const host = greeted();
  for (const fields of variants) expect(host.exchange(icmpFrame(ping, fields))).toEqual([]);
  expect(host.counter(counter)).toBe(variants.length);
  expect(host.counter(COUNTER_ICMP_ECHO_REPLIES)).toBe(0);
  expect(host.framesOut()).toBe(0);
}

function pushTo(host: Host, qd: number, address: string, contents: Uint8Array): number {
  host.stack.writeAddress(parseIpv4(address, "test"));
  return host.stack.exports.pushTo(qd, host.array(contents), 9);
}

test("header lengths and total lengths that lie are dropped (I01)", () => {
  expectDropped(COUNTER_DROP_IP_HEADER, [
    ...[0, 1, 2, 3, 4].map((headerWords) => ({ headerWords })),
    ...[0, 19, 53, 65535].map((totalLength) => ({ totalLength })),
    { headerWords: 15, totalLength: 59 },
  ]);
});

test("wrong versions are dropped (I06)", () => {
  expectDropped(
    COUNTER_DROP_IP_HEADER,
    [0, 5, 6, 15].map((version) => ({ version })),
  );
});

test("a wrong header checksum is dropped, with and without options (I06)", () => {
  expectDropped(COUNTER_DROP_IP_CHECKSUM, [
    { checksum: 0 },
    { checksum: 0xffff },
    { checksum: 1, options: [1, 1, 1, 1] },
  ]);
});

test("impossible sources are dropped (I06)", () => {
  const sources = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"];
  // Our own address as the source is LAND; the subnet's broadcast address would make a reply one.
  expectDropped(
    COUNTER_DROP_SOURCE_ADDRESS,
    [...sources, "10.0.0.1", "10.0.0.255"].map((source) => ({ source })),
  );
});

test("other hosts' and multicast destinations are dropped", () => {
  expectDropped(
    COUNTER_DROP_OTHER_ADDRESS,
    ["10.0.0.3", "224.0.0.1", "127.0.0.1", "0.0.0.0"].map((destination) => ({ destination })),
  );
});

test("a packet to our address in a broadcast frame is dropped (RFC 1122 section 3.3.6)", () => {
  const host = greeted();
  const packet = ipv4(ping, { protocol: protocolIcmp });
  expect(host.exchange(ethernet(packet, { destination: broadcastMac }))).toEqual([]);
  expect(host.counter(COUNTER_DROP_OTHER_ADDRESS)).toBe(1);
});

test("TCP to a broadcast address is dropped (I06)", () => {
  const host = greeted();
  for (const destination of ["10.0.0.255", "255.255.255.255"]) {
    const packet = ipv4(new Uint8Array(20), { protocol: 6, destination });
    expect(host.exchange(ethernet(packet, { destination: broadcastMac }))).toEqual([]);
  }
  expect(host.counter(COUNTER_DROP_OTHER_ADDRESS)).toBe(2);
});

test("every truncation of a packet is dropped without an answer", () => {
  const host = greeted();
  const frame = icmpFrame(ping);
  for (let length = 14; length < frame.length; length++) {
    expect(host.exchange(frame.subarray(0, length))).toEqual([]);
  }
  expect(host.counter(COUNTER_DROP_TRUNCATED)).toBe(20);
  expect(host.counter(COUNTER_DROP_IP_HEADER)).toBe(frame.length - 34);
  expect(host.framesOut()).toBe(0);
});

test("headers that are cut between frames are dropped", () => {
  const host = greeted();
  const plain = icmpFrame(ping);
  const long = icmpFrame(ping, { options: new Array(40).fill(1) });
  for (const [frame, cut] of [
    [plain, 14],
    [plain, 33],
    [long, 34],
    [long, 73],
  ] as const) {
    expect(host.exchange(frame, { split: [cut] })).toEqual([]);
  }
  expect(host.counter(COUNTER_DROP_TRUNCATED)).toBe(4);
});

test("Ethernet padding behind a packet is cut off (I01)", () => {
  const host = greeted();
  const padded = concat(icmpFrame(echo(pattern(4))), new Uint8Array(14).fill(0xee));
  const [reply] = host.exchange(padded) as [Uint8Array];
  expect(readIpv4(reply).payload.subarray(8)).toEqual(pattern(4));
});

test("padding in frames of its own is cut off", () => {
  const host = greeted();
  const frame = icmpFrame(echo(pattern(4)));
  const padded = concat(frame, new Uint8Array(30));
  const [reply] = host.exchange(padded, { split: [frame.length, 15] }) as [Uint8Array];
  expect(readIpv4(reply).payload.length).toBe(12);
  expect(host.framesOut()).toBe(0);
});

test("harmless options are skipped and not sent back; TTL 0 is accepted (I02, I06)", () => {
  const host = greeted();
  const variants: Ipv4Fields[] = [
    { options: [1, 1, 1, 0] },
    { options: [7, 7, 4, 0, 0, 0, 0, 0] },
    { options: [0x44, 12, 5, 0xf0, 0, 0, 0, 0, 0, 0, 0, 0] },
    { options: [0x94, 4, 0, 0] },
    { options: [0, 255, 255, 255] },
    { options: new Array(40).fill(1) },
    { timeToLive: 0 },
  ];
  for (const fields of variants) {
    const [reply] = host.exchange(icmpFrame(ping, fields)) as [Uint8Array];
    const { payload, source, destination } = readIpv4(reply);
    expect([source, destination]).toEqual(["10.0.0.1", "10.0.0.2"]);
    expect(payload.subarray(8)).toEqual(pattern(24));
  }
});

test("source routes and options whose lengths lie are dropped (I02)", () => {
  const route = [4, 10, 0, 0, 9];
  expectDropped(
    COUNTER_DROP_IP_HEADER,
    [
      [0x83, 7, ...route, 0],
      [0x89, 7, ...route, 0],
      [0x83, 7, 255, 10, 0, 0, 9, 0],
      [0x83, 3, 4, 0],
      [1, 0x83, 7, ...route],
      [0x83, 7, ...route, 0x83, 7, ...route, 0, 0],
      [7, 0, 0, 0],
      [7, 1, 0, 0],
      [7, 5, 0, 0],
      [0x44, 255, 0, 0],
      [1, 1, 1, 7],
    ].map((options) => ({ options })),
  );
});

test("an unknown protocol is answered with protocol unreachable (I05, I06)", () => {
  const host = greeted();
  for (const protocol of [4, 41, 255]) {
    const frame = ethernet(ipv4(pattern(40), { protocol }));
    const [error] = host.exchange(frame) as [Uint8Array];
    const { payload } = readIpv4(error);
    expect([payload[0], payload[1]]).toEqual([3, 2]);
    expect(payload.subarray(8)).toEqual(frame.subarray(14));
  }
  expect(host.counter(COUNTER_DROP_PROTOCOL)).toBe(3);
});

test("off-link destinations go to the gateway, and nowhere without one", () => {
  const host = greeted();
  const qd = host.stack.exports.socket(KIND_DATAGRAM);
  expect(pushTo(host, qd, "192.0.2.1", pattern(1))).toBe(-ERRNO_ENETUNREACH);
  host.stack.setGateway(0, parseIpv4(peerAddress, "test"));
  expect(pushTo(host, qd, "192.0.2.1", pattern(1))).toBeGreaterThan(0);
  const { bytes } = host.sentOne();
  expect(readIpv4(bytes).destination).toBe("192.0.2.1");
  expect(bytes[5]).toBe(2);
});

test("an on-link destination is asked for itself although there is a gateway", () => {
  const host = greeted();
  host.stack.setGateway(0, parseIpv4(peerAddress, "test"));
  const qd = host.stack.exports.socket(KIND_DATAGRAM);
  pushTo(host, qd, "10.0.0.77", pattern(1));
  const { bytes } = host.sentOne();
  expect(isArp(bytes)).toBe(true);
  expect(addressText(bytes, 38)).toBe("10.0.0.77");
});

test("there is no way to ourselves, to groups or to everybody", () => {
  const host = greeted();
  host.stack.setGateway(0, parseIpv4(peerAddress, "test"));
  const qd = host.stack.exports.socket(KIND_DATAGRAM);
  for (const address of ["10.0.0.1", "10.0.0.255", "224.0.0.1", "127.0.0.1", "0.0.0.0"]) {
    expect(pushTo(host, qd, address, pattern(1))).toBe(-ERRNO_ENETUNREACH);
  }
  expect(pushTo(host, qd, "255.255.255.255", pattern(1))).toBe(-ERRNO_EACCES);
  expect(host.sent()).toEqual([]);
});

test("a packet within the MTU is atomic: DF, identification 0 (RFC 6864)", () => {
  const host = greeted();
  const qd = host.stack.exports.socket(KIND_DATAGRAM);
  pushTo(host, qd, peerAddress, pattern(1472));
  const { bytes } = host.sentOne();
  const { fragment, identification, payload } = readIpv4(bytes);
  expect([fragment, identification, payload.length]).toEqual([0x4000, 0, 1480]);
});

test("a packet above the MTU is fragmented, with identifications no one can count by (S22)", () => {
  const host = greeted();
  const qd = host.stack.exports.socket(KIND_DATAGRAM);
  const identifications: number[] = [];
  for (const length of [1473, 2952, 4000, 65507]) {
    expect(pushTo(host, qd, peerAddress, pattern(length))).toBeGreaterThan(0);
    const packets = host.sent().map(({ bytes }) => readIpv4(bytes));
    expect(packets.length).toBe(Math.ceil((length + 8) / 1480));
    packets.forEach(({ fragment, identification }, index) => {
      const more = index < packets.length - 1 ? 0x2000 : 0;
      expect(fragment).toBe(more | (index * 185));
      expect(identification).toBe(packets[0]?.identification as number);
    });
    const whole = concat(...packets.map(({ payload }) => payload));
    expect(whole.subarray(8)).toEqual(pattern(length));
    identifications.push(packets[0]?.identification as number);
  }
  expect(new Set(identifications).size).toBe(identifications.length);
  expect(host.counter(COUNTER_IP_FRAGMENTS_SENT)).toBe(2 + 2 + 3 + 45);
  host.completions();
  expect(host.framesOut()).toBe(0);
});

test("identifications to different hosts do not follow each other", () => {
  const host = greeted();
  const qd = host.stack.exports.socket(KIND_DATAGRAM);
  const first: number[] = [];
  for (let last = 10; last < 26; last++) {
    host.exchange(arpFrame({ sender: `10.0.0.${last}` }));
    pushTo(host, qd, `10.0.0.${last}`, pattern(2000));
    const [bytes] = host.sent().map((packet) => packet.bytes) as [Uint8Array];
    first.push(readIpv4(bytes).identification);
  }
  const steps = first.slice(1).map((value, index) => (value - (first[index] as number)) & 0xffff);
  expect(new Set(steps).size).toBeGreaterThan(12);
});

test("on a link of two addresses the other one is a host, not the broadcast address (RFC 3021)", () => {
  const host = new Host({}, { address: parseIpv4("10.0.0.2", "test"), prefix: 31 });
  const fields = { source: "10.0.0.3", destination: "10.0.0.2" };
  host.exchange(arpFrame({ sender: fields.source, target: fields.destination }));
  const [reply] = host.exchange(icmpFrame(ping, fields)) as [Uint8Array];
  expect(readIpv4(reply).destination).toBe("10.0.0.3");
});
