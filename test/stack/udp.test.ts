/** UDP reception: delivery to pops, checksums and offloads, headers that lie (I12). */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  COUNTER_DROP_UDP_CHECKSUM,
  COUNTER_DROP_UDP_HEADER,
  COUNTER_DROP_UDP_NO_SOCKET,
  COUNTER_DROP_UDP_QUEUE_FULL,
  OPCODE_POP,
} from "../../assembly/layout";
import { parseIpv4 } from "../../src/wasm/address";
import { bound, greeted, popAll } from "./datagrams";
import {
  broadcastMac,
  concat,
  ethernet,
  hostAddress,
  internetSum,
  ipv4,
  pattern,
  peerAddress,
  protocolUdp,
  pseudoHeader,
  readIpv4,
  udp,
  udpFrame,
} from "./packets";

test("datagrams of every size arrive with their sender", () => {
  const host = greeted();
  const qd = bound(host);
  for (const length of [0, 1, 2, 17, 64, 511, 1471, 1472]) {
    const token = host.stack.exports.pop(qd, 0);
    host.send(udpFrame(pattern(length), { sourcePort: 4000 + length }));
    const completion = host.completion();
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
