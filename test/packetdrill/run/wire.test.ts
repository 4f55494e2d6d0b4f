/** Numbers of the script and of the wire, with a system that sends whatever a test wants. */
import { expect, test } from "bun:test";
import { buildIpv4, buildIpv6 } from "../../../src/packet/build";
import { buildIcmp, buildTcp, type TcpFields } from "../../../src/packet/build-transport";
import { parseIp } from "../../../src/packet/parse";
import { TCP_ACK, TCP_PSH, TCP_SYN, type TcpOption } from "../../../src/packet/types";
import { runScript } from "../../../src/packetdrill/run/run";
import { FakeTarget } from "./fake-target";

/** The initial sequence number that the fake chose, and its clock of timestamps. */
const ISN = 4_000_000_000;
const CLOCK = 3_000_000_000;
const TCP = 6;

const ipv4 = { source: "192.168.0.1", destination: "192.0.2.1" };
const ipv6 = { source: "fd3d:a0b:17d6::1", destination: "2001:db8::1" };

function segment(to: Uint8Array, fields: Partial<TcpFields>, payload = new Uint8Array()) {
  const { tcp, ip } = parseIp(to);
  const ends = ip?.version === 6 ? ipv6 : ipv4;
  const bytes = buildTcp(
    {
      sourcePort: tcp?.destinationPort ?? 0,
      destinationPort: tcp?.sourcePort ?? 0,
      flags: TCP_ACK,
      window: 1000,
      ...fields,
    },
    payload,
    ends,
  );
  return ip?.version === 6
    ? buildIpv6({ ...ends, protocol: TCP }, bytes)
    : buildIpv4({ ...ends, protocol: TCP }, bytes);
}

const stamp = (value: number, echo: number): TcpOption[] => [
  { kind: "nop" },
  { kind: "nop" },
  { kind: "timestamp", value, echo },
];

async function run(target: FakeTarget, text: string): Promise<string> {
  const { message, status } = await runScript({ file: "t.pkt", text }, () => target);
  return message?.split("\n")[0] ?? status;
}

function answering(...answers: readonly ((to: Uint8Array) => Uint8Array)[]): FakeTarget {
  const target = new FakeTarget();
  target.answer = (packet, index) => {
    const answer = answers[index];
    return answer === undefined ? [] : [answer(packet)];
  };
  return target;
}

const synAck = (options: TcpOption[] = []) => {
  return (to: Uint8Array) =>
    segment(to, { flags: TCP_SYN | TCP_ACK, sequence: ISN, acknowledgment: 1, options });
};

test("ACK and SACK numbers of the script become those of the connection", async () => {
  const target = answering(synAck());
  const text = `0 < S 0:0(0) win 1000
+0 > S. 0:0(0) ack 1
+0 < . 1:1(0) ack 1001 win 1000 <nop,nop,sack 2001:3001 4001:5001>
`;
  expect(await run(target, text)).toBe("passed");
  const { tcp } = parseIp(target.injected[1] as Uint8Array);
  expect(tcp?.acknowledgment).toBe((ISN + 1001) >>> 0);
  expect(tcp?.options.at(-1)).toEqual({
    kind: "sack",
    blocks: [
      { left: (ISN + 2001) >>> 0, right: (ISN + 3001) >>> 0 },
      { left: (ISN + 4001) >>> 0, right: (ISN + 5001) >>> 0 },
    ],
  });
});

test("timestamps are counted from the first that was seen, and echoed as they came", async () => {
  const target = answering(synAck(stamp(CLOCK, 100)), (to) =>
    segment(to, { sequence: ISN + 1, acknowledgment: 1, options: stamp(CLOCK + 200, 300) }),
  );
  const text = `0 < S 0:0(0) win 1000 <nop,nop,TS val 100 ecr 0>
+0 > S. 0:0(0) ack 1 <nop,nop,TS val 500 ecr 100>
+0.2 < . 1:1(0) ack 1 win 1000 <nop,nop,TS val 300 ecr 500>
+0 > . 1:1(0) ack 1 <nop,nop,TS val 700 ecr 300>
+0.1 < . 1:1(0) ack 1 win 1000 <nop,nop,TS val 400 ecr 700>
`;
  expect(await run(target, text)).toBe("passed");
  const { tcp } = parseIp(target.injected[2] as Uint8Array);
  expect(tcp?.options.at(-1)).toEqual({ kind: "timestamp", value: 400, echo: CLOCK + 200 });
});

