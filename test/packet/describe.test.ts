import { expect, test } from "bun:test";
import { buildEthernet, buildIpv4, buildIpv6, frameArp } from "../../src/packet/build";
import { buildIcmp, buildIcmpError, buildTcp, buildUdp } from "../../src/packet/build-transport";
import { describePacket } from "../../src/packet/describe";
import { parseFrame, parseIp } from "../../src/packet/parse";
import { TCP_ACK, TCP_PSH, TCP_SYN, TCP_URG, type TcpOption } from "../../src/packet/types";

const ends = { source: "10.0.0.1", destination: "10.0.0.2" };
const ends6 = { source: "2001:db8::1", destination: "2001:db8::2" };
const ports = { sourcePort: 80, destinationPort: 1234 };
const nothing = new Uint8Array(0);

function line(packet: Uint8Array): string {
  return describePacket(parseIp(packet));
}

function synAck(options: readonly TcpOption[]): Uint8Array {
  const fields = { ...ports, flags: TCP_SYN | TCP_ACK, acknowledgment: 1, options };
  return buildIpv4({ ...ends, protocol: 6 }, buildTcp(fields, nothing, ends));
}

test("TCP", () => {
  const options = [
    { kind: "mss", mss: 1460 },
    { kind: "nop" },
    { kind: "wscale", shift: 7 },
  ] as const;
  expect(line(synAck(options))).toBe(
    "10.0.0.1:80 > 10.0.0.2:1234 S. seq 0 ack 1 win 65535 <mss 1460,nop,wscale 7>",
  );
  const fields = { ...ports, flags: TCP_PSH | TCP_URG, sequence: 0xffffffff, urgentPointer: 3 };
  const segment = buildTcp(fields, new Uint8Array(10), ends6);
  expect(line(buildIpv6({ ...ends6, protocol: 6, trafficClass: 3 }, segment))).toBe(
    "[2001:db8::1]:80 > [2001:db8::2]:1234 PU seq 4294967295:9(10) win 65535 urg 3 CE",
  );
  const bare = buildIpv4({ ...ends, protocol: 6 }, buildTcp(ports, nothing, ends));
  expect(line(bare)).toContain(" none seq 0 win 65535");
});

test("TCP options", () => {
  const texts: readonly (readonly [string, ...TcpOption[]])[] = [
    ["sackOK,nop,eol", { kind: "sackOK" }, { kind: "nop" }, { kind: "eol" }],
    ["TS val 1 ecr 2,eol", { kind: "timestamp", value: 1, echo: 2 }, { kind: "eol" }],
    [
      "sack 1:2 3:4,eol",
      {
        kind: "sack",
        blocks: [
          { left: 1, right: 2 },
          { left: 3, right: 4 },
        ],
      },
      { kind: "eol" },
    ],
    ["FO,eol", { kind: "fastopen", cookie: nothing, experimental: false }, { kind: "eol" }],
    ["FOEXP 01020304", { kind: "fastopen", cookie: Uint8Array.of(1, 2, 3, 4), experimental: true }],
    [
      `md5 ${"ab".repeat(16)},eol`,
      { kind: "md5", digest: new Uint8Array(16).fill(0xab) },
      { kind: "eol" },
    ],
    [
      "AccECN1 1 70000,option 77 ff,eol",
      { kind: "accecn", order: 1, counters: [1, 70000] },
      { kind: "unknown", number: 77, bytes: Uint8Array.of(255) },
      { kind: "eol" },
    ],
  ];
  for (const [text, ...options] of texts) expect(line(synAck(options))).toEndWith(` <${text}>`);
});

test("UDP, other protocols and fragments", () => {
  const udp = buildUdp(ports, new Uint8Array(5), ends);
  expect(line(buildIpv4({ ...ends, protocol: 17 }, udp))).toBe(
    "10.0.0.1:80 > 10.0.0.2:1234 UDP length 5",
  );
  const fields = {
    ...ends,
    protocol: 47,
    identification: 9,
    fragmentOffset: 16,
    moreFragments: true,
  };
  expect(line(buildIpv4(fields, new Uint8Array(8)))).toBe(
    "10.0.0.1 > 10.0.0.2 protocol 47 length 8 fragment 9 at 16+",
  );
});

test("ICMP", () => {
  const echo = buildIcmp({ type: 8, code: 0, rest: 0x10002 }, new Uint8Array(56));
  expect(line(buildIpv4({ ...ends, protocol: 1 }, echo))).toBe(
    "10.0.0.1 > 10.0.0.2 ICMP echo request id 1 seq 2 length 56",
  );
  const offending = buildIpv4(
    { ...ends, protocol: 6 },
    buildTcp({ ...ports, sequence: 7 }, nothing, ends),
  );
  expect(line(buildIpv4({ ...ends, protocol: 1 }, buildIcmpError(3, 4, 1400, offending)))).toBe(
    "10.0.0.1 > 10.0.0.2 ICMP unreachable: fragmentation needed, mtu 1400 " +
      "about 10.0.0.1:80 > 10.0.0.2:1234 TCP seq 7",
  );
  const addresses = ends6;
  const udp = buildIpv6({ ...ends6, protocol: 17 }, buildUdp(ports, nothing, ends6));
  const tooBig = buildIcmpError(2, 0, 1280, udp, { addresses });
  expect(line(buildIpv6({ ...ends6, protocol: 58 }, tooBig))).toBe(
    "2001:db8::1 > 2001:db8::2 ICMPv6 packet too big, mtu 1280 " +
      "about [2001:db8::1]:80 > [2001:db8::2]:1234 UDP",
  );
});

test("ARP, other frames and what is wrong", () => {
  const arp = {
    operation: 1,
    senderMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
    senderAddress: "10.0.0.1",
    targetMac: new Uint8Array(6),
    targetAddress: "10.0.0.2",
  };
  const broadcast = new Uint8Array(6).fill(255);
  expect(describePacket(parseFrame(frameArp(broadcast, arp)))).toBe(
    "ARP who-has 10.0.0.2 tell 10.0.0.1",
  );
  expect(describePacket(parseFrame(frameArp(broadcast, { ...arp, operation: 2 })))).toBe(
    "ARP 10.0.0.1 is-at 02:00:00:00:00:01",
  );
  const frame = buildEthernet(
    { source: arp.senderMac, destination: broadcast, type: 0x88b5 },
    nothing,
  );
  expect(describePacket(parseFrame(frame))).toBe(
    "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff type 0x88b5 length 0",
  );
  const cut = parseIp(synAck([]).subarray(0, 39));
  expect(describePacket(cut)).toBe(
    "10.0.0.1 > 10.0.0.2 protocol 6 length 19 [IPv4 total length is 40 but only 39 bytes are here; " +
      "TCP header needs 20 bytes but only 19 are here]",
  );
});
