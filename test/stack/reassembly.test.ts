/** IPv4 reassembly: any order, overlap, bounds, timeout (attack corpus I03, I04). */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  COUNTER_DROP_FRAGMENT,
  COUNTER_ICMP_ERRORS_SENT,
  COUNTER_IP_REASSEMBLED,
  COUNTER_TIMERS_ARMED,
} from "../../assembly/layout";
import { Host } from "./host";
import { arpFrame, concat, echo, icmpFrame, internetSum, pattern, readIpv4 } from "./packets";

function greeted(...options: ConstructorParameters<typeof Host>): Host {
  const host = new Host({ arpTtlUs: 0xffff_ffff, ...options[0] }, options[1]);
  host.exchange(arpFrame());
  return host;
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly more: boolean;
}

/** The fragment of a message from byte `from` to `to`. */
function fragment(message: Uint8Array, piece: Piece, identification = 1, source = "10.0.0.2") {
  const field = (piece.more ? 0x2000 : 0) | (piece.from >>> 3);
  const payload = message.subarray(piece.from, piece.to);
  return icmpFrame(payload, { fragment: field, identification, source });
}

function piece(from: number, to: number, more: boolean): Piece {
  return { from, to, more };
}

/** Pieces of a message, cut at these places. */
function pieces(length: number, cuts: readonly number[]): Piece[] {
  const borders = [0, ...cuts, length];
  return borders
    .slice(1)
    .map((to, index) => piece(borders[index] as number, to, index < cuts.length));
}

function expectReply(frames: readonly Uint8Array[], data: Uint8Array): void {
  const whole = concat(...frames.map((frame) => readIpv4(frame).payload));
  expect(whole.subarray(8)).toEqual(data);
  expect(internetSum(whole)).toBe(0xffff);
}

test("fragments are joined in every order and with duplicates", () => {
  const host = greeted();
  const message = echo(pattern(200));
  const cut = fc.uniqueArray(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 8 });
  let identification = 0;
  fc.assert(
    fc.property(cut, fc.infiniteStream(fc.nat()), (cuts, chance) => {
      identification++;
      const all = pieces(
        message.length,
        cuts.sort((one, other) => one - other).map((at) => at * 8),
      );
      const order = all
        .map((part) => ({ part, key: chance.next().value as number }))
        .sort((one, other) => one.key - other.key)
        .map(({ part }) => part);
      const twice = order.slice(0, -1).flatMap((part) => [part, part]);
      const frames = [...twice, order.at(-1) as Piece].flatMap((part) =>
        host.exchange(fragment(message, part, identification)),
      );
      expectReply(frames, pattern(200));
    }),
    { numRuns: 200 },
  );
  expect(host.framesOut()).toBe(0);
});

test("fragments that are chains themselves are joined", () => {
  const host = greeted();
  const message = echo(pattern(3000));
  host.send(fragment(message, piece(1480, 3008, false)), { split: [50, 333] });
  host.send(fragment(message, piece(0, 1480, true)), { split: [70, 501] });
  expectReply(
    host.sent().map(({ bytes }) => bytes),
    pattern(3000),
  );
  expect(host.counter(COUNTER_IP_REASSEMBLED)).toBe(1);
  expect(host.framesOut()).toBe(0);
});

test("sets are kept apart by identification and source", () => {
  const host = greeted();
  host.exchange(arpFrame({ sender: "10.0.0.3" }));
  const one = echo(pattern(100));
  const other = echo(pattern(100).reverse());
  const first = piece(0, 48, true);
  const last = piece(48, 108, false);
  expect(host.exchange(fragment(one, first, 1))).toEqual([]);
  expect(host.exchange(fragment(other, first, 2))).toEqual([]);
  expect(host.exchange(fragment(other, first, 1, "10.0.0.3"))).toEqual([]);
  expectReply(host.exchange(fragment(other, last, 2)), pattern(100).reverse());
  expectReply(host.exchange(fragment(one, last, 1)), pattern(100));
  expectReply(host.exchange(fragment(other, last, 1, "10.0.0.3")), pattern(100).reverse());
});

test("overlapping and contradicting fragments condemn the whole set (I03)", () => {
  const message = echo(pattern(400));
  const shapes: Record<string, readonly [Piece, Piece]> = {
    "head overlaps": [piece(0, 64, true), piece(56, 120, true)],
    "tail overlaps": [piece(64, 128, true), piece(0, 72, true)],
    "second inside first": [piece(0, 128, true), piece(24, 48, true)],
    "first inside second": [piece(24, 48, true), piece(0, 128, true)],
    "same start, longer": [piece(0, 64, true), piece(0, 72, true)],
    "same start, shorter": [piece(0, 64, true), piece(0, 56, true)],
    "last again with another length": [piece(64, 100, false), piece(64, 110, false)],
    "last again before the end": [piece(64, 100, false), piece(8, 40, false)],
    "beyond the last": [piece(64, 96, false), piece(96, 128, true)],
    "same range, other end": [piece(64, 96, false), piece(64, 96, true)],
  };
  for (const [name, shape] of Object.entries(shapes)) {
    const host = greeted();
    for (const part of shape) expect(host.exchange(fragment(message, part))).toEqual([]);
    expect([name, host.counter(COUNTER_DROP_FRAGMENT)]).toEqual([name, 2]);
    expect([name, host.framesOut()]).toEqual([name, 0]);
  }
});

