/**
 * The Internet checksum (RFC 1071). Sums are one's-complement sums of 16-bit words as they load from
 * memory (little-endian), so they compare with and store into header fields without a byte swap.
 */

/** Below this many bytes the vector loop does not pay for its set-up. */
const VECTOR_MINIMUM: u32 = 64;

/** Folds a sum to 16 bits by end-around carry; any sum of 32-bit words may come in. */
export function fold(sum: u64): u32 {
  // A number and itself with its halves exchanged: the upper half of their sum is that of the halves, and
  // what the lower half carries is the carry that goes around.
  const half = <u32>((sum + rotl<u64>(sum, 32)) >> 32);
  return (half + rotl<u32>(half, 16)) >> 16;
}

/** Folded sum of `length` bytes; an odd last byte counts as if a zero byte followed it. */
export function sumBytes(address: usize, length: u32): u32 {
  return fold(sumWords(address, length));
}

/** The same before it is folded, to be added to what else a checksum covers: below 2^48. */
export function sumWords(address: usize, length: u32): u64 {
  let at = address;
  let left = length;
  let sum: u64 = 0;
  if (left >= VECTOR_MINIMUM) {
    const vectors = left & ~(VECTOR_MINIMUM - 1);
    sum = sumVectors(at, vectors);
    at += vectors;
    left -= vectors;
  }
  while (left >= 8) {
    const words = load<u64>(at);
    sum += (words & 0xffff_ffff) + (words >> 32);
    at += 8;
    left -= 8;
  }
  if ((left & 4) != 0) {
    sum += load<u32>(at);
    at += 4;
  }
  if ((left & 2) != 0) {
    sum += load<u16>(at);
    at += 2;
  }
  if ((left & 1) != 0) sum += load<u8>(at);
  return sum;
}

/**
 * Unfolded sum of a whole number of 64-byte blocks. Four accumulators hide the latency of the adds;
 * a lane takes 32,768 blocks before it could overflow, and no packet is 2 MiB long.
 */
function sumVectors(address: usize, length: u32): u64 {
  const end = address + length;
  let first = i32x4.splat(0);
  let second = first;
  let third = first;
  let fourth = first;
  for (let at = address; at < end; at += VECTOR_MINIMUM) {
    first = i32x4.add(first, i32x4.extadd_pairwise_i16x8_u(v128.load(at)));
    second = i32x4.add(second, i32x4.extadd_pairwise_i16x8_u(v128.load(at, 16)));
    third = i32x4.add(third, i32x4.extadd_pairwise_i16x8_u(v128.load(at, 32)));
    fourth = i32x4.add(fourth, i32x4.extadd_pairwise_i16x8_u(v128.load(at, 48)));
  }
  const sums = i64x2.add(
    i64x2.add(widen(first), widen(second)),
    i64x2.add(widen(third), widen(fourth)),
  );
  return i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1);
}

/** Adds pairs of unsigned 32-bit lanes into 64-bit lanes. */
function widen(lanes: v128): v128 {
  return i64x2.add(i64x2.extend_low_i32x4_u(lanes), i64x2.extend_high_i32x4_u(lanes));
}

/** Folded sum of a 20-byte IPv4 header, the length nearly all have. */
export function sumHeader(at: usize): u32 {
  const first = load<u64>(at);
  const second = load<u64>(at, 8);
  return fold(
    (first & 0xffff_ffff) +
      (first >> 32) +
      (second & 0xffff_ffff) +
      (second >> 32) +
      load<u32>(at, 16),
  );
}

/**
 * Sum of the IPv4 pseudo-header (RFC 9293 section 3.1, RFC 768), not folded. Addresses as loaded from
 * memory; `length` is the transport header's and data's, in bytes.
 */
export function pseudoHeaderWords(source: u32, destination: u32, protocol: u32, length: u32): u64 {
  return <u64>source + <u64>destination + <u64>(protocol << 8) + <u64>bswap<u16>(<u16>length);
}

/** The same folded. */
export function pseudoHeaderSum(source: u32, destination: u32, protocol: u32, length: u32): u32 {
  return fold(pseudoHeaderWords(source, destination, protocol, length));
}
