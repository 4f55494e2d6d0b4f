/** UDP: sockets, datagrams in and out, checksums and offloads, headers that lie (I12). */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  COUNTER_DROP_UDP_CHECKSUM,
  COUNTER_DROP_UDP_HEADER,
  COUNTER_DROP_UDP_NO_SOCKET,
  COUNTER_DROP_UDP_QUEUE_FULL,
  ERRNO_EADDRINUSE,
  ERRNO_EADDRNOTAVAIL,
  ERRNO_EAGAIN,
  ERRNO_EINVAL,
  ERRNO_EISCONN,
  ERRNO_EMSGSIZE,
  ERRNO_ENOTCONN,
  KIND_DATAGRAM,
  METADATA_CHECKSUM_OFFSET,
  METADATA_CHECKSUM_START,
  METADATA_FLAGS,
  METADATA_HEADER_LENGTH,
  METADATA_SEGMENT_SIZE,
  OFFLOAD_CHECKSUM_PARTIAL,
  OPCODE_POP,
} from "../../assembly/layout";
import { parseIpv4 } from "../../src/wasm/address";
import { Host } from "./host";
import {
  arpFrame,
  broadcastMac,
  concat,
  ethernet,
  hostAddress,
  internetSum,
  ipv4,
  isUdpSound,
  pattern,
  peerAddress,
  protocolUdp,
  pseudoHeader,
  readIpv4,
  readU16,
  udp,
  udpFrame,
} from "./packets";

function greeted(...options: ConstructorParameters<typeof Host>): Host {
  const host = new Host(...options);
  host.exchange(arpFrame());
  return host;
}

function bind(host: Host, qd: number, address: string, port: number): number {
  host.stack.writeAddress(parseIpv4(address, "test"));
  return host.stack.exports.bind(qd, port);
}

function connect(host: Host, qd: number, address: string, port: number): number {
  host.stack.writeAddress(parseIpv4(address, "test"));
  return host.stack.exports.connect(qd, port);
}

/** A socket bound to port 7 of any address. */
function bound(host: Host, address = "0.0.0.0", port = 7): number {
  const qd = host.stack.exports.socket(KIND_DATAGRAM);
  expect(bind(host, qd, address, port)).toBe(0);
  return qd;
}

/** Pops until nothing is left; the payloads. */
function popAll(host: Host, qd: number): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  while (true) {
    host.stack.exports.pop(qd, 0);
    const completions = host.completions();
    if (completions.length === 0) return payloads;
    for (const { frame } of completions) payloads.push(host.take(frame));
  }
}

function pushTo(host: Host, qd: number, contents: Uint8Array, port = 9): number {
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  return host.stack.exports.pushTo(qd, host.array(contents), port);
}

test("datagrams of every size arrive with their sender", () => {
  const host = greeted();
  const qd = bound(host);
  for (const length of [0, 1, 2, 17, 64, 511, 1471, 1472]) {
    const token = host.stack.exports.pop(qd, 0);
    host.send(udpFrame(pattern(length), { sourcePort: 4000 + length }));
    const [completion] = host.completions() as [ReturnType<Host["completions"]>[number]];
    expect(completion).toMatchObject({
      token,
      opcode: OPCODE_POP,
      bytes: length,
      address: parseIpv4(peerAddress, "test"),
      port: 4000 + length,
    });
    expect(completion.frame).not.toBe(0);
    expect(host.take(completion.frame)).toEqual(pattern(length));
  }
  expect(host.framesOut()).toBe(0);
});

test("datagrams wait in order for later pops", () => {
  const host = greeted();
  const qd = bound(host);
  for (let index = 0; index < 5; index++) host.send(udpFrame(Uint8Array.of(index)));
  expect(popAll(host, qd).map(([first]) => first as number)).toEqual([0, 1, 2, 3, 4]);
  expect(host.framesOut()).toBe(0);
});

