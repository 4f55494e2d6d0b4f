/** SACK of what is received (RFC 2018) and duplicates (RFC 2883), whatever comes in whatever order. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Lab } from "./lab";
import { Peer, type Script } from "./peer";
import { option } from "./segments";

const TOTAL = 6000;
const piece = fc.tuple(fc.nat(TOTAL - 1), fc.integer({ min: 1, max: 1460 }));

type Block = readonly [left: number, right: number];

/** The blocks of an acknowledgment, relative to the peer's initial number. */
function blocksOf(options: readonly number[], initial: number): Block[] {
  if (options.length === 0) return [];
  expect(options.slice(0, 3)).toEqual([1, 1, 5]);
  expect(options.length).toBe((options[3] as number) + 2);
  expect((options.length - 4) % 8).toBe(0);
  const view = new DataView(Uint8Array.from(options).buffer);
  return Array.from({ length: (options.length - 4) / 8 }, (_, index) => [
    (view.getUint32(4 + 8 * index) - initial) >>> 0,
    (view.getUint32(8 + 8 * index) - initial) >>> 0,
  ]);
}

function permitted(): { lab: Lab; peer: Peer } {
  const lab = new Lab();
  const listener = lab.listen();
  const peer = new Peer(lab);
  peer.inject("S", { options: [...option.mss(1460), ...option.sackPermitted] });
  const [synAck] = peer.take();
  expect(synAck?.options).toEqual([...option.mss(1460), ...option.sackPermitted]);
  peer.inject("A", { seq: 1, ack: 1 });
  lab.accepted(listener);
  return { lab, peer };
}

/** What one acknowledgment says, given what had come before and has come now. */
function check(
  { ack, options }: Required<Script>,
  initial: number,
  [seq, end]: Block,
  before: ReadonlySet<number>,
): void {
  const blocks = blocksOf(options, initial);
  expect(blocks.length).toBeLessThanOrEqual(4);
  for (const [left, right] of blocks) expect(right).toBeGreaterThan(left);
  const held = (at: number) => before.has(at) || (at >= seq && at < end);
  const [first, second] = blocks;
  const isInside = (inner?: Block, outer?: Block) =>
    inner !== undefined && outer !== undefined && inner[0] >= outer[0] && inner[1] <= outer[1];
  const isDuplicate = first !== undefined && (first[0] < ack || isInside(first, second));
  if (isDuplicate) {
    expect(isInside(first, [seq, end])).toBe(true);
    for (let at = first[0]; at < first[1]; at++) expect(before.has(at)).toBe(true);
  }
  const runs = isDuplicate ? blocks.slice(1) : blocks;
  for (const [left, right] of runs) {
    expect(left).toBeGreaterThan(ack);
    // A run is told whole: what adjoins it has not come.
    expect(held(left - 1) || held(right)).toBe(false);
    for (let at = left; at < right; at++) expect(held(at)).toBe(true);
  }
  if (seq > ack) {
    const [run] = runs;
    expect(run !== undefined && run[0] <= seq && run[1] >= end).toBe(true);
  }
}

test("the first block holds what came last, all tell the truth (RFC 2018 4, RFC 2883 4)", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const { lab, peer } = permitted();
      const before = new Set<number>();
      for (const [at, length] of pieces) {
        const seq = 1 + at;
        const end = Math.min(TOTAL, at + length) + 1;
        peer.inject("PA", { seq, ack: 1, length: end - seq });
        lab.advance(50, 50);
        for (const sent of peer.take()) check(sent, peer.initial, [seq, end], before);
        for (let byte = seq; byte < end; byte++) before.add(byte);
      }
      lab.finish();
    }),
    { numRuns: 60, seed: 11 },
  );
});

test("duplicates of one batch are told each by an acknowledgment of its own (RFC 2883 4)", () => {
  const { lab, peer } = permitted();
  peer.inject("PA", { seq: 1, ack: 1, length: 3000 });
  lab.advance(50);
  peer.take();
  lab.hold();
  peer.inject("PA", { seq: 1, ack: 1, length: 100 });
  peer.inject("PA", { seq: 1001, ack: 1, length: 100 });
  peer.inject("PA", { seq: 1101, ack: 1, length: 100 });
  const told = peer.take().map(({ options }) => blocksOf(options, peer.initial));
  expect(told).toEqual([[[1, 101]], [[1001, 1201]]]);
});
