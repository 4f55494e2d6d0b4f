/** Segments larger than the link's: what a device with segmentation sends and receives at once. */
import { expect, test } from "bun:test";
import { METADATA_HEADER_LENGTH, METADATA_SEGMENT_SIZE } from "../../../assembly/layout";
import { type ConnectionView, Connections } from "../../../src/wasm/connections";
import { pattern } from "../packets";
import { accepted } from "./peer";
import { readSegment } from "./segments";

const device = { checksum: true, segmentMax: 65_535, chainMax: 40, partialReceive: true };

test("one packet carries whole segments and says their size", () => {
  const { lab, peer, qd } = accepted({ scale: 7 }, {}, device);
  const bytes = pattern(14_600);
  lab.push(qd, bytes);
  lab.host.completions();
  const [packet, ...rest] = lab.host.sent();
  expect(rest).toEqual([]);
  const segment = readSegment(packet as NonNullable<typeof packet>);
  expect(segment).toMatchObject({ flags: "PA", payload: bytes });
  expect(packet?.metadata?.getUint16(METADATA_SEGMENT_SIZE, true)).toBe(1460);
  expect(packet?.metadata?.getUint16(METADATA_HEADER_LENGTH, true)).toBe(54);
  peer.inject("A", { seq: 1, ack: 14_601 });
  lab.quiet(1000);
});

test("what an application has left unused costs later pushes no super-frame", () => {
  const { lab, peer, qd } = accepted({ scale: 7 }, {}, device);
  lab.push(qd, pattern(1000));
  peer.expect({ flags: "PA", seq: 1, length: 1000 });
  lab.advance(50);
  peer.inject("A", { seq: 1, ack: 1001 });
  const view = new Connections(lab.host.stack).of(qd) as ConnectionView;
  expect(view.isRateLimited).toBe(true);
  lab.push(qd, pattern(14_600));
  peer.expect({ flags: "PA", seq: 1001, length: 14_600 });
});

test("a packet of one segment asks for no segmentation", () => {
  const { lab, qd } = accepted({ scale: 7 }, {}, device);
  lab.push(qd, pattern(1460));
  lab.host.completions();
  const [packet] = lab.host.sent();
  expect(packet?.metadata?.getUint16(METADATA_SEGMENT_SIZE, true)).toBe(0);
});

test("a ring smaller than the device's longest chain bounds the pieces, not the progress", () => {
  const { lab, peer, qd } = accepted({ scale: 7 }, { ringEntries: 16 }, device);
  lab.push(qd, pattern(14_600));
  let received = 1;
  for (let turn = 0; turn < 20 && received <= 14_600; turn++) {
    for (const { seq, length } of peer.take()) {
      if (seq === received) received += length;
    }
    peer.inject("A", { seq: 1, ack: received });
  }
  expect(received).toBe(14_601);
});

test("the congestion and the peer's window bound what a packet carries", () => {
  const { lab, peer, qd } = accepted({ window: 5000 }, {}, device);
  lab.push(qd, pattern(60_000));
  const sent = peer.take();
  expect(sent.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(5000);
  expect(sent[0]?.length).toBe(4380);
});

test("Nagle: what is left behind whole segments waits, as without super-frames (3.7.4)", () => {
  const { lab, peer, qd } = accepted({ scale: 7 }, { noDelay: false }, device);
  lab.push(qd, pattern(3000));
  peer.expect({ flags: "A", seq: 1, length: 2920 });
  peer.inject("A", { seq: 1, ack: 2921 });
  peer.expect({ flags: "PA", seq: 2921, length: 80 });
});

test("after a timeout one segment of a super-frame goes again", () => {
  const { lab, peer, qd } = accepted({ scale: 7 }, {}, device);
  lab.push(qd, pattern(14_600));
  peer.expect({ flags: "PA", seq: 1, length: 14_600 });
  peer.inject("A", { seq: 1, ack: 2921 });
  lab.advance(250);
  peer.expect({
    flags: "A",
    seq: 2921,
    length: 1460,
    payload: pattern(14_600).subarray(2920, 4380),
  });
});

test("received packets of up to 64 KiB are one segment, in order or not", () => {
  const { lab, peer, qd } = accepted({ scale: 7 }, {}, device);
  const bytes = pattern(180_000);
  // Reading the first byte opens the window beyond what a SYN can say.
  peer.inject("PA", { seq: 1, ack: 1, length: 1 });
  expect(lab.read(qd)).toHaveLength(1);
  for (const checksum of ["verified", "partial"] as const) {
    const base = checksum === "verified" ? 1 : 180_001;
    for (const at of [60_000, 0, 120_000]) {
      const payload = bytes.subarray(at, at + 60_000);
      const frame = peer.frame("PA", { seq: 1 + base + at, ack: 1, payload }, { checksum: 0 });
      lab.host.send(frame, { checksum });
    }
    expect(Buffer.compare(lab.read(qd), bytes)).toBe(0);
  }
  expect(peer.take().at(-1)?.ack).toBe(360_002);
});

test("a received packet is acknowledged at once when it holds two segments or more (SHLD-19)", () => {
  const { lab, peer } = accepted({ scale: 7 }, {}, device);
  const frame = peer.frame("PA", { seq: 1, ack: 1, payload: pattern(2920) }, { checksum: 0 });
  lab.host.send(frame, { checksum: "verified" });
  peer.expect({ flags: "A", ack: 2921 });
});
