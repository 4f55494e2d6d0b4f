/** UDP transmission: headers, checksums and offloads, what is refused. */
import { expect, test } from "bun:test";
import {
  ERRNO_EAGAIN,
  ERRNO_EMSGSIZE,
  KIND_DATAGRAM,
  METADATA_CHECKSUM_OFFSET,
  METADATA_CHECKSUM_START,
  METADATA_FLAGS,
  METADATA_HEADER_LENGTH,
  METADATA_SEGMENT_SIZE,
  OFFLOAD_CHECKSUM_PARTIAL,
} from "../../assembly/layout";
import { parseIpv4 } from "../../src/wasm/address";
import { Host } from "./host";
import { bound, greeted, pushTo } from "./datagrams";
import {
  arpFrame,
  concat,
  hostAddress,
  internetSum,
  isUdpSound,
  pattern,
  peerAddress,
  protocolUdp,
  pseudoHeader,
  readIpv4,
  readU16,
  udpFrame,
} from "./packets";

test("pushed datagrams carry right lengths, ports and checksums", () => {
  const host = greeted();
  const qd = bound(host, "0.0.0.0", 5353);
  for (const length of [1, 2, 3, 63, 64, 65, 1000, 1471, 1472]) {
    expect(pushTo(host, qd, pattern(length), 4242)).toBeGreaterThan(0);
    const { bytes, metadata } = host.sentOne();
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

test("datagrams are not ECN-capable: nobody would answer their marks (RFC 8085 3.1.7)", () => {
  const host = greeted({ ecn: "on" });
  pushTo(host, bound(host), pattern(100));
  expect((host.sentOne().bytes[15] as number) & 3).toBe(0);
});

test("a checksum that comes out as zero is sent as all ones (RFC 768)", () => {
  const host = greeted();
  const qd = bound(host, "0.0.0.0", 5353);
  pushTo(host, qd, Uint8Array.of(0, 0));
  const probe = host.sentOne();
  const checksum = readU16(probe.bytes, 40);
  // Adding the checksum to the zero word makes the sum all ones, whose complement is zero.
  pushTo(host, qd, Uint8Array.of(checksum >>> 8, checksum & 255));
  const { bytes } = host.sentOne();
  expect(readU16(bytes, 40)).toBe(0xffff);
  expect(isUdpSound(readIpv4(bytes))).toBe(true);
});

test("a device that fills in checksums gets the pseudo-header's sum and metadata", () => {
  const host = greeted({}, { checksum: true });
  const qd = bound(host, "0.0.0.0", 5353);
  pushTo(host, qd, pattern(100));
  const { bytes, metadata } = host.sentOne();
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
  const { frame } = host.completion();
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  expect(host.stack.exports.pushTo(qd, frame, 5000)).toBeGreaterThan(0);
  const { bytes } = host.sentOne();
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

test("a push for which no token is left leaves the array with the caller", () => {
  const host = greeted({ tokens: 6 });
  const qd = bound(host);
  const { exports } = host.stack;
  for (let pops = 0; pops < 5; pops++) expect(exports.pop(qd, 0)).toBeGreaterThan(0);
  // Its completion is not read, so its token is not free again.
  expect(exports.close(exports.socket(KIND_DATAGRAM))).toBeGreaterThan(0);
  const array = host.array(pattern(10));
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  expect(host.stack.exports.pushTo(qd, array, 9)).toBe(-ERRNO_EAGAIN);
  expect(host.sent()).toEqual([]);
  expect(host.take(array)).toEqual(pattern(10));
  expect(host.framesOut()).toBe(0);
});
