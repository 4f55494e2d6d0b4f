/** Sums against one that goes word by word, and against published values. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { complement, sumBytes, sumWithout } from "../../src/packet/checksum";
import { parseIp } from "../../src/packet/parse";
import { internetSum } from "../stack/packets";

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

test("sumBytes agrees with the sum word by word for every length and alignment", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1600 }), fc.nat(15), (data, alignment) => {
      const room = new Uint8Array(alignment + data.length + 3).fill(0xff);
      room.set(data, alignment);
      const sum = sumBytes(viewOf(room), alignment, alignment + data.length);
      expect(sum).toBe(internetSum(data));
    }),
    { numRuns: 500 },
  );
});

test("the longest packet of the largest words does not overflow", () => {
  for (const length of [65534, 65535, 65536]) {
    const data = new Uint8Array(length).fill(0xff);
    expect(sumBytes(viewOf(data), 0, length, 0xffff)).toBe(internetSum(data));
  }
});

test("sums of pieces of even length join", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(100), (data, half) => {
      const cut = Math.min(half * 2, data.length & ~1);
      const first = sumBytes(viewOf(data), 0, cut);
      expect(sumBytes(viewOf(data), cut, data.length, first)).toBe(internetSum(data));
    }),
  );
});

test("a word that is taken out of a sum leaves the sum of the others", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 60 }), (data) => {
      const without = Uint8Array.from(data);
      without.fill(0, 2, 4);
      const word = (data[2] as number) * 256 + (data[3] as number);
      const left = sumWithout(internetSum(data), word);
      // 0 and 0xffff are the same number in one's complement.
      expect(left % 0xffff).toBe(internetSum(without) % 0xffff);
    }),
  );
});

test("the example of RFC 1071 section 3", () => {
  const data = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  expect(sumBytes(viewOf(data), 0, 8)).toBe(0xddf2);
  expect(complement(0xddf2)).toBe(0x220d);
});

test("a published IPv4 header verifies, and a wrong one is told with the right checksum", () => {
  const packet = new Uint8Array(0x73);
  packet.set(Uint8Array.fromHex("45000073000040004011b861c0a80001c0a800c7"));
  // A UDP header without a checksum, so that nothing else is wrong.
  packet[25] = 0x73 - 20;
  expect(parseIp(packet).problems).toEqual([]);
  packet[10] = 0;
  expect(parseIp(packet).problems).toEqual(["IPv4 header checksum is 0x0061, should be 0xb861"]);
});
