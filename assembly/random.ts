/**
 * The stack's only source of unpredictable numbers: SipHash-2-4 in counter mode under a key from the
 * host's seed. The same seed gives the same numbers, so a run can be replayed.
 */
import { sipHash24 } from "./crypto/siphash";
import { OPEN_SEED_SIZE } from "./layout";

/** Words of the seed by use; a use never shares its key with another. */
const KEY_RANDOM: u32 = 0;
/** First word of the key for connection hashes; the next is its second half. */
export const KEY_CONNECTIONS: u32 = 2;
/** First word of the key for initial sequence numbers (RFC 6528). */
export const KEY_SEQUENCES: u32 = 4;
/** First word of the key for ports, IPv4 identifications and the neighbour table. */
export const KEY_NETWORK: u32 = 6;

const words: usize = memory.data(64, 8);
let counter: u64 = 0;

/** Takes the host's 64 random bytes at `seed`. */
export function seedRandom(seed: usize): void {
  memory.copy(words, seed, OPEN_SEED_SIZE);
  counter = 0;
}

/** Word `index` (0 to 7) of the seed, half a key for keyed hashes. */
export function secretKey(index: u32): u64 {
  return load<u64>(words + ((<usize>index) << 3));
}

export function randomU32(): u32 {
  return <u32>sipHash24(secretKey(KEY_RANDOM), secretKey(KEY_RANDOM + 1), counter++, 0);
}

/** A number below `limit`; biased by less than `limit` in 2^32. */
export function randomBelow(limit: u32): u32 {
  return <u32>((<u64>randomU32() * <u64>limit) >> 32);
}
