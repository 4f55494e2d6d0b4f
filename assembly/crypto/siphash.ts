/** SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that its outputs do not give away. */

/** Last block of a 16-byte message: the length in the top byte, no left-over bytes. */
const LAST_BLOCK: u64 = (<u64>16) << 56;

/** Hash of the 16-byte message `a`, `b` (little-endian words) under the key `k0`, `k1`. */
export function sipHash24(k0: u64, k1: u64, a: u64, b: u64): u64 {
  let v0 = k0 ^ 0x736f6d6570736575;
  let v1 = k1 ^ 0x646f72616e646f6d;
  let v2 = k0 ^ 0x6c7967656e657261;
  let v3 = k1 ^ 0x7465646279746573;
  let word = a;
  // Three blocks of two rounds each, then four rounds: the round stands once, so it inlines once.
  for (let round: u32 = 0; round < 10; round++) {
    const absorbs = round < 6;
    if (absorbs && (round & 1) == 0) v3 ^= word;
    v0 += v1;
    v2 += v3;
    v1 = rotl<u64>(v1, 13) ^ v0;
    v3 = rotl<u64>(v3, 16) ^ v2;
    v0 = rotl<u64>(v0, 32) + v3;
    v2 += v1;
    v1 = rotl<u64>(v1, 17) ^ v2;
    v3 = rotl<u64>(v3, 21) ^ v0;
    v2 = rotl<u64>(v2, 32);
    if (absorbs && (round & 1) == 1) {
      v0 ^= word;
      word = round == 1 ? b : LAST_BLOCK;
    }
    if (round == 5) v2 ^= 0xff;
  }
  return v0 ^ v1 ^ v2 ^ v3;
}
