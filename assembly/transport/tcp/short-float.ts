/** Numbers of which four digits are enough, in 16 bits: 12 of value, shifted by the upper 4. */
const VALUE_BITS: u32 = 12;
const VALUE_MAX: u32 = (1 << VALUE_BITS) - 1;
const LARGEST: u32 = VALUE_MAX << 15;

/** What lies above 134 million counts as that. */
export function toShortFloat(value: u32): u16 {
  const held = min(value, LARGEST);
  if (held <= VALUE_MAX) return <u16>held;
  const shift = 32 - VALUE_BITS - <u32>clz(held);
  return <u16>((shift << VALUE_BITS) | (held >> shift));
}

export function fromShortFloat(short: u16): u32 {
  return ((<u32>short) & VALUE_MAX) << ((<u32>short) >> VALUE_BITS);
}
