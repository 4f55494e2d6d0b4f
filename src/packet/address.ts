/** Addresses as text and as bytes. What was converted lately is remembered: few hosts send much. */
import ipaddr from "ipaddr.js";
import { ERRNO_EINVAL } from "../../assembly/layout";
import { DemibunError } from "../errors";
import type { MacAddress } from "./types";

const REMEMBERED_MAX = 4096;
const ipv4Texts = new Map<number, string>();
const ipv6Texts = new Map<string, string>();
const bytesOfTexts = new Map<string, Uint8Array>();

function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): Value {
  if (map.size >= REMEMBERED_MAX) map.clear();
  map.set(key, value);
  return value;
}

/** Dotted decimal of an address read as a big-endian number. */
export function ipv4Text(address: number): string {
  const known = ipv4Texts.get(address);
  if (known !== undefined) return known;
  const text = [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255];
  return remember(ipv4Texts, address, text.join("."));
}

/** RFC 5952 text of the 16 bytes at `at`; IPv4-mapped addresses in mixed notation (section 5). */
export function ipv6Text(view: DataView, at: number): string {
  const first = view.getUint32(at);
  const second = view.getUint32(at + 4);
  const third = view.getUint32(at + 8);
  const last = view.getUint32(at + 12);
  const key = `${first},${second},${third},${last}`;
  const known = ipv6Texts.get(key);
  if (known !== undefined) return known;
  if (first === 0 && second === 0 && third === 0xffff) {
    return remember(ipv6Texts, key, `::ffff:${ipv4Text(last)}`);
  }
  const words = [first >>> 16, first & 0xffff, second >>> 16, second & 0xffff];
  words.push(third >>> 16, third & 0xffff, last >>> 16, last & 0xffff);
  return remember(ipv6Texts, key, new ipaddr.IPv6(words).toRFC5952String());
}

/**
 * The 4 or 16 bytes of an address's text; they are shared and must not be changed.
 * @throws DemibunError EINVAL when it is no address.
 */
export function addressBytes(text: string): Uint8Array {
  const known = bytesOfTexts.get(text);
  if (known !== undefined) return known;
  return remember(bytesOfTexts, text, Uint8Array.from(parseAddress(text).toByteArray()));
}

/** ipaddr.js alone would also take "10.1", "0x7f" and zones. */
function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (ipaddr.IPv6.isValid(text) && !text.includes("%")) return ipaddr.IPv6.parse(text);
  const detail = `"${text}" is no IP address`;
  throw new DemibunError({ operation: "packet", errno: ERRNO_EINVAL, detail });
}

/** Six pairs of hexadecimal digits with colons. */
export function macText(mac: MacAddress): string {
  return hexText(mac, ":");
}

/** Two hexadecimal digits a byte. */
export function hexText(bytes: Uint8Array, separator = ""): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(separator);
}
