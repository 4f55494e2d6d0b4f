/** Checksums and SipHash against independent ones; the random source. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Host } from "./host";
import { addressBytes, concat, internetSum, pseudoHeader } from "./packets";

const host = new Host();
const { bytes, memory, exports } = host.stack;
/** Scratch memory: an allocated frame's data, which nobody else touches. */
const scratch = host.stack.map.frames + 2048 * 1900;

function swapped(sum: number): number {
  return ((sum & 255) << 8) | (sum >>> 8);
}

test("sumBytes agrees with RFC 1071 word by word for every length and alignment", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 0, maxLength: 1600 }),
      fc.integer({ min: 0, max: 15 }),
      (data, alignment) => {
        bytes.set(data, scratch + alignment);
        const sum = host.probe.sumBytes(scratch + alignment, data.length);
        expect(sum).toBe(swapped(internetSum(data)));
      },
    ),
    { numRuns: 500 },
  );
});

test("sumBytes does not overflow on the longest packet of the largest words", () => {
  const data = new Uint8Array(65535).fill(0xff);
  bytes.set(data, scratch);
  expect(host.probe.sumBytes(scratch, 65535)).toBe(swapped(internetSum(data)));
});

test("sumHeader agrees with sumBytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (data) => {
      bytes.set(data, scratch);
      expect(host.probe.sumHeader(scratch)).toBe(host.probe.sumBytes(scratch, 20));
    }),
  );
});

test("pseudoHeaderSum agrees with the header written out", () => {
  const view = new DataView(memory.buffer);
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), fc.nat(255), fc.nat(65535), (from, to, protocol, length) => {
      bytes.set(concat(addressBytes(from), addressBytes(to)), scratch);
      const source = view.getUint32(scratch, true);
      const destination = view.getUint32(scratch + 4, true);
      const sum = host.probe.pseudoHeaderSum(source, destination, protocol, length);
      expect(sum).toBe(swapped(internetSum(pseudoHeader(from, to, protocol, length))));
    }),
  );
});

test("sumChain agrees with the sum of the joined bytes, whatever the cuts and lengths", () => {
  const halves = new Uint16Array(memory.buffer);
  const words = new Uint32Array(memory.buffer);
  const piece = fc.uint8Array({ minLength: 1, maxLength: 70 });
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 6 }),
      fc.nat(90),
      fc.nat(),
      (data, skip, part) => {
        const frames = data.map((contents) => host.array(contents));
        frames.forEach((frame, index) => {
          words[frame >>> 2] = frames[index + 1] ?? 0;
        });
        const whole = concat(...data);
        const from = Math.min(skip, whole.length - 1);
        const length = 1 + (part % (whole.length - from));
        const sum = host.probe.sumChain(frames[0] as number, from, length);
        expect(sum).toBe(swapped(internetSum(whole.subarray(from, from + length))));
        expect(halves[((frames[0] as number) + 10) >>> 1]).toBe(data[0]?.length as number);
        exports.release(frames[0] as number);
      },
    ),
    { numRuns: 300 },
  );
  expect(host.framesOut()).toBe(0);
});

test("SipHash-2-4 gives the published vector of its 16-byte message", () => {
  const low = 0x0706050403020100n;
  const high = 0x0f0e0d0c0b0a0908n;
  const hash = BigInt.asUintN(64, host.probe.sipHash24(low, high, low, high));
  // vectors_sip64[16] of the reference implementation: db 9b c2 57 7f cc 2a 3f.
  expect(hash).toBe(0x3f2acc7f57c29bdbn);
});

test("random numbers repeat with the seed and differ with another", () => {
  const draw = (seed: number) => {
    bytes.set(new Uint8Array(64).fill(seed), scratch);
    host.probe.seedRandom(scratch);
    return Array.from({ length: 50 }, () => host.probe.randomU32());
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  expect(new Set(draw(3)).size).toBe(50);
});

test("randomBelow stays below and reaches every value", () => {
  const seen = new Set(Array.from({ length: 400 }, () => host.probe.randomBelow(10)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("ephemeral ports are free, in the dynamic range, and differ by remote", () => {
  const udp = 17;
  const first = host.probe.portEphemeral(udp, 0x0200000a, 80);
  expect(first).toBeGreaterThanOrEqual(49152);
  expect(first).toBeLessThanOrEqual(65535);
  expect(host.probe.portInUse(udp, first)).toBe(0);
  host.probe.portTake(udp, first);
  expect(host.probe.portInUse(udp, first)).toBe(1);
  expect(host.probe.portInUse(6, first)).toBe(0);
  const steps = new Set<number>();
  let before = first;
  for (let index = 0; index < 64; index++) {
    const port = host.probe.portEphemeral(udp, 0x0300000a + index, 80);
    steps.add((port - before) & 0x3fff);
    before = port;
  }
  expect(steps.size).toBeGreaterThan(50);
  host.probe.portRelease(udp, first);
  expect(host.probe.portInUse(udp, first)).toBe(0);
});

test("no ephemeral port is answered once all are taken, and each is found before", () => {
  const tcp = 6;
  for (let count = 0; count < 16384; count++) {
    const port = host.probe.portEphemeral(tcp, 0x0200000a, 443);
    expect(host.probe.portInUse(tcp, port)).toBe(0);
    host.probe.portTake(tcp, port);
  }
  expect(host.probe.portEphemeral(tcp, 0x0200000a, 443)).toBe(0);
  for (let port = 49152; port < 65536; port++) host.probe.portRelease(tcp, port);
});
