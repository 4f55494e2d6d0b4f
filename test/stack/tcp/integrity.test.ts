/**
 * What is sent, and sent again in any order, is what was pushed: no header lands on another
 * segment's payload, whatever the device can do. Every segment's checksum is verified on reading.
 */
import { expect, test } from "bun:test";
import { pattern } from "../packets";
import { accepted, type Peer } from "./peer";
import { randomness } from "./randomness";

interface Shape {
  readonly mss: number;
  readonly mtu: number;
  readonly checksum: boolean;
  readonly segmentMax: number;
  readonly chainMax: number;
}

const devices = [
  { checksum: false, segmentMax: 0, chainMax: 1 },
  { checksum: true, segmentMax: 0, chainMax: 1 },
  { checksum: false, segmentMax: 0, chainMax: 16 },
  { checksum: true, segmentMax: 0, chainMax: 16 },
  { checksum: true, segmentMax: 65_535, chainMax: 40 },
];
const links = [
  { mss: 536, mtu: 1500 },
  { mss: 1460, mtu: 1500 },
  { mss: 8960, mtu: 9000 },
];
const shapes: Shape[] = links.flatMap((link) => devices.map((device) => ({ ...link, ...device })));

function name({ mss, checksum, segmentMax, chainMax }: Shape): string {
  const abilities = [
    checksum && "checksum",
    segmentMax > 0 && "segmentation",
    chainMax > 1 && "chains",
  ];
  return `MSS ${mss}, device with ${abilities.filter(Boolean).join(", ") || "nothing"}`;
}

/** Checks every segment's bytes against what was pushed; the segments. */
function verify(peer: Peer, bytes: Uint8Array, shape: Shape) {
  const sent = peer.take();
  for (const { seq, length, payload } of sent) {
    if (shape.segmentMax === 0) expect(length).toBeLessThanOrEqual(shape.mss);
    expect(Buffer.compare(payload, bytes.subarray(seq - 1, seq - 1 + length))).toBe(0);
  }
  return sent;
}

/** Sizes of the pushes: one large array, arrays that end inside segments, many small ones. */
const sizes: Record<string, number[]> = {
  "one push of 100,000": [100_000],
  "pushes of odd sizes": [1, 999, 5000, 1461, 2920, 37, 40_000, 1459, 20_000, 3, 8961],
  "pushes of 40 bytes": new Array<number>(600).fill(40),
};

/** Pushes it all and loses a quarter of the segments; every byte must have come right in the end. */
function transfer(shape: Shape, lengths: readonly number[], random: () => number): void {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const bytes = pattern(total);
  const { lab, peer, qd } = accepted({ mss: shape.mss, scale: 7 }, { noDelay: false }, shape);
  let at = 0;
  for (const length of lengths) {
    lab.push(qd, bytes.subarray(at, at + length));
    at += length;
  }
  const got = new Set<number>();
  let acknowledged = 1;
  for (let round = 0; round < 2000 && acknowledged <= total; round++) {
    const sent = verify(peer, bytes, shape);
    for (const { seq, length } of sent) {
      if (random() < 0.25) continue;
      for (let byte = seq; byte < seq + length; byte++) got.add(byte);
      while (got.has(acknowledged)) acknowledged++;
      // Acknowledging inside a segment makes later ones start where no push did.
      const inside = Math.max(1, acknowledged - Math.floor(random() * 90));
      peer.inject("A", { seq: 1, ack: random() < 0.3 ? inside : acknowledged });
    }
    if (sent.length === 0) lab.advance(2000, 50);
  }
  expect(acknowledged).toBe(total + 1);
  lab.finish();
}

for (const shape of shapes) {
  for (const [pushes, lengths] of Object.entries(sizes)) {
    test(`${name(shape)}: ${pushes} survive random loss`, () => {
      for (const seed of [1, 2]) transfer(shape, lengths, randomness(seed));
    });
  }
}

test("many small pushes never make a packet of more pieces than the device takes", () => {
  const shape = { mss: 8960, mtu: 9000, checksum: false, segmentMax: 0, chainMax: 4 };
  const bytes = pattern(30_000);
  const { lab, peer, qd } = accepted({ mss: 8960, scale: 7 }, { noDelay: false }, shape);
  for (let at = 0; at < bytes.length; at += 50) lab.push(qd, bytes.subarray(at, at + 50));
  let acknowledged = 1;
  for (let round = 0; round < 100 && acknowledged < bytes.length + 1; round++) {
    const sent = verify(peer, bytes, shape);
    for (const { seq, length } of sent) if (seq <= acknowledged) acknowledged = seq + length;
    peer.inject("A", { seq: 1, ack: acknowledged });
    if (sent.length === 0) lab.advance(2000, 50);
  }
  expect(acknowledged).toBe(bytes.length + 1);
});

test("an echo of received arrays is byte-exact, also when it is sent again", () => {
  const { lab, peer, qd } = accepted({ scale: 7 });
  const bytes = pattern(30_000);
  for (let at = 0; at < bytes.length; at += 1000) {
    peer.inject("PA", { seq: 1 + at, ack: 1, payload: bytes.subarray(at, at + 1000) });
    const { frame } = lab.result(lab.pop(qd, at % 3000 === 0 ? 300 : 0));
    expect(lab.host.stack.exports.push(qd, frame)).toBeGreaterThan(0);
  }
  let acknowledged = 1;
  for (let round = 0; round < 1000 && acknowledged < bytes.length + 1; round++) {
    for (const { seq, length, payload } of peer.take()) {
      expect(payload).toEqual(bytes.subarray(seq - 1, seq - 1 + length));
      if (seq === acknowledged && round % 3 !== 0) acknowledged += length;
    }
    peer.inject("A", { seq: bytes.length + 1, ack: acknowledged });
    // Without a sample the timeout stays doubled (RFC 6298 5), and this peer keeps nothing beyond a gap.
    lab.advance(5000, 100);
  }
  expect(acknowledged).toBe(bytes.length + 1);
});

test("a packet that the device still holds is not written to when its segment goes again", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(1000));
  lab.host.completions();
  lab.host.poll();
  peer.inject("PA", { seq: 1, ack: 1, length: 50 });
  lab.advance(250);
  const sent = peer.take().filter(({ length }) => length > 0);
  expect(sent.map(({ seq, ack, length }) => [seq, ack, length])).toEqual([
    [1, 1, 1000],
    [1, 51, 1000],
  ]);
});