test("a pop of fewer bytes leaves the rest of the datagram to the next pops", () => {
  const host = greeted();
  const qd = bound(host);
  host.send(udpFrame(pattern(100), { sourcePort: 1234 }));
  host.send(udpFrame(Uint8Array.of(9)));
  for (let taken = 0; taken < 3; taken++) host.stack.exports.pop(qd, 40);
  const completions = host.completions();
  expect(completions.map(({ bytes, port }) => [bytes, port])).toEqual([
    [40, 1234],
    [40, 1234],
    [20, 1234],
  ]);
  expect(concat(...completions.map(({ frame }) => host.take(frame)))).toEqual(pattern(100));
  expect(popAll(host, qd)).toEqual([Uint8Array.of(9)]);
  expect(host.framesOut()).toBe(0);
});

test("a pop waiting for fewer bytes gets them, and the one behind it the rest", () => {
  const host = greeted();
  const qd = bound(host);
  host.stack.exports.pop(qd, 3);
  host.stack.exports.pop(qd, 0);
  host.send(udpFrame(pattern(10)));
  const completions = host.completions();
  expect(completions.map(({ bytes }) => bytes)).toEqual([3, 7]);
  for (const { frame } of completions) host.take(frame);
  expect(host.framesOut()).toBe(0);
});

test("the receive queue is bounded; what does not fit is counted", () => {
  const host = greeted();
  const qd = bound(host);
  for (let index = 0; index < 300; index++) host.send(udpFrame(Uint8Array.of(index & 255)));
  expect(host.counter(COUNTER_DROP_UDP_QUEUE_FULL)).toBe(44);
  expect(popAll(host, qd).length).toBe(256);
  expect(host.framesOut()).toBe(0);
});

test("a datagram in a chain of frames is delivered whole", () => {
  const host = greeted();
  const qd = bound(host);
  host.send(udpFrame(pattern(1400)), { split: [42, 7, 300] });
  expect(popAll(host, qd)).toEqual([pattern(1400)]);
  expect(host.framesOut()).toBe(0);
});

test("a datagram in fragments is delivered whole and its checksum verified", () => {
  const host = greeted();
  const qd = bound(host);
  const fragments = (datagram: Uint8Array, identification: number) =>
    [0, 1480, 2960].map((at) => {
      const fragment = (at < 2960 ? 0x2000 : 0) | (at >>> 3);
      return ethernet(ipv4(datagram.subarray(at, at + 1480), { fragment, identification }));
    });
  const right = udp(pattern(4000));
  const wrong = right.slice();
  wrong[3000] = (wrong[3000] as number) ^ 1;
  for (const frame of fragments(wrong, 1)) host.send(frame, { checksum: "verified" });
  expect(host.counter(COUNTER_DROP_UDP_CHECKSUM)).toBe(1);
  for (const frame of fragments(right, 2)) host.send(frame);
  expect(popAll(host, qd)).toEqual([pattern(4000)]);
  expect(host.framesOut()).toBe(0);
});

test("length fields that lie are dropped, padding is cut off (I12)", () => {
  const host = greeted();
  const qd = bound(host);
  for (const length of [0, 1, 2, 3, 4, 5, 6, 7, 21, 65535]) {
    expect(host.exchange(udpFrame(pattern(12), { length, checksum: 0 }))).toEqual([]);
  }
  expect(host.exchange(udpFrame(pattern(12), { destinationPort: 0 }))).toEqual([]);
  expect(host.counter(COUNTER_DROP_UDP_HEADER)).toBe(11);
  for (let length = 0; length < 8; length++) {
    expect(host.exchange(ethernet(ipv4(udp(pattern(0)).subarray(0, length))))).toEqual([]);
  }
  expect(host.counter(COUNTER_DROP_UDP_HEADER)).toBe(19);
  host.send(ethernet(ipv4(concat(udp(pattern(12)), pattern(6)))));
  host.send(udpFrame(pattern(12), { length: 8 + 5, checksum: 0 }));
  expect(popAll(host, qd)).toEqual([pattern(12), pattern(5)]);
  expect(host.framesOut()).toBe(0);
});

test("a header that is cut between frames is dropped (I12)", () => {
  const host = greeted();
  bound(host);
  expect(host.exchange(udpFrame(pattern(12)), { split: [14 + 20 + 7] })).toEqual([]);
  expect(host.counter(COUNTER_DROP_UDP_HEADER)).toBe(1);
});

