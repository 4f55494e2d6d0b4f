/** The Internet checksum over a chain of frames. */
import { fold, sumBytes } from "../wire/checksum";
import { Frame } from "./frame";

/**
 * Folded sum of `bytes` of a packet from `skip` bytes after its start. A piece that starts at an odd
 * place contributes its sum with the bytes swapped (RFC 1071 section 2 (B)).
 */
export function sumChain(packet: Frame, skip: u32, bytes: u32): u32 {
  const length: u32 = packet.length;
  if (skip + bytes <= length) return sumBytes(packet.data + skip, bytes);
  let frame: Frame | null = packet;
  let from = skip;
  let left = bytes;
  let sum: u64 = 0;
  let odd = false;
  while (frame !== null && left > 0) {
    const held: u32 = frame.length;
    if (from >= held) {
      from -= held;
    } else {
      const part = min(left, held - from);
      const piece = sumBytes(frame.data + from, part);
      sum += odd ? bswap<u16>(<u16>piece) : piece;
      if ((part & 1) != 0) odd = !odd;
      left -= part;
      from = 0;
    }
    frame = frame.next;
  }
  return fold(sum);
}
