/** What the builders write, the parser reads back, field by field. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { buildEthernet, buildIpv4, buildIpv6, frameArp, frameIp } from "../../src/packet/build";
import {
  type Addresses,
  buildIcmp,
  buildIcmpError,
  buildTcp,
  buildUdp,
} from "../../src/packet/build-transport";
import { parseFrame, parseIp } from "../../src/packet/parse";
import {
  addresses,
  addresses4,
  addresses6,
  icmpFields,
  ipv4Fields,
  ipv6,
  ipv6Fields,
  mac,
  payload,
  tcpFields,
  udpFields,
} from "./arbitraries";

function buildIp(ends: Addresses, protocol: number, contents: Uint8Array): Uint8Array {
  const build = ends.source.includes(":") ? buildIpv6 : buildIpv4;
  return build({ ...ends, protocol }, contents);
}

test("Ethernet and IPv4", () => {
  fc.assert(
    fc.property(
      mac,
      mac,
      addresses4,
      ipv4Fields,
      payload,
      (source, destination, ends, fields, data) => {
        const frame = frameIp({ source, destination }, buildIpv4({ ...ends, ...fields }, data));
        const packet = parseFrame(frame);
        expect(packet.problems).toEqual([]);
        expect(packet.ethernet).toEqual({ source, destination, type: 0x0800 });
        const lengths = { headerLength: 20, totalLength: 20 + data.length };
        expect(packet.ip).toMatchObject({ version: 4, ...ends, ...fields, ...lengths });
        expect(packet.payload).toEqual(data);
      },
    ),
  );
});

test("Ethernet's padding is not payload", () => {
  const ends = { source: "10.0.0.1", destination: "10.0.0.2" };
  const ip = buildIpv4({ ...ends, protocol: 253 }, Uint8Array.of(1, 2, 3));
  const contents = new Uint8Array(46);
  contents.set(ip);
  const macs = { source: new Uint8Array(6), destination: new Uint8Array(6) };
  const packet = parseFrame(buildEthernet({ ...macs, type: 0x0800 }, contents));
  expect(packet.problems).toEqual([]);
  expect(packet.payload).toEqual(Uint8Array.of(1, 2, 3));
});

test("IPv4 options are skipped and fragments told", () => {
  const ends = { source: "10.0.0.1", destination: "10.0.0.2", protocol: 17 };
  const options = Uint8Array.of(1, 7, 3, 4, 0);
  const fragment = { identification: 7, moreFragments: true, fragmentOffset: 1480 };
  const packet = parseIp(buildIpv4({ ...ends, ...fragment, options }, new Uint8Array(16)));
  expect(packet.problems).toEqual([]);
  expect(packet.ip).toMatchObject({ headerLength: 28, totalLength: 44, ...fragment });
  // Not the first fragment: its bytes are no UDP header.
  expect(packet.udp).toBeUndefined();
  expect(packet.payload).toHaveLength(16);
});

test("the first fragment's header is read, its checksum is not verified", () => {
  const ends = { source: "10.0.0.1", destination: "10.0.0.2" };
  const whole = buildUdp({ sourcePort: 1, destinationPort: 2 }, new Uint8Array(100).fill(9), ends);
  const fields = { ...ends, protocol: 17, moreFragments: true };
  const packet = parseIp(buildIpv4(fields, whole.subarray(0, 56)));
  expect(packet.problems).toEqual([]);
  expect(packet.udp).toMatchObject({ sourcePort: 1, destinationPort: 2, length: 108 });
  expect(packet.payload).toEqual(new Uint8Array(48).fill(9));
});

test("ARP", () => {
  const address = fc.ipV4();
  fc.assert(
    fc.property(fc.constantFrom(1, 2), mac, address, mac, address, (operation, from, a, to, b) => {
      const arp = {
        operation,
        senderMac: from,
        senderAddress: a,
        targetMac: to,
        targetAddress: b,
      };
      const packet = parseFrame(frameArp(to, arp));
      expect(packet.problems).toEqual([]);
      expect(packet.ethernet).toEqual({ source: from, destination: to, type: 0x0806 });
      expect(packet.arp).toEqual(arp);
    }),
  );
});

test("IPv6, with a fragment header and without", () => {
  const u32 = fc.nat(0xffffffff);
  const fragment = fc.option(fc.record({ identification: u32, offset: fc.constant(0) }));
  fc.assert(
    fc.property(addresses6, ipv6Fields, fragment, payload, (ends, fields, part, data) => {
      const extra = part === null ? {} : { fragment: { ...part, moreFragments: false } };
      const packet = parseIp(buildIpv6({ ...ends, ...fields, ...extra }, data));
      expect(packet.problems).toEqual([]);
      const headerLength = part === null ? 40 : 48;
      const totalLength = headerLength + data.length;
      const version = 6;
      expect(packet.ip).toEqual({
        version,
        ...ends,
        ...fields,
        ...extra,
        headerLength,
        totalLength,
      });
      expect(packet.payload).toEqual(data);
    }),
  );
});

test("IPv6 extension headers are passed over, a routed packet's checksum is not verified", () => {
  const ends = { source: "2001:db8::1", destination: "2001:db8::2" };
  const udp = buildUdp(
    { sourcePort: 1, destinationPort: 2, checksum: 0xbad },
    Uint8Array.of(5),
    ends,
  );
  // Hop-by-hop, then a routing header of type 2 with one segment left, then UDP.
  const hopByHop = [43, 0, 1, 4, 0, 0, 0, 0];
  const routing = [17, 2, 2, 1, 0, 0, 0, 0, ...new Array<number>(16).fill(0xfe)];
  const contents = Uint8Array.from([...hopByHop, ...routing, ...udp]);
  const packet = parseIp(buildIpv6({ ...ends, protocol: 0 }, contents));
  expect(packet.problems).toEqual([]);
  expect(packet.ip).toMatchObject({ protocol: 17, headerLength: 72 });
  expect(packet.udp).toMatchObject({ sourcePort: 1, length: 9 });
});

test("TCP with every option over IPv4 and IPv6", () => {
  fc.assert(
    fc.property(addresses, tcpFields, payload, (ends, fields, data) => {
      const packet = parseIp(buildIp(ends, 6, buildTcp(fields, data, ends)));
      expect(packet.problems).toEqual([]);
      expect(packet.tcp).toMatchObject(fields);
      expect(packet.tcp?.options).toEqual(fields.options);
      expect(packet.tcp?.headerLength).toBe(20 + (packet.tcp?.optionBytes.length ?? 0));
      expect(packet.payload).toEqual(data);
    }),
    { numRuns: 500 },
  );
});

test("option bytes go through as they are", () => {
  const ends = { source: "10.0.0.1", destination: "10.0.0.2" };
  const optionBytes = Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);
  const tcp = buildTcp({ sourcePort: 1, destinationPort: 2, optionBytes }, new Uint8Array(0), ends);
  expect(parseIp(buildIp(ends, 6, tcp)).tcp?.optionBytes).toEqual(optionBytes);
});

test("UDP over IPv4 and IPv6", () => {
  fc.assert(
    fc.property(addresses, udpFields, payload, (ends, fields, data) => {
      const packet = parseIp(buildIp(ends, 17, buildUdp(fields, data, ends)));
      expect(packet.problems).toEqual([]);
      expect(packet.udp).toMatchObject({ ...fields, length: data.length + 8 });
      expect(packet.udp?.checksum).not.toBe(0);
      expect(packet.payload).toEqual(data);
    }),
  );
});

test("a UDP checksum that comes out as zero is sent as all ones", () => {
  const ends = { source: "10.0.0.1", destination: "10.0.0.2" };
  const ports = { sourcePort: 7, destinationPort: 9 };
  const first = buildUdp(ports, Uint8Array.of(0, 0), ends);
  // The old checksum as payload makes the new sum complete.
  const packet = parseIp(buildIp(ends, 17, buildUdp(ports, first.subarray(6, 8), ends)));
  expect(packet.udp?.checksum).toBe(0xffff);
  expect(packet.problems).toEqual([]);
});

test("ICMP over IPv4 and IPv6", () => {
  fc.assert(
    fc.property(addresses, icmpFields, payload, (ends, fields, data) => {
      const protocol = ends.source.includes(":") ? 58 : 1;
      const packet = parseIp(buildIp(ends, protocol, buildIcmp(fields, data, ends)));
      expect(packet.problems).toEqual([]);
      expect(packet.icmp).toMatchObject(fields);
      expect(packet.payload).toEqual(data);
    }),
  );
});

test("an ICMP error quotes eight bytes or what fits; ports and sequence are read from it", () => {
  const ends = { source: "10.0.0.1", destination: "10.0.0.2" };
  const segment = { sourcePort: 80, destinationPort: 4000, sequence: 0xdeadbeef };
  const offending = buildIp(ends, 6, buildTcp(segment, new Uint8Array(1000), ends));
  for (const [quote, length] of [
    ["minimal", 28],
    ["full", 548],
  ] as const) {
    const icmp = buildIcmpError(3, 4, 1400, offending, { quote });
    const packet = parseIp(buildIp(ends, 1, icmp));
    expect(packet.problems).toEqual([]);
    expect(packet.icmp).toMatchObject({ type: 3, code: 4, rest: 1400 });
    expect(packet.payload).toEqual(offending.subarray(0, length));
    const quoted = parseIp(packet.payload, { quoted: true });
    expect(quoted.problems).toEqual([]);
    expect(quoted.tcp).toMatchObject(segment);
    expect(quoted.ip).toMatchObject({ ...ends, totalLength: 1040 });
  }
});

test("an ICMPv6 error is no longer than 1,280 bytes", () => {
  fc.assert(
    fc.property(ipv6, ipv6, fc.integer({ min: 0, max: 3000 }), (source, destination, length) => {
      const ends = { source, destination };
      const udp = buildUdp({ sourcePort: 1, destinationPort: 2 }, new Uint8Array(length), ends);
      const offending = buildIp(ends, 17, udp);
      const icmp = buildIcmpError(2, 0, 1280, offending, { quote: "minimal", addresses: ends });
      const error = buildIp(ends, 58, icmp);
      expect(error).toHaveLength(Math.min(1280, 48 + offending.length));
      expect(parseIp(error).problems).toEqual([]);
    }),
  );
});