test("a wrong checksum is dropped, none is accepted (I12)", () => {
  const host = greeted();
  const qd = bound(host);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (data, at, flip) => {
        const frame = udpFrame(data);
        const place = 34 + (at % (8 + data.length));
        // The checksum field itself must not become 0, and the length must stay true.
        if (place >= 36 && place < 42) return;
        frame[place] = (frame[place] as number) ^ flip;
        const before = host.counter(COUNTER_DROP_UDP_CHECKSUM);
        host.send(frame);
        expect(host.counter(COUNTER_DROP_UDP_CHECKSUM)).toBe(before + 1);
      },
    ),
  );
  host.send(udpFrame(pattern(5), { checksum: 0 }));
  expect(popAll(host, qd)).toEqual([pattern(5)]);
  expect(host.framesOut()).toBe(0);
});

test("a checksum that the device verified or completes is not looked at", () => {
  const host = greeted();
  const qd = bound(host);
  host.send(udpFrame(pattern(5), { checksum: 1 }), { checksum: "verified" });
  host.send(udpFrame(pattern(6), { checksum: 1 }), { checksum: "partial" });
  expect(popAll(host, qd)).toEqual([pattern(5), pattern(6)]);
});

test("a partial checksum without metadata is accepted from such devices only", () => {
  const partial = internetSum(pseudoHeader(peerAddress, hostAddress, protocolUdp, 13));
  const frame = udpFrame(pattern(5), { checksum: partial });
  const strict = greeted();
  const qd = bound(strict);
  strict.send(frame);
  expect(popAll(strict, qd)).toEqual([]);
  expect(strict.counter(COUNTER_DROP_UDP_CHECKSUM)).toBe(1);
  const veth = greeted({}, { partialReceive: true });
  const other = bound(veth);
  veth.send(frame);
  veth.send(udpFrame(pattern(4), { checksum: (partial + 1) & 0xffff }));
  expect(popAll(veth, other)).toEqual([pattern(5)]);
});

test("a closed port is answered with port unreachable", () => {
  const host = greeted();
  const frame = udpFrame(pattern(10), { destinationPort: 99 });
  const [error] = host.exchange(frame) as [Uint8Array];
  const { payload } = readIpv4(error);
  expect([payload[0], payload[1]]).toEqual([3, 3]);
  expect(payload.subarray(8)).toEqual(frame.subarray(14));
  expect(host.counter(COUNTER_DROP_UDP_NO_SOCKET)).toBe(1);
  expect(host.framesOut()).toBe(0);
});

test("broadcasts reach sockets of any address, not of one (I12)", () => {
  const host = greeted();
  const any = bound(host, "0.0.0.0", 7);
  const one = bound(host, hostAddress, 8);
  for (const destinationPort of [7, 8]) {
    const destination = "10.0.0.255";
    const packet = ipv4(udp(pattern(3), { destination, destinationPort }), { destination });
    expect(host.exchange(ethernet(packet, { destination: broadcastMac }))).toEqual([]);
  }
  expect(popAll(host, any)).toEqual([pattern(3)]);
  expect(popAll(host, one)).toEqual([]);
});

test("pushed datagrams carry right lengths, ports and checksums", () => {
  const host = greeted();
  const qd = bound(host, "0.0.0.0", 5353);
  for (const length of [1, 2, 3, 63, 64, 65, 1000, 1471, 1472]) {
    expect(pushTo(host, qd, pattern(length), 4242)).toBeGreaterThan(0);
    const [{ bytes, metadata }] = host.sent() as [ReturnType<Host["sent"]>[number]];
    const packet = readIpv4(bytes);
    expect(metadata).toBeUndefined();
    expect([packet.source, packet.destination]).toEqual([hostAddress, peerAddress]);
    expect([0, 2, 4].map((at) => readU16(packet.payload, at))).toEqual([5353, 4242, 8 + length]);
    expect(isUdpSound(packet)).toBe(true);
    expect(packet.payload.subarray(8)).toEqual(pattern(length));
  }
  host.completions();
  expect(host.framesOut()).toBe(0);
});

