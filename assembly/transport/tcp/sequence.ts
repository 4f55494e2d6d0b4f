/** Sequence numbers compare modulo 2^32 (RFC 9293 section 3.4). */

export function before(a: u32, b: u32): bool {
  return <i32>(a - b) < 0;
}

export function after(a: u32, b: u32): bool {
  return <i32>(a - b) > 0;
}

export function laterOf(a: u32, b: u32): u32 {
  return after(a, b) ? a : b;
}

export function earlierOf(a: u32, b: u32): u32 {
  return before(a, b) ? a : b;
}
