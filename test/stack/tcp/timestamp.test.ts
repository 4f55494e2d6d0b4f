/** Timestamps (RFC 7323): on every way a segment is sent, their clock, PAWS and its age. */
import { expect, test } from "bun:test";
import { METADATA_HEADER_LENGTH, METADATA_SEGMENT_SIZE } from "../../../assembly/layout";
import { Connections } from "../../../src/wasm/connections";
import { concat, pattern } from "../packets";
import { Lab } from "./lab";
import { Peer } from "./peer";
import { option, readSegment } from "./segments";

/** TSval and TSecr of a segment, which has them last among its options. */
function timestampsOf(options: readonly number[]): [value: number, echo: number] {
  const at = options.length - 8;
  expect(options.slice(at - 4, at)).toEqual([1, 1, 8, 10]);
  const view = new DataView(Uint8Array.from(options).buffer);
  return [view.getUint32(at), view.getUint32(at + 4)];
}

/** A connection whose peer's timestamp was 1001 last. */
function stamped(...host: ConstructorParameters<typeof Lab>) {
  const lab = new Lab(...host);
  const listener = lab.listen();
  const peer = new Peer(lab, { window: 65535 });
  peer.inject("S", { options: [...option.mss(65535), ...option.timestamps(1000, 0)] });
  const [synAck] = peer.take();
  const [first, echo] = timestampsOf(synAck?.options ?? []);
  expect(echo).toBe(1000);
  peer.inject("A", { seq: 1, ack: 1, options: option.timestamps(1001, first) });
  return { lab, peer, qd: lab.accepted(listener), first };
}

test("every way of sending carries them: in place, copied, as a chain (RFC 7323 3.2)", () => {
  const cases: [pushes: number[], mtu: number, segment: number][] = [
    [[1448], 1500, 1448],
    [[1000, 448], 1500, 1448],
    [[8948], 9000, 8948],
  ];
  for (const [pushes, mtu, segment] of cases) {
    const { lab, peer, qd, first } = stamped({}, { mtu });
    const bytes = pattern(segment);
    let at = 0;
    lab.hold();
    for (const length of pushes) {
      lab.push(qd, bytes.subarray(at, at + length));
      at += length;
    }
    const [sent, ...rest] = peer.take();
    expect(rest).toEqual([]);
    expect(sent).toMatchObject({ flags: "PA", payload: bytes });
    expect(timestampsOf(sent?.options ?? [])).toEqual([first, 1001]);
  }
});

test("the device learns the longer header and the shorter segments (RFC 6691 2)", () => {
  const device = { checksum: true, segmentMax: 65_535, chainMax: 40 };
  const { lab, qd } = stamped({}, device);
  const bytes = pattern(14_480);
  lab.push(qd, bytes);
  lab.host.completions();
  const [packet, ...rest] = lab.host.sent();
  expect(rest).toEqual([]);
  const segment = readSegment(packet as NonNullable<typeof packet>);
  expect(segment).toMatchObject({ flags: "PA", payload: bytes });
  expect(packet?.metadata?.getUint16(METADATA_SEGMENT_SIZE, true)).toBe(1448);
  expect(packet?.metadata?.getUint16(METADATA_HEADER_LENGTH, true)).toBe(66);
});

test("the clock ticks each millisecond (RFC 7323 5.4)", () => {
  const { lab, peer, first } = stamped();
  lab.advance(12_345, 5);
  peer.inject("PA", { seq: 1, ack: 1, length: 10, options: option.timestamps(2000, first) });
  lab.advance(45, 1);
  const [acknowledgment] = peer.take();
  const [value, echo] = timestampsOf(acknowledgment?.options ?? []);
  expect(echo).toBe(2000);
  expect((value - first) >>> 0).toBeGreaterThanOrEqual(12_385);
  expect((value - first) >>> 0).toBeLessThanOrEqual(12_390);
});

test("each 4-tuple has an offset of its own, the same each time (RFC 7323 7.1, RFC 6191)", () => {
  const lab = new Lab();
  lab.listen();
  const options = [...option.mss(1460), ...option.timestamps(1, 0)];
  const probe = (port: number) => {
    const peer = new Peer(lab, { port });
    peer.inject("S", { options });
    const [synAck] = peer.take();
    peer.inject("R", { seq: 1 });
    return timestampsOf(synAck?.options ?? [])[0];
  };
  const values = Array.from({ length: 200 }, (_, index) => probe(5000 + index));
  expect(new Set(values.map((value) => value >>> 8)).size).toBeGreaterThan(190);
  lab.advance(1000, 1000);
  for (const [index, value] of values.entries()) {
    expect((probe(5000 + index) - value) >>> 0).toBe(1000);
  }
});