test("a checksum that comes out as zero is sent as all ones (RFC 768)", () => {
  const host = greeted();
  const qd = bound(host, "0.0.0.0", 5353);
  pushTo(host, qd, Uint8Array.of(0, 0));
  const [probe] = host.sent() as [ReturnType<Host["sent"]>[number]];
  const checksum = readU16(probe.bytes, 40);
  // Adding the checksum to the zero word makes the sum all ones, whose complement is zero.
  pushTo(host, qd, Uint8Array.of(checksum >>> 8, checksum & 255));
  const [{ bytes }] = host.sent() as [ReturnType<Host["sent"]>[number]];
  expect(readU16(bytes, 40)).toBe(0xffff);
  expect(isUdpSound(readIpv4(bytes))).toBe(true);
});

test("a device that fills in checksums gets the pseudo-header's sum and metadata", () => {
  const host = greeted({}, { checksum: true });
  const qd = bound(host, "0.0.0.0", 5353);
  pushTo(host, qd, pattern(100));
  const [{ bytes, metadata }] = host.sent() as [ReturnType<Host["sent"]>[number]];
  const sum = internetSum(pseudoHeader(hostAddress, peerAddress, protocolUdp, 108));
  expect(readU16(bytes, 40)).toBe(sum);
  expect(metadata?.getBigUint64(METADATA_FLAGS, true)).toBe(BigInt(OFFLOAD_CHECKSUM_PARTIAL));
  expect(metadata?.getUint16(METADATA_CHECKSUM_START, true)).toBe(34);
  expect(metadata?.getUint16(METADATA_CHECKSUM_OFFSET, true)).toBe(6);
  expect(metadata?.getUint16(METADATA_SEGMENT_SIZE, true)).toBe(0);
  expect(metadata?.getUint16(METADATA_HEADER_LENGTH, true)).toBe(0);
});

test("metadata survives the wait for the neighbour's MAC", () => {
  const host = new Host({}, { checksum: true });
  const qd = bound(host, "0.0.0.0", 5353);
  pushTo(host, qd, pattern(100));
  host.sent();
  host.send(arpFrame());
  const packets = host.sent().filter(({ bytes }) => readU16(bytes, 12) === 0x0800);
  expect(packets.map(({ metadata }) => metadata?.getUint16(METADATA_CHECKSUM_START, true))).toEqual(
    [34],
  );
});

test("a fragmented datagram carries its whole checksum although the device could", () => {
  const host = greeted({}, { checksum: true });
  const qd = bound(host, "0.0.0.0", 5353);
  pushTo(host, qd, pattern(5000));
  const sent = host.sent();
  expect(sent.every(({ metadata }) => metadata === undefined)).toBe(true);
  const packets = sent.map(({ bytes }) => readIpv4(bytes));
  const payload = concat(...packets.map((packet) => packet.payload));
  expect(isUdpSound({ ...(packets[0] as (typeof packets)[0]), payload })).toBe(true);
});

test("a popped array can be pushed back in place", () => {
  const host = greeted();
  const qd = bound(host);
  host.send(udpFrame(pattern(700)), { split: [300] });
  host.stack.exports.pop(qd, 0);
  const [{ frame }] = host.completions() as [ReturnType<Host["completions"]>[number]];
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  expect(host.stack.exports.pushTo(qd, frame, 5000)).toBeGreaterThan(0);
  const [{ bytes }] = host.sent() as [ReturnType<Host["sent"]>[number]];
  expect(readIpv4(bytes).payload.subarray(8)).toEqual(pattern(700));
  expect(isUdpSound(readIpv4(bytes))).toBe(true);
  host.completions();
  expect(host.framesOut()).toBe(0);
});

test("a push above 65,507 bytes is refused and the array stays the caller's", () => {
  const host = greeted();
  const qd = bound(host);
  const array = host.array(pattern(65508));
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  expect(host.stack.exports.pushTo(qd, array, 9)).toBe(-ERRNO_EMSGSIZE);
  expect(host.take(array)).toEqual(pattern(65508));
  expect(host.framesOut()).toBe(0);
});

