/** IPv4 addresses in their 16-byte places: IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2). */
import { ADDRESS_IPV4 } from "../layout";

/** The word before the IPv4 address, ::ffff:0:0, as it loads from memory. */
export const MAPPED_PREFIX: u32 = 0xffff_0000;

/** Writes an address (network byte order) to the 16 bytes at `at`. */
export function storeMapped(at: usize, address: u32): void {
  store<u64>(at, 0);
  store<u32>(at, MAPPED_PREFIX, 8);
  store<u32>(at, address, ADDRESS_IPV4);
}
