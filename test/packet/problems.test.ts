/** Every way in which a packet can be wrong is told in words, and nothing makes the parser throw. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { buildEthernet, buildIpv4, buildIpv6, frameIp } from "../../src/packet/build";
import { buildIcmp, buildTcp, buildUdp, type TcpFields } from "../../src/packet/build-transport";
import { describePacket } from "../../src/packet/describe";
import { parseFrame, parseIp } from "../../src/packet/parse";

const ends = { source: "10.0.0.1", destination: "10.0.0.2" };
const ends6 = { source: "2001:db8::1", destination: "2001:db8::2" };
const macs = { source: new Uint8Array(6).fill(2), destination: new Uint8Array(6).fill(4) };
const ports = { sourcePort: 80, destinationPort: 4000 };
const nothing = new Uint8Array(0);
const data = new Uint8Array(100).fill(7);

function ip4(protocol: number, contents: Uint8Array, fields: object = {}): Uint8Array {
  return buildIpv4({ ...ends, protocol, ...fields }, contents);
}

function ip6(protocol: number, contents: Uint8Array, fields: object = {}): Uint8Array {
  return buildIpv6({ ...ends6, protocol, ...fields }, contents);
}

function tcp(fields: Partial<TcpFields>, contents = nothing): Uint8Array {
  return ip4(6, buildTcp({ ...ports, ...fields }, contents, ends));
}

function options(...bytes: number[]): Uint8Array {
  return tcp({ optionBytes: Uint8Array.from(bytes) });
}

/** Its checksum is right. */
function withReservedFlag(): Uint8Array {
  const packet = ip4(253, nothing, { checksum: 0xe5ea });
  packet[6] = 0x80;
  return packet;
}