test("a timestamp that runs at another pace is told, unless ticks are not looked at", async () => {
  const target = () =>
    answering(synAck(stamp(CLOCK, 100)), (to) =>
      segment(to, { sequence: ISN + 1, acknowledgment: 1, options: stamp(CLOCK + 900, 300) }),
    );
  const text = `0 < S 0:0(0) win 1000 <nop,nop,TS val 100 ecr 0>
+0 > S. 0:0(0) ack 1 <nop,nop,TS val 500 ecr 100>
+0.2 < . 1:1(0) ack 1 win 1000 <nop,nop,TS val 300 ecr 500>
+0 > . 1:1(0) ack 1 <nop,nop,TS val 700 ecr 300>
`;
  expect(await run(target(), text)).toBe("t.pkt:4: the timestamp is 1400, should be 700");
  expect(await run(target(), `--tcp_ts_tick_usecs=0\n${text}`)).toBe("passed");
});

test("the echo of a timestamp that never was is refused", async () => {
  const text = `0 < S 0:0(0) win 1000 <nop,nop,TS val 100 ecr 0>
+0 > S. 0:0(0) ack 1 <nop,nop,TS val 500 ecr 100>
+0 < . 1:1(0) ack 1 win 1000 <nop,nop,TS val 300 ecr 501>
`;
  expect(await run(answering(synAck(stamp(CLOCK, 100))), text)).toBe(
    "t.pkt:3: ecr 501 echoes a timestamp that no expected packet has had",
  );
});

test("a bad checksum is told before anything else", async () => {
  const target = answering((to) =>
    segment(to, { flags: TCP_SYN, sequence: ISN, checksum: 0x1234 }),
  );
  const message = await run(target, "0 < S 0:0(0) win 1000\n+0 > S. 0:0(0) ack 1\n");
  expect(message).toMatch(/^t\.pkt:2: TCP checksum is 0x1234, should be 0x[0-9a-f]{4}$/);
});

test("reserved bits must be zero", async () => {
  const target = answering((to) =>
    segment(to, { flags: TCP_SYN | TCP_ACK, sequence: ISN, acknowledgment: 1, reserved: 2 }),
  );
  expect(await run(target, "0 < S 0:0(0) win 1000\n+0 > S. 0:0(0) ack 1\n")).toBe(
    "t.pkt:2: reserved TCP bits are 2, should be 0",
  );
});

test("payloads are zeros", async () => {
  const target = answering(synAck(), (to) =>
    segment(
      to,
      { flags: TCP_PSH | TCP_ACK, sequence: ISN + 1, acknowledgment: 1 },
      Uint8Array.of(0, 0, 7),
    ),
  );
  const text = `0 < S 0:0(0) win 1000
+0 > S. 0:0(0) ack 1
+0 < . 1:1(0) ack 1 win 1000
+0 > P. 1:4(3) ack 1
`;
  expect(await run(target, text)).toBe("t.pkt:4: byte 2 of the payload is 7, should be 0");
});

test("IPv6 runs, and neighbour discovery is nobody's packet", async () => {
  const target = new FakeTarget();
  const discovery = buildIpv6(
    { ...ipv6, protocol: 58, ttl: 255 },
    buildIcmp({ type: 135, code: 0 }, new Uint8Array(16), ipv6),
  );
  target.answer = (packet, index) => (index === 0 ? [discovery, synAck()(packet)] : []);
  const text = `--ip_version=ipv6
0 < [flowlabel 0x12345] S 0:0(0) win 1000
+0 > S. 0:0(0) ack 1
+0 < icmp packet_too_big mtu 1280 [1:1001(1000)]
`;
  expect(await run(target, text)).toBe("passed");
  const { icmp, payload, problems } = parseIp(target.injected[1] as Uint8Array);
  expect(problems).toEqual([]);
  expect(icmp).toMatchObject({ type: 2, code: 0, rest: 1280 });
  const quoted = parseIp(payload, { quoted: true });
  expect(quoted.ip).toMatchObject(ipv6);
  expect(quoted.tcp?.sequence).toBe((ISN + 1) >>> 0);
});

test("AccECN's counter stands in the three bits", async () => {
  const target = answering(synAck());
  const text = `0 < SAEW 0:0(0) win 1000
+0 > S. 0:0(0) ack 1
+0 < .5 1:1(0) ack 1 win 1000
`;
  expect(await run(target, text)).toBe("passed");
  const flags = target.injected.map((bytes) => parseIp(bytes).tcp?.flags);
  expect(flags).toEqual([0x1c2, 0x150]);
});
