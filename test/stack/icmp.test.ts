/** ICMP: echo of every size and shape, errors that are never sent, the rate, errors received. */
import { expect, test } from "bun:test";
import {
  COUNTER_DROP_ICMP,
  COUNTER_ICMP_ECHO_REPLIES,
  COUNTER_ICMP_ERRORS_SENT,
  COUNTER_ICMP_RATE_LIMITED,
  ERRNO_ECONNREFUSED,
  KIND_DATAGRAM,
  KIND_STREAM,
  OPCODE_FAILED,
} from "../../assembly/layout";
import { parseIpv4 } from "../../src/wasm/address";
import { Host } from "./host";
import {
  addressBytes,
  arpFrame,
  broadcastMac,
  concat,
  echo,
  ethernet,
  hostAddress,
  icmp,
  icmpFrame,
  internetSum,
  ipv4,
  pattern,
  peerAddress,
  protocolIcmp,
  protocolUdp,
  readIpv4,
  udp,
  udpFrame,
} from "./packets";

function greeted(...options: ConstructorParameters<typeof Host>): Host {
  const host = new Host(...options);
  host.exchange(arpFrame());
  return host;
}

test("an echo is answered with the same identifier, sequence number and data", () => {
  const host = greeted();
  for (const length of [0, 1, 2, 55, 56, 57, 64, 500, 1471, 1472]) {
    const [reply] = host.exchange(icmpFrame(echo(pattern(length)))) as [Uint8Array];
    const { source, destination, protocol, payload } = readIpv4(reply);
    expect([source, destination, protocol]).toEqual([hostAddress, peerAddress, protocolIcmp]);
    expect(payload).toEqual(icmp(0, 0, concat([0x12, 0x34, 0, 1], pattern(length))));
  }
  expect(host.counter(COUNTER_ICMP_ECHO_REPLIES)).toBe(10);
  expect(host.framesOut()).toBe(0);
});

test("the reply's checksum is right for every checksum of the request", () => {
  const host = greeted();
  for (let word = 0xfff0; word <= 0x1_0010; word++) {
    const request = icmp(8, 0, concat([(word >>> 8) & 255, word & 255, 0, 0], pattern(3)));
    const [reply] = host.exchange(icmpFrame(request)) as [Uint8Array];
    expect(internetSum(readIpv4(reply).payload)).toBe(0xffff);
  }
});

test("an echo in a chain of odd pieces is answered in them", () => {
  const host = greeted();
  const frame = icmpFrame(echo(pattern(700)));
  const [reply] = host.exchange(frame, { split: [42, 1, 99, 201] }) as [Uint8Array];
  expect(readIpv4(reply).payload.subarray(8)).toEqual(pattern(700));
});

test("a chain longer than the device takes is sent in one piece", () => {
  const host = greeted({}, { chainMax: 1 });
  const frame = icmpFrame(echo(pattern(700)));
  const [reply] = host.exchange(frame, { split: [60, 100] }) as [Uint8Array];
  expect(readIpv4(reply).payload.subarray(8)).toEqual(pattern(700));
  expect(host.framesOut()).toBe(0);
});

test("the largest echo comes and goes in fragments (I07)", () => {
  const host = greeted();
  const message = echo(pattern(65507));
  const answers: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += 1480) {
    const more = at + 1480 < message.length ? 0x2000 : 0;
    const fragment = more | (at >>> 3);
    answers.push(
      ...host.exchange(icmpFrame(message.subarray(at, at + 1480), { fragment, identification: 7 })),
    );
  }
  const payloads = answers.map((frame) => readIpv4(frame).payload);
  expect(concat(...payloads).subarray(8)).toEqual(pattern(65507));
  expect(internetSum(concat(...payloads))).toBe(0xffff);
  expect(host.framesOut()).toBe(0);
});

