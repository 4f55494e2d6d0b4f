/** IPv4 addresses between their text, a u32, and the 16-byte IPv4-mapped places in memory. */
import { ADDRESS_IPV4, ERRNO_EINVAL } from "../../assembly/layout";
import { DemibunError } from "../errors";

const form = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const cache = new Map<string, number>();
const CACHE_MAX = 4096;

/** `"10.0.0.1"` → 0x0a000001. Throws EINVAL for anything else, host names and IPv6 included. */
export function parseIpv4(text: string, operation: string): number {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const parts = form.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) {
    throw new DemibunError({
      operation,
      errno: ERRNO_EINVAL,
      detail: `${JSON.stringify(text)} is not an IPv4 address`,
      hint: "write four decimal numbers such as 10.0.0.1; names are not resolved here",
    });
  }
  const value = parts.reduce((sum, part) => sum * 256 + part, 0);
  if (cache.size >= CACHE_MAX) cache.clear();
  cache.set(text, value);
  return value;
}

/** 0x0a000001 → `"10.0.0.1"`. */
export function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** Writes an address as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2), network byte order. */
export function storeIpv4(bytes: Uint8Array, at: number, value: number): void {
  bytes.fill(0, at, at + 10);
  bytes[at + 10] = 0xff;
  bytes[at + 11] = 0xff;
  const place = at + ADDRESS_IPV4;
  bytes[place] = value >>> 24;
  bytes[place + 1] = value >>> 16;
  bytes[place + 2] = value >>> 8;
  bytes[place + 3] = value;
}

/** Reads the IPv4 part of a 16-byte place as a u32. */
export function loadIpv4(bytes: Uint8Array, at: number): number {
  const place = at + ADDRESS_IPV4;
  const high = ((bytes[place] as number) << 8) | (bytes[place + 1] as number);
  const low = ((bytes[place + 2] as number) << 8) | (bytes[place + 3] as number);
  return high * 65536 + low;
}

/** `"02:00:00:00:00:01"` → six bytes. Throws EINVAL for anything else. */
export function parseMac(text: string, operation: string): Uint8Array {
  const parts = text.split(/[:-]/);
  if (parts.length !== 6 || !parts.every((part) => /^[0-9a-fA-F]{2}$/.test(part))) {
    throw new DemibunError({
      operation,
      errno: ERRNO_EINVAL,
      detail: `${JSON.stringify(text)} is not a MAC address`,
      hint: "write six hexadecimal bytes such as 02:00:00:00:00:01",
    });
  }
  return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
}
