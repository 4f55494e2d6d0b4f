/** Every form of a packet and what it is read as. */
import { describe, expect, test } from "bun:test";
import { icmpNames, icmpNumbers } from "../../../src/packetdrill/language/icmp-names";
import {
  TCP_ACK,
  TCP_AE,
  TCP_CWR,
  TCP_ECE,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
} from "../../../src/packet/types";
import { packet } from "./reading";

const ack0 = { kind: "tcp", flags: TCP_ACK, sequence: 0, length: 0, options: [] } as const;

describe("TCP", () => {
  test.each([
    ["S 0:0(0)", { flags: TCP_SYN, sequence: 0, length: 0 }],
    ["S. 0:0(0) ack 1", { flags: TCP_SYN | TCP_ACK, acknowledgment: 1 }],
    ["SEW 0:0(0)", { flags: TCP_SYN | TCP_ECE | TCP_CWR }],
    ["SAEW 0:0(0)", { flags: TCP_SYN | TCP_AE | TCP_ECE | TCP_CWR }],
    ["FPU. 1:2(1) ack 1 urg 7", { flags: TCP_FIN | TCP_PSH | TCP_URG | TCP_ACK, urgentPointer: 7 }],
    ["R. 1:1(0) ack 1", { flags: TCP_RST | TCP_ACK }],
    ["- 1:1(0)", { flags: 0 }],
    [".5 1:1(0) ack 1", { flags: TCP_ACK, ace: 5 }],
    ["P.0 1:1(0) ack 1", { flags: TCP_PSH | TCP_ACK, ace: 0 }],
    ["P. 1:1001(1000) ack 1 win 257", { sequence: 1, length: 1000, window: 257 }],
    [". 4294967295:1(2) ack 1", { sequence: 4294967295, length: 2 }],
  ])("%s", (text, expected) => {
    expect(packet(`> ${text}`).body).toMatchObject({ kind: "tcp", ...expected });
  });

  test("what is not written is not there", () => {
    expect(packet("> . 0:0(0)")).toEqual({
      kind: "packet",
      direction: "outbound",
      outerHeaders: [],
      ip: {},
      body: ack0,
    });
  });

  test("ports", () => {
    expect(packet("< 80 > 1234 . 0:0(0)")).toMatchObject({
      direction: "inbound",
      ports: { source: 80, destination: 1234 },
      body: ack0,
    });
  });
});

test.each([
  ["<>", []],
  ["<...>", "any"],
  ["<nop,nop,eol>", [{ kind: "nop" }, { kind: "nop" }, { kind: "eol" }]],
  ["<mss 1460, sackOK>", [{ kind: "mss", mss: 1460 }, { kind: "sackOK" }]],
  ["<wscale 14>", [{ kind: "wscale", shift: 14 }]],
  ["<TS val 100 ecr 700>", [{ kind: "timestamp", value: 100, echo: 700 }]],
  ["<TS val ... ecr ...>", [{ kind: "timestamp", value: "any", echo: "any" }]],
  [
    "<sack 1001:2001 3001:4001,nop>",
    [
      {
        kind: "sack",
        blocks: [
          { left: 1001, right: 2001 },
          { left: 3001, right: 4001 },
        ],
      },
      { kind: "nop" },
    ],
  ],
  ["<FO>", [{ kind: "fastopen", cookie: new Uint8Array(), experimental: false }]],
  ["<FO 0aff>", [{ kind: "fastopen", cookie: Uint8Array.of(10, 255), experimental: false }]],
  ["<FOEXP 1122>", [{ kind: "fastopen", cookie: Uint8Array.of(17, 34), experimental: true }]],
  ["<md5 00ff>", [{ kind: "md5", digest: Uint8Array.of(0, 255) }]],
  ["<ECN e0b 1 ceb 2 e1b 3>", [{ kind: "accecn", order: 0, counters: [1, 2, 3] }]],
  ["<ECN e1b 1 ceb 2>", [{ kind: "accecn", order: 1, counters: [1, 2] }]],
  ["<ECN e1b>", [{ kind: "accecn", order: 1, counters: [] }]],
  ["<option 253 f989>", [{ kind: "unknown", number: 253, bytes: Uint8Array.of(0xf9, 0x89) }]],
])("TCP options %s", (text, options) => {
  expect(packet(`> . 0:0(0) ${text}`).body).toEqual({ ...ack0, options } as never);
});

test.each([
  ["[ect0]", { ecn: "ect0" }],
  ["(ce)", { ecn: "ce" }],
  ["[ect01]", { ecn: "ect01" }],
  ["[tos 0xb8]", { tos: 0xb8 }],
  ["(ttl 1)", { ttl: 1 }],
  ["[tos 0x4, flowlabel 0x12345]", { tos: 4, flowLabel: 0x12345 }],
  ["[noecn, ttl 64]", { ecn: "noecn", ttl: 64 }],
])("IP fields %s", (text, ip) => {
  expect(packet(`> ${text} . 0:0(0)`).ip).toEqual(ip as never);
  expect(packet(`> ${text} udp (1)`).ip).toEqual(ip as never);
});