test("short, broken and unknown messages are dropped (I07)", () => {
  const host = greeted();
  for (let length = 0; length < 8; length++) {
    expect(host.exchange(icmpFrame(echo(new Uint8Array(0)).subarray(0, length)))).toEqual([]);
  }
  const broken = echo(pattern(10));
  broken[3] = (broken[3] as number) ^ 1;
  expect(host.exchange(icmpFrame(broken))).toEqual([]);
  const types = [0, 1, 2, 4, 5, 9, 10, 12, 13, 14, 15, 17, 18, 40, 255];
  for (const type of types) {
    expect(host.exchange(icmpFrame(icmp(type, 0, pattern(60))))).toEqual([]);
  }
  expect(host.counter(COUNTER_DROP_ICMP)).toBe(8 + 1 + types.length);
  expect(host.framesOut()).toBe(0);
});

test("an echo to a broadcast address is not answered (I07)", () => {
  const host = greeted();
  for (const destination of ["10.0.0.255", "255.255.255.255"]) {
    const packet = ipv4(echo(pattern(8)), { protocol: protocolIcmp, destination });
    expect(host.exchange(ethernet(packet, { destination: broadcastMac }))).toEqual([]);
    expect(host.exchange(ethernet(packet))).toEqual([]);
  }
  expect(host.counter(COUNTER_DROP_ICMP)).toBe(4);
});

test("no error is sent about broadcasts (RFC 1122 section 3.2.2)", () => {
  const host = greeted();
  const destination = "10.0.0.255";
  const packet = ipv4(udp(pattern(8), { destination }), { destination });
  expect(host.exchange(ethernet(packet, { destination: broadcastMac }))).toEqual([]);
  const unknown = ipv4(pattern(8), { destination, protocol: 99 });
  expect(host.exchange(ethernet(unknown, { destination: broadcastMac }))).toEqual([]);
  expect(host.counter(COUNTER_ICMP_ERRORS_SENT)).toBe(0);
});

test("errors are sent in a burst of 50 and then one a millisecond", () => {
  const host = greeted();
  const flood = (packets: number) => {
    let errors = 0;
    for (let index = 0; index < packets; index++) {
      errors += host.exchange(udpFrame(pattern(4))).length;
    }
    return errors;
  };
  expect(flood(80)).toBe(50);
  expect(host.counter(COUNTER_ICMP_RATE_LIMITED)).toBe(30);
  host.advance(10_000);
  expect(flood(20)).toBe(10);
  host.advance(10_000_000);
  expect(flood(80)).toBe(50);
  expect(host.framesOut()).toBe(0);
});

/** An unreachable message that quotes a datagram from us. */
function unreachable(code: number, quoted: Uint8Array): Uint8Array {
  return icmpFrame(icmp(3, code, concat([0, 0, 0, 0], quoted)));
}

function connected(host: Host): { qd: number; quoted: Uint8Array } {
  const qd = host.stack.exports.socket(KIND_DATAGRAM);
  host.stack.writeAddress(parseIpv4(hostAddress, "test"));
  expect(host.stack.exports.bind(qd, 1000)).toBe(0);
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  expect(host.stack.exports.connect(qd, 2000)).toBeGreaterThan(0);
  host.completions();
  const ports = { sourcePort: 1000, destinationPort: 2000 };
  const addresses = { source: hostAddress, destination: peerAddress };
  return { qd, quoted: ipv4(udp(pattern(4), { ...addresses, ...ports }), addresses) };
}

test("port unreachable fails a connected socket's pending pop with ECONNREFUSED", () => {
  const host = greeted();
  const { qd, quoted } = connected(host);
  const token = host.stack.exports.pop(qd, 0);
  host.send(unreachable(3, quoted.subarray(0, 28)));
  const [completion] = host.completions();
  expect(completion).toMatchObject({ token, opcode: OPCODE_FAILED, errno: ERRNO_ECONNREFUSED });
});

