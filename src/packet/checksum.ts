/**
 * RFC 1071's sum. It is the same in either byte order, so words are added as little-endian ones,
 * which the machine reads fastest, and swapped once at the end.
 */

/**
 * One's complement sum of the 16-bit words in [start, end), not complemented; an odd last byte counts
 * as a word's upper half. `initial` is such a sum, so sums of pieces of even length can be joined.
 * At most 65,536 bytes.
 */
export function sumBytes(view: DataView, start: number, end: number, initial = 0): number {
  let sum = 0;
  let at = start;
  for (; at + 16 <= end; at += 16) {
    const a = view.getInt32(at, true);
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    const low = (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff);
    sum = (sum + low + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
  }
  for (; at + 2 <= end; at += 2) sum += view.getUint16(at, true);
  if (at < end) sum += view.getUint8(at);
  const folded = fold(sum >>> 0);
  return fold((((folded & 0xff) << 8) | (folded >>> 8)) + initial);
}

/** Adds the carries back in until 16 bits are left. */
export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

/** What a checksum field has to hold when everything else, it taken as zero, sums up to `sum`. */
export function complement(sum: number): number {
  return ~sum & 0xffff;
}

/** Takes a 16-bit word out of a sum again. */
export function sumWithout(sum: number, word: number): number {
  return fold(sum + complement(word));
}

/** Sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1) of two addresses' sum. */
export function pseudoHeaderSum(addressesSum: number, protocol: number, length: number): number {
  return fold(addressesSum + protocol + fold(length));
}