test.each([
  [
    "ipv4 192.0.2.1 > 192.0.2.2 :",
    { kind: "ipv4", ip: {}, source: "192.0.2.1", destination: "192.0.2.2" },
  ],
  [
    "ipv6 [ect0] 2001:db8::1 > ::ffff:192.0.2.2:",
    { kind: "ipv6", ip: { ecn: "ect0" }, source: "2001:db8::1", destination: "::ffff:192.0.2.2" },
  ],
  ["ipv6 fe80::1 > fe80::2: ", { kind: "ipv6", ip: {}, source: "fe80::1", destination: "fe80::2" }],
  ["gre :", { kind: "gre" }],
  [
    "gre flags [checksum present, key present], sum 0x1234, off 0x0, key=0x5, seq 0x6 :",
    { kind: "gre", header: { flags: 0xa000, checksum: 0x1234, offset: 0, key: 5, sequence: 6 } },
  ],
  [
    "mpls (label 5, tc 1, ttl 64) (label 6, tc 0, [S], ttl 63) :",
    {
      kind: "mpls",
      labels: [
        { label: 5, trafficClass: 1, bottomOfStack: false, ttl: 64 },
        { label: 6, trafficClass: 0, bottomOfStack: true, ttl: 63 },
      ],
    },
  ],
])("outer header %s", (text, header) => {
  expect(packet(`< ${text} . 0:0(0)`)).toMatchObject({ outerHeaders: [header], body: ack0 });
});

test("several outer headers stand outermost first", () => {
  const text = "< ipv4 1.1.1.1 > 2.2.2.2: gre: ipv6 ::1 > ::2: [ce] . 0:0(0)";
  const { outerHeaders, ip } = packet(text);
  expect(outerHeaders.map(({ kind }) => kind)).toEqual(["ipv4", "gre", "ipv6"]);
  expect(ip).toEqual({ ecn: "ce" });
});

test("encapsulation in PSP", () => {
  expect(packet("> encap psp spi 23 . 0:0(0)")).toMatchObject({ pspSpi: 23, body: ack0 });
});

test("UDP", () => {
  expect(packet("> udp (1000)").body).toEqual({ kind: "udp", length: 1000 });
  expect(packet("< udp 53 > 4000 (10)")).toMatchObject({
    ports: { source: 53, destination: 4000 },
    body: { kind: "udp", length: 10 },
  });
});

describe("ICMP", () => {
  test.each([
    ["icmp unreachable", { type: "unreachable" }],
    ["icmp unreachable host_unreachable", { type: "unreachable", code: "host_unreachable" }],
    [
      "icmp unreachable frag_needed mtu 1200 [1:1001(1000)]",
      {
        type: "unreachable",
        code: "frag_needed",
        mtu: 1200,
        echoed: { kind: "tcp", sequence: 1, length: 1000 },
      },
    ],
    ["icmp packet_too_big mtu 1280", { type: "packet_too_big", mtu: 1280 }],
    ["icmp echo_request id 77", { type: "echo_request", identifier: 77 }],
    [
      "icmp unreachable port_unreachable [udp (10)]",
      { type: "unreachable", code: "port_unreachable", echoed: { kind: "udp", length: 10 } },
    ],
    [
      "icmp time_exceeded exceeded_ttl [udp 1 > 2 (10)]",
      {
        type: "time_exceeded",
        code: "exceeded_ttl",
        echoed: { kind: "udp", ports: { source: 1, destination: 2 }, length: 10 },
      },
    ],
    ["icmp redirect redirect_host [raw (8)]", { echoed: { kind: "raw", length: 8 } }],
    ["icmp 40 2 [raw (8)]", { type: "40", code: "2" }],
  ])("%s", (text, body) => {
    expect(packet(`< ${text}`).body).toMatchObject({ kind: "icmp", ...body } as never);
  });

  test("names are numbers of one version or both", () => {
    expect(icmpNumbers(4, "unreachable", "frag_needed")).toEqual({ type: 3, code: 4 });
    expect(icmpNumbers(6, "unreachable", "port_unreachable")).toEqual({ type: 1, code: 4 });
    expect(icmpNumbers(6, "packet_too_big")).toEqual({ type: 2, code: 0 });
    expect(icmpNumbers(4, "packet_too_big")).toBeUndefined();
    expect(icmpNumbers(6, "unreachable", "frag_needed")).toBeUndefined();
    expect(icmpNumbers(4, "40", "2")).toEqual({ type: 40, code: 2 });
  });

  test("numbers are named and the names are those numbers", () => {
    for (const version of [4, 6] as const) {
      for (let type = 0; type < 256; type++) {
        for (let code = 0; code < 17; code++) {
          const names = icmpNames(version, type, code);
          expect(icmpNumbers(version, names.type, names.code)).toEqual({ type, code });
        }
      }
    }
  });
});