/** Of IP packets. */
const mistakes: readonly (readonly [Uint8Array, ...string[]])[] = [
  [nothing, "IP header is missing"],
  [Uint8Array.of(0x50), "IP version is 5"],
  [Uint8Array.of(0x45, 0, 0), "IPv4 header needs 20 bytes but only 3 are here"],
  [ip4(253, nothing, { headerLength: 24 }), "IPv4 header needs 24 bytes but only 20 are here"],
  [ip4(253, data, { headerLength: 16 }), "IPv4 header length is 16, less than 20"],
  [
    ip4(253, data, { totalLength: 12 }),
    "IPv4 total length is 12, less than the header's",
    "108 bytes stand behind the end of the IP packet",
  ],
  [ip4(253, data, { totalLength: 121 }), "IPv4 total length is 121 but only 120 bytes are here"],
  [ip4(253, data, { totalLength: 110 }), "10 bytes stand behind the end of the IP packet"],
  [ip4(253, nothing, { checksum: 1 }), "IPv4 header checksum is 0x0001, should be 0x65eb"],
  [withReservedFlag(), "IPv4 reserved flag is set"],
  [ip4(253, nothing, { options: Uint8Array.of(7, 1) }), "IPv4 option 7 has length 1"],
  [ip4(253, nothing, { options: Uint8Array.of(1, 1, 1, 7) }), "IPv4 option 7 has length 0"],
  [
    ip4(253, nothing, { options: Uint8Array.of(7, 5) }),
    "IPv4 option 7 of 5 bytes reaches behind the header",
  ],
  [
    ip4(253, data, { moreFragments: true }),
    "IPv4 fragment of 100 bytes is not the last but no multiple of 8",
  ],
  [ip4(253, data, { fragmentOffset: 65528 }), "IPv4 fragment ends behind 65535 bytes"],
  [Uint8Array.of(0x60, 0), "IPv6 header needs 40 bytes but only 2 are here"],
  [ip6(253, data, { payloadLength: 99 }), "1 bytes stand behind the end of the IP packet"],
  [ip6(253, data, { payloadLength: 101 }), "IPv6 payload length is 101 but only 100 bytes follow"],
  [ip6(0, Uint8Array.of(6, 1, 0, 0, 0, 0, 0, 0)), "IPv6 extension header 0 is cut off"],
  [ip6(60, Uint8Array.of(6, 0)), "IPv6 extension header 60 is cut off"],
  [
    ip6(60, Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0, 59, 0, 1, 4, 0, 0, 0, 0)),
    "IPv6 hop-by-hop options do not come first",
  ],
  [
    ip6(253, data, { fragment: { identification: 1, offset: 8, moreFragments: true } }),
    "IPv6 fragment of 100 bytes is not the last but no multiple of 8",
  ],
  [
    ip6(253, data, { fragment: { identification: 1, offset: 65528, moreFragments: false } }),
    "IPv6 fragment ends behind 65535 bytes",
  ],
  [ip4(6, new Uint8Array(19)), "TCP header needs 20 bytes but only 19 are here"],
  [tcp({ headerLength: 24 }), "TCP header needs 24 bytes but only 20 are here"],
  [tcp({ headerLength: 16 }), "TCP header length is 16, less than 20"],
  [tcp({ checksum: 0x1234 }, data), "TCP checksum is 0x1234, should be 0x2c2f"],
  [options(2, 3, 1, 0), "TCP option 2 has length 3"],
  [options(3, 0, 0, 0), "TCP option 3 has length 0"],
  [options(1, 1, 1, 8), "TCP option 8 has no length"],
  [options(8, 10, 0, 0), "TCP option 8 of 10 bytes reaches behind the header"],
  [options(0, 0, 1, 0), "TCP options are padded with other bytes than zeros"],
  [options(5, 4, 0, 0), "TCP option 5 has length 4"],
  [options(34, 4, 1, 2), "TCP Fast Open cookie has 2 bytes"],
  [ip4(17, new Uint8Array(7)), "UDP header needs 8 bytes but only 7 are here"],
  [ip4(17, buildUdp({ ...ports, length: 7 }, data, ends)), "UDP length is 7, less than 8"],
  [
    ip4(17, buildUdp({ ...ports, length: 120, checksum: 0 }, data, ends)),
    "UDP length is 120 but 108 bytes are in the packet",
  ],
  [
    ip4(17, buildUdp({ ...ports, checksum: 1 }, data, ends)),
    "UDP checksum is 0x0001, should be 0x7bc4",
  ],
  [
    ip6(17, buildUdp({ ...ports, checksum: 0 }, data, ends6)),
    "UDP checksum is 0, which IPv6 does not allow",
  ],
  [ip4(1, new Uint8Array(4)), "ICMP header needs 8 bytes but only 4 are here"],
  [ip6(58, new Uint8Array(4)), "ICMPv6 header needs 8 bytes but only 4 are here"],
  [
    ip4(1, buildIcmp({ type: 8, code: 0, checksum: 1 }, nothing)),
    "ICMP checksum is 0x0001, should be 0xf7ff",
  ],
  [
    ip6(58, buildIcmp({ type: 128, code: 0, checksum: 2 }, nothing, ends6)),
    "ICMPv6 checksum is 0x0002, should be 0x2448",
  ],
];

test.each(mistakes.map((mistake) => [mistake[1], mistake] as const))("%s", (_, mistake) => {
  const [packet, ...problems] = mistake;
  expect(parseIp(packet).problems).toEqual(problems);
});

test("a reserved flag of IPv4 is wrong though the checksum is right", () => {
  expect(parseIp(withReservedFlag(), { checksums: false }).problems).toEqual([]);
});

test("frames that are too short, or whose type and version differ", () => {
  expect(parseFrame(new Uint8Array(13)).problems).toEqual([
    "Ethernet header needs 14 bytes but only 13 are here",
  ]);
  const mixed = buildEthernet({ ...macs, type: 0x86dd }, ip4(253, nothing));
  expect(parseFrame(mixed).problems).toEqual(["Ethernet type is 0x86dd but the IP version is 4"]);
  const empty = buildEthernet({ ...macs, type: 0x0800 }, nothing);
  expect(parseFrame(empty).problems).toEqual(["IPv4 header needs 20 bytes but only 0 are here"]);
});

