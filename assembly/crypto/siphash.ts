/** SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that its outputs do not give away. */

/** Last blocks of messages of 16 and of 8 bytes: the length in the top byte, no left-over bytes. */
const LAST_BLOCK_16: u64 = (<u64>16) << 56;
const LAST_BLOCK_8: u64 = (<u64>8) << 56;

/** Hash of the 16-byte message `a`, `b` (little-endian words) under the key `k0`, `k1`. */
export function sipHash24(k0: u64, k1: u64, a: u64, b: u64): u64 {
  return digest(k0, k1, a, b, LAST_BLOCK_16, 3);
}

/** Hash of the 8-byte message `a` (a little-endian word). */
export function sipHash24Word(k0: u64, k1: u64, a: u64): u64 {
  return digest(k0, k1, a, LAST_BLOCK_8, 0, 2);
}

function digest(k0: u64, k1: u64, first: u64, second: u64, third: u64, blocks: u32): u64 {
  let v0 = k0 ^ 0x736f6d6570736575;
  let v1 = k1 ^ 0x646f72616e646f6d;
  let v2 = k0 ^ 0x6c7967656e657261;
  let v3 = k1 ^ 0x7465646279746573;
  let word = first;
  // Two rounds a block, then four: the round stands once, so it inlines once.
  const absorbing = blocks << 1;
  for (let round: u32 = 0; round < absorbing + 4; round++) {
    const absorbs = round < absorbing;
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
      word = round == 1 ? second : third;
    }
    if (round + 1 == absorbing) v2 ^= 0xff;
  }
  return v0 ^ v1 ^ v2 ^ v3;
}
