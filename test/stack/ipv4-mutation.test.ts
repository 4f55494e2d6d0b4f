/**
 * Frames of every protocol with random damage, cut into random pieces. Whatever comes in, nothing
 * traps, every frame comes back to the pool, and a socket beside it goes on receiving.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { KIND_DATAGRAM, KIND_STREAM } from "../../assembly/layout";
import { Host } from "./host";
import {
  arpFrame,
  concat,
  echo,
  ethernet,
  hostAddress,
  icmp,
  icmpFrame,
  internetChecksum,
  ipv4,
  pattern,
  peerAddress,
  tcpFrame,
  u16,
  udp,
  udpFrame,
} from "./packets";

const port = 7;

const quoted = ipv4(udp(pattern(8)), { source: hostAddress, destination: peerAddress });
const seeds: readonly Uint8Array[] = [
  arpFrame(),
  arpFrame({ operation: 2 }),
  icmpFrame(echo(pattern(100))),
  icmpFrame(echo(pattern(64)), { options: [7, 7, 4, 0, 0, 0, 0, 0] }),
  icmpFrame(icmp(3, 3, concat([0, 0, 0, 0], quoted))),
  icmpFrame(echo(pattern(40)), { fragment: 0x2000, identification: 5 }),
  icmpFrame(pattern(40), { fragment: 6, identification: 5 }),
  ethernet(ipv4(pattern(30), { protocol: 99 })),
  udpFrame(pattern(50), { destinationPort: port }),
  udpFrame(pattern(50), { destinationPort: 99 }),
  tcpFrame(pattern(0), { flags: 2, options: [2, 4, 5, 180, 1, 3, 3, 7] }),
  tcpFrame(pattern(20), { flags: 0x10, options: [] }),
  tcpFrame(pattern(5), { flags: 0x11, options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0] }),
  tcpFrame(pattern(0), { flags: 4, options: [] }),
];

/** Puts a right header checksum into an IPv4 frame, so that damage gets past that check. */
function repair(frame: Uint8Array): void {
  const length = ((frame[14] as number) & 15) * 4;
  if (frame.length < 14 + Math.max(length, 20) || frame[12] !== 8 || frame[13] !== 0) return;
  frame.set([0, 0], 24);
  frame.set(u16(internetChecksum(frame.subarray(14, 14 + length))), 24);
}

const damage = fc.record({
  seed: fc.nat(seeds.length - 1),
  flips: fc.array(fc.tuple(fc.nat(150), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
  length: fc.option(fc.nat(200), { nil: undefined }),
  repaired: fc.boolean(),
  split: fc.array(fc.nat(60), { maxLength: 3 }),
  checksum: fc.option(fc.constantFrom("verified" as const, "partial" as const), { nil: undefined }),
});

test("damaged frames do no harm (attack corpus, universal oracle)", () => {
  const host = new Host({ arpTtlUs: 0xffff_ffff });
  host.exchange(arpFrame());
  const qd = host.stack.exports.socket(KIND_DATAGRAM);
  host.stack.writeAddress(0);
  expect(host.stack.exports.bind(qd, port)).toBe(0);
  const listener = host.stack.exports.socket(KIND_STREAM);
  host.stack.writeAddress(0);
  expect(host.stack.exports.bind(listener, 80)).toBe(0);
  expect(host.stack.exports.listen(listener, 16)).toBe(0);

  fc.assert(
    fc.property(damage, ({ seed, flips, length, repaired, split, checksum }) => {
      const frame = (seeds[seed] as Uint8Array).slice(0, length);
      for (const [at, value] of flips) if (at < frame.length) frame[at] = value;
      if (repaired) repair(frame);
      host.send(frame, { split, ...(checksum === undefined ? {} : { checksum }) });
      host.sent();
      host.stack.exports.pop(qd, 0);
      for (const completion of host.completions()) host.take(completion.frame);
    }),
    { numRuns: 4000 },
  );

  // Pops that wait get these, one each, then the queue is as empty as before.
  host.send(udpFrame(pattern(33), { destinationPort: port }));
  const payloads = host.completions().map(({ frame }) => host.take(frame));
  expect(payloads).toEqual([pattern(33)]);
  // Half-open connections and incomplete sets time out; then nothing is held.
  host.advance(100_000_000, 500_000);
  host.sent();
  expect(host.framesOut()).toBe(0);
});