test("ARP for something else", () => {
  const short = buildEthernet({ ...macs, type: 0x0806 }, new Uint8Array(27));
  expect(parseFrame(short).problems).toEqual(["ARP needs 28 bytes but only 27 are here"]);
  const foreign = buildEthernet({ ...macs, type: 0x0806 }, new Uint8Array(28));
  expect(parseFrame(foreign).problems).toEqual(["ARP is not for Ethernet and IPv4"]);
  expect(parseFrame(foreign).arp).toBeUndefined();
});

test("a frame longer than Ethernet's shortest has nothing behind its packet", () => {
  const packet = new Uint8Array(47);
  packet.set(ip4(253, nothing));
  expect(parseFrame(frameIp(macs, packet)).problems).toEqual([
    "27 bytes stand behind the end of the IP packet",
  ]);
  expect(parseFrame(frameIp(macs, packet.subarray(0, 46))).problems).toEqual([]);
});

test("checksums are left alone on request", () => {
  expect(parseIp(tcp({ checksum: 0x1234 }, data), { checksums: false }).problems).toEqual([]);
});

test("an option of the wrong length keeps its bytes", () => {
  expect(parseIp(options(2, 3, 9, 0)).tcp?.options).toEqual([
    { kind: "unknown", number: 2, bytes: Uint8Array.of(9) },
    { kind: "eol" },
  ]);
});

const samples = [
  tcp({ options: [{ kind: "mss", mss: 1460 }, { kind: "sackOK" }, { kind: "nop" }] }, data),
  ip4(17, buildUdp(ports, data, ends)),
  ip4(1, buildIcmp({ type: 3, code: 3 }, tcp({}))),
  ip6(6, buildTcp({ ...ports, options: [{ kind: "timestamp", value: 1, echo: 2 }] }, data, ends6)),
  ip6(58, buildIcmp({ type: 1, code: 4 }, ip6(17, buildUdp(ports, data, ends6)), ends6)),
  ip6(0, Uint8Array.of(43, 0, 1, 4, 0, 0, 0, 0, 44, 0, 2, 0, 0, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0, 9)),
].map((packet) => frameIp(macs, packet));

/** Parses and describes in every way; what comes out has to hold together. */
function read(frame: Uint8Array): void {
  for (const settings of [{}, { checksums: false }, { quoted: true }]) {
    for (const packet of [parseFrame(frame, settings), parseIp(frame, settings)]) {
      expect(packet.payload.length).toBeLessThanOrEqual(frame.length);
      expect(describePacket(packet)).toBeString();
    }
  }
}

test("random bytes never throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), read), { numRuns: 1000 });
});

test("samples with changed bytes and cut anywhere never throw", () => {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(change, { maxLength: 4 }),
      fc.option(fc.nat(200)),
      (sample, changes, cut) => {
        const frame = sample.slice(0, cut ?? sample.length);
        for (const [at, value] of changes) frame[at % frame.length] = value;
        read(frame);
      },
    ),
    { numRuns: 2000 },
  );
});

test("every flipped bit of a packet over IPv4 is found", () => {
  for (const sample of samples.slice(0, 3)) {
    for (let bit = 14 * 8; bit < sample.length * 8; bit++) {
      const frame = sample.slice();
      frame[bit >> 3] = (frame[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(parseFrame(frame).problems, `bit ${bit}`).not.toEqual([]);
    }
  }
});

test("every cut of a packet is found", () => {
  for (const sample of samples) {
    for (let length = 0; length < sample.length; length++) {
      // Below Ethernet's shortest frame the header alone decides, and it says more than is here.
      expect(parseFrame(sample.subarray(0, length)).problems, `${length} bytes`).not.toEqual([]);
    }
  }
});

test("more options than a header holds are refused, not cut", () => {
  const options = [{ kind: "unknown", number: 253, bytes: new Uint8Array(40) }] as const;
  const build = () =>
    buildTcp({ sourcePort: 1, destinationPort: 2, options }, new Uint8Array(0), {
      source: "10.0.0.1",
      destination: "10.0.0.2",
    });
  expect(build).toThrow("its options take 42 bytes, and a header has room for 40");
});