test("without a pending pop the next one is told, once", () => {
  const host = greeted();
  const { qd, quoted } = connected(host);
  host.send(unreachable(3, quoted));
  host.stack.exports.pop(qd, 0);
  expect(host.completions().map(({ errno }) => errno)).toEqual([ERRNO_ECONNREFUSED]);
  host.stack.exports.pop(qd, 0);
  expect(host.completions()).toEqual([]);
});

test("soft errors, other tuples and lying quotes change nothing (I08)", () => {
  const host = greeted();
  const { qd, quoted } = connected(host);
  host.stack.exports.pop(qd, 0);
  for (const code of [0, 1, 4, 5, 6, 13, 15, 255]) host.send(unreachable(code, quoted));
  const changed = (at: number, value: number) => {
    const copy = quoted.slice();
    copy[at] = value;
    return copy;
  };
  const lies = [
    changed(0, 0x55),
    changed(0, 0x44),
    changed(0, 0x4f),
    changed(7, 1),
    changed(9, 6),
    changed(15, 9),
    changed(19, 9),
    changed(21, 9),
    changed(23, 9),
  ];
  for (const lie of lies) host.send(unreachable(3, lie));
  for (let length = 0; length < 28; length++) host.send(unreachable(3, quoted.subarray(0, length)));
  expect(host.completions()).toEqual([]);
  expect(host.framesOut()).toBe(0);
});

test("no error answers an error, an unconnected socket ignores them", () => {
  const host = greeted();
  const qd = host.stack.exports.socket(KIND_DATAGRAM);
  host.stack.writeAddress(0);
  host.stack.exports.bind(qd, 1000);
  host.stack.exports.pop(qd, 0);
  const fields = { source: hostAddress, destination: peerAddress };
  const quoted = ipv4(udp(pattern(4), { ...fields, sourcePort: 1000 }), fields);
  expect(host.exchange(unreachable(3, quoted))).toEqual([]);
  expect(host.completions()).toEqual([]);
});

test("an error quotes the header and what it can of the data, from our address", () => {
  const host = greeted();
  const frame = udpFrame(pattern(1400), { destinationPort: 9999 });
  const [error] = host.exchange(frame) as [Uint8Array];
  const { source, destination, payload } = readIpv4(error);
  expect([source, destination]).toEqual([hostAddress, peerAddress]);
  expect(payload.length).toBe(556);
  expect(internetSum(payload)).toBe(0xffff);
  expect([...payload.subarray(0, 2), ...payload.subarray(4, 8)]).toEqual([3, 3, 0, 0, 0, 0]);
  expect(payload.subarray(8)).toEqual(frame.subarray(14, 14 + 548));
  expect(addressBytes(hostAddress)).toEqual([...payload.subarray(24, 28)]);
  expect(payload[17]).toBe(protocolUdp);
});

/** A stream socket that connects to the peer's port 80; its SYN as the IP packet that was sent. */
function connecting(host: Host): { syn: Uint8Array; token: number } {
  const qd = host.stack.exports.socket(KIND_STREAM);
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  const token = host.stack.exports.connect(qd, 80);
  const [syn] = host.sent().map(({ bytes }) => bytes.subarray(14)) as [Uint8Array];
  return { syn, token };
}

test("port unreachable about its SYN fails a TCP connect with ECONNREFUSED", () => {
  const host = greeted();
  const { syn, token } = connecting(host);
  host.send(unreachable(3, syn.subarray(0, 28)));
  expect(host.completions()).toMatchObject([{ token, errno: ERRNO_ECONNREFUSED }]);
  expect(host.framesOut()).toBe(0);
});

test("another sequence number, port or a soft code leaves a TCP connect alone (I08)", () => {
  const host = greeted();
  const { syn } = connecting(host);
  for (const at of [20, 23, 24, 27]) {
    const changed = syn.slice();
    changed[at] = (changed[at] as number) ^ 1;
    host.send(unreachable(3, changed));
  }
  for (const code of [0, 1, 4, 5, 13]) host.send(unreachable(code, syn));
  expect(host.completions()).toEqual([]);
});