test("a tiny overlap cannot rewrite an accepted header (I03)", () => {
  const host = greeted();
  const message = echo(pattern(100));
  host.exchange(fragment(message, piece(0, 56, true)));
  host.exchange(fragment(message, piece(8, 56, true)));
  expect(host.exchange(fragment(message, piece(56, 108, false)))).toEqual([]);
});

test("empty fragments, odd lengths and the ping of death are dropped (I03)", () => {
  const host = greeted();
  const field = (offset: number, more: boolean) => (more ? 0x2000 : 0) | offset;
  const frames = [
    icmpFrame(new Uint8Array(0), { fragment: field(0, true) }),
    icmpFrame(new Uint8Array(0), { fragment: field(5, false) }),
    icmpFrame(pattern(7), { fragment: field(0, true) }),
    icmpFrame(pattern(1479), { fragment: field(0, true) }),
    icmpFrame(pattern(1480), { fragment: field(0x1fff, false) }),
    icmpFrame(pattern(8), { fragment: field(0x1fff, true) }),
    icmpFrame(pattern(24), { fragment: field(8190, true) }),
  ];
  for (const frame of frames) expect(host.exchange(frame)).toEqual([]);
  expect(host.counter(COUNTER_DROP_FRAGMENT)).toBe(frames.length);
  expect(host.framesOut()).toBe(0);
});

test("a datagram that its first header's options make too long is dropped", () => {
  const host = greeted();
  const options = new Array(40).fill(1);
  const length = 65535 - 20;
  const message = echo(pattern(length - 8));
  for (let at = 1480; at < length; at += 1480) {
    host.send(fragment(message, piece(at, Math.min(at + 1480, length), at + 1480 < length)));
  }
  host.send(icmpFrame(message.subarray(0, 1480), { fragment: 0x2000, identification: 1, options }));
  expect(host.sent()).toEqual([]);
  expect(host.framesOut()).toBe(0);
});

test("an incomplete set is given up after 30 s, and its sender told when it began (I03)", () => {
  const host = greeted();
  const message = echo(pattern(100));
  const first = fragment(message, piece(0, 48, true), 1);
  host.exchange(first);
  host.exchange(fragment(message, piece(48, 108, false), 2));
  host.advance(29_500_000);
  expect(host.counter(COUNTER_DROP_FRAGMENT)).toBe(0);
  host.advance(1_000_000);
  const errors = host.sent().map(({ bytes }) => readIpv4(bytes).payload);
  expect(errors.map((payload) => [payload[0], payload[1]])).toEqual([[11, 1]]);
  expect(errors[0]?.subarray(8)).toEqual(first.subarray(14));
  expect(host.counter(COUNTER_DROP_FRAGMENT)).toBe(2);
  expect(host.framesOut()).toBe(0);
});

test("no error is sent about an incomplete ICMP error (RFC 1122 section 3.2.2)", () => {
  const host = greeted();
  const message = echo(pattern(100));
  message[0] = 3;
  host.exchange(fragment(message, piece(0, 48, true)));
  host.advance(31_000_000);
  expect(host.sent()).toEqual([]);
  expect(host.counter(COUNTER_ICMP_ERRORS_SENT)).toBe(0);
});

test("many incomplete sets stay within the limit and the youngest can be completed (I04)", () => {
  const host = greeted({ reassemblySets: 4 });
  const message = echo(pattern(100));
  for (let identification = 1; identification <= 3000; identification++) {
    host.send(fragment(message, piece(0, 48, true), identification));
  }
  host.sent();
  expect(host.framesOut()).toBe(4);
  expect(host.counter(COUNTER_DROP_FRAGMENT)).toBe(2996);
  expectReply(host.exchange(fragment(message, piece(48, 108, false), 3000)), pattern(100));
  host.advance(31_000_000);
  host.sent();
  expect(host.framesOut()).toBe(0);
  expect(host.counter(COUNTER_TIMERS_ARMED)).toBeLessThanOrEqual(1);
});

test("a set of very many fragments is given up (I04)", () => {
  const host = greeted();
  const message = echo(pattern(4000));
  for (let at = 0; at < 200 * 16; at += 16) {
    host.send(fragment(message, piece(at, at + 8, true)));
    host.sent();
  }
  expect(host.framesOut()).toBeLessThanOrEqual(128);
  expect(host.counter(COUNTER_DROP_FRAGMENT)).toBeGreaterThanOrEqual(129);
});

test("all sets together hold an eighth of the frames at most (I04)", () => {
  const host = greeted({ frames: 1024, ringEntries: 256, reassemblySets: 64 });
  const message = echo(pattern(2000));
  for (let identification = 1; identification <= 60; identification++) {
    for (let at = 0; at < 160; at += 16) {
      host.send(fragment(message, piece(at, at + 8, true), identification));
      host.sent();
    }
  }
  expect(host.framesOut()).toBeLessThanOrEqual(128);
  expect(host.framesOut()).toBeGreaterThan(100);
});