test("PAWS comes before the window's check, and what lies outside renews nothing (5.3, S18)", () => {
  const { lab, peer, qd, first } = stamped();
  const options = (value: number) => option.timestamps(value, first);
  // Beyond the window with a later timestamp: answered, its timestamp is not kept.
  peer.inject("PA", { seq: 2_000_000, ack: 1, length: 10, options: options(9000) });
  const [answer] = peer.take();
  expect(timestampsOf(answer?.options ?? [])).toEqual([first, 1001]);
  peer.inject("PA", { seq: 1, ack: 1, length: 10, options: options(1002) });
  expect(lab.read(qd)).toHaveLength(10);
  peer.take();
  // In the window with an older one: its data, its acknowledgment and its FIN are not looked at.
  lab.push(qd, pattern(100));
  peer.take();
  peer.inject("FPA", { seq: 11, ack: 101, length: 10, options: options(900) });
  expect(peer.take()).toMatchObject([{ flags: "A", ack: 11 }]);
  lab.advance(300);
  expect(peer.take()).toMatchObject([{ flags: "PA", seq: 1, length: 100 }]);
  peer.inject("A", { seq: 11, ack: 101, options: options(1500) });
});

test("after 24 days of idleness an older timestamp is believed, before not (RFC 7323 5.5)", () => {
  const day = 86_400_000;
  for (const [days, taken] of [
    [23, 0],
    [25, 10],
  ] as const) {
    const { lab, peer, qd, first } = stamped();
    lab.advance(days * day, day);
    peer.inject("PA", { seq: 1, ack: 1, length: 10, options: option.timestamps(5, first) });
    const token = lab.pop(qd);
    expect(lab.isDone(token)).toBe(taken > 0);
    if (taken > 0) lab.host.take(lab.result(token).frame);
  }
});

test("an exact measurement goes before the echo's milliseconds (RFC 7323 4.2)", () => {
  const { lab, peer, qd, first } = stamped();
  const connections = new Connections(lab.host.stack);
  for (let round = 0; round < 40; round++) {
    lab.push(qd, pattern(4344));
    peer.take();
    lab.host.advance(300, 300);
    for (const ack of [1449, 2897, 4345]) {
      const options = option.timestamps(1001, first);
      peer.inject("A", { seq: 1, ack: round * 4344 + ack, options });
    }
  }
  const { srttUs = 0 } = connections.of(qd) ?? {};
  expect(srttUs).toBeGreaterThan(250);
  expect(srttUs).toBeLessThan(350);
});

test("a repeated segment is measured by its echo, which ends the back-off (RFC 7323 4.1)", () => {
  const { lab, peer, qd } = stamped({ rtoMinUs: 200_000 });
  const connections = new Connections(lab.host.stack);
  lab.push(qd, pattern(100));
  peer.take();
  lab.advance(700, 1);
  const repeated = peer.take();
  expect(repeated.length).toBe(2);
  expect(connections.of(qd)?.backoff).toBe(2);
  const [value] = timestampsOf(repeated.at(-1)?.options ?? []);
  lab.advance(50, 1);
  // An echo of a time to come says nothing.
  peer.inject("A", { seq: 1, ack: 51, options: option.timestamps(1700, value + 100_000) });
  expect(connections.of(qd)?.backoff).toBe(2);
  peer.inject("A", { seq: 1, ack: 101, options: option.timestamps(1700, value) });
  expect(connections.of(qd)?.backoff).toBe(0);
  peer.take();
});

test("any bytes as options of an established connection leave it answering", () => {
  const { lab, peer, qd, first } = stamped();
  const stamp = option.timestamps(1001, first);
  const lists = [
    [8],
    [8, 0],
    [8, 10],
    [8, 9, 0, 0, 0, 0, 0, 0, 0],
    [1, 1, 8, 10, 0, 0],
    [1, 1, 8, 11, ...stamp.slice(4), 0],
    [5, 3, 0],
    [5, 255],
  ];
  for (const options of lists) peer.inject("PA", { seq: 1, ack: 1, length: 10, options });
  lab.quiet(1000);
  peer.inject("PA", { seq: 1, ack: 1, length: 10, options: stamp });
  expect(lab.read(qd)).toEqual(concat(new Uint8Array(10).fill(0x61)));
  peer.take();
});