test("a full tx ring refuses a push instead of losing it", () => {
  const host = greeted({ ringEntries: 64 });
  const qd = bound(host);
  let result = 0;
  let pushed = 0;
  let array = 0;
  while (pushed < 100) {
    array = host.array(pattern(10));
    host.stack.writeAddress(parseIpv4(peerAddress, "test"));
    result = host.stack.exports.pushTo(qd, array, 9);
    if (result < 0) break;
    pushed++;
  }
  expect(result).toBe(-ERRNO_EAGAIN);
  expect(host.take(array)).toEqual(pattern(10));
  expect(host.sent().length).toBe(pushed);
  expect(pushTo(host, qd, pattern(10))).toBeGreaterThan(0);
  host.sent();
  host.completions();
  expect(host.framesOut()).toBe(0);
});

test("bind refuses ports in use, foreign addresses and a second bind", () => {
  const host = greeted();
  const qd = bound(host, "0.0.0.0", 7);
  expect(bind(host, qd, "0.0.0.0", 8)).toBe(-ERRNO_EINVAL);
  const other = host.stack.exports.socket(KIND_DATAGRAM);
  expect(bind(host, other, "0.0.0.0", 7)).toBe(-ERRNO_EADDRINUSE);
  expect(bind(host, other, hostAddress, 7)).toBe(-ERRNO_EADDRINUSE);
  expect(bind(host, other, "10.0.0.9", 8)).toBe(-ERRNO_EADDRNOTAVAIL);
  expect(bind(host, other, hostAddress, 8)).toBe(0);
  host.stack.exports.close(qd);
  host.completions();
  bound(host, "0.0.0.0", 7);
});

test("port 0 becomes a free port of the dynamic range", () => {
  const host = greeted();
  const ports = Array.from({ length: 10 }, () => {
    const qd = bound(host, "0.0.0.0", 0);
    expect(host.stack.exports.localAddress(qd)).toBe(0);
    return host.stack.readPort();
  });
  expect(new Set(ports).size).toBe(10);
  expect(ports.every((port) => port >= 49152 && port <= 65535)).toBe(true);
});

test("a connected socket talks to its remote alone", () => {
  const host = greeted();
  const qd = bound(host);
  expect(host.stack.exports.remoteAddress(qd)).toBe(-ERRNO_ENOTCONN);
  expect(connect(host, qd, peerAddress, 5000)).toBeGreaterThan(0);
  expect(connect(host, qd, peerAddress, 5000)).toBe(-ERRNO_EISCONN);
  host.completions();
  expect(host.stack.exports.localAddress(qd)).toBe(0);
  expect([host.stack.readAddress(), host.stack.readPort()]).toEqual([0x0a000001, 7]);
  expect(host.stack.exports.remoteAddress(qd)).toBe(0);
  expect([host.stack.readAddress(), host.stack.readPort()]).toEqual([0x0a000002, 5000]);

  expect(host.stack.exports.push(qd, host.array(pattern(20)))).toBeGreaterThan(0);
  host.completions();
  const [{ bytes }] = host.sent() as [ReturnType<Host["sent"]>[number]];
  expect([34, 36].map((at) => readU16(bytes, at))).toEqual([7, 5000]);

  host.send(udpFrame(pattern(1), { sourcePort: 5001 }));
  host.send(udpFrame(pattern(2), { source: "10.0.0.3" }));
  host.send(udpFrame(pattern(3)));
  expect(popAll(host, qd)).toEqual([pattern(3)]);
  expect(host.counter(COUNTER_DROP_UDP_NO_SOCKET)).toBe(2);
});

test("close gives back the port, the datagrams and the socket", () => {
  const host = greeted({ datagramSockets: 2 });
  for (let round = 0; round < 20; round++) {
    const qd = bound(host);
    for (let index = 0; index < 10; index++) host.send(udpFrame(pattern(5)));
    expect(host.stack.exports.close(qd)).toBeGreaterThan(0);
    host.completions();
    expect(host.framesOut()).toBe(0);
  }
});
