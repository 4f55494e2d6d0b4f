/**
 * Cookies that this end gives (RFC 7413 section 4.1.2): a MAC of the two addresses, so that nobody can
 * make one and none has to be kept. It is the one that Linux makes of the same key, so that servers of
 * either kind behind one address know each other's.
 */
import { CONTROL_FAST_OPEN_KEY } from "../../layout";
import { sipHash24, sipHash24Word } from "../../crypto/siphash";
import { KEY_NETWORK, secretKey } from "../../random";

/** Bytes of a cookie of ours. */
export const COOKIE_BYTES: u32 = 8;

/** Marks the derivation of a key: no network message has this as its second word. */
const KEY_MARK: u64 = 0x6669_7273_742d_6b65;

// The key in use and the one before it, which is still believed (section 4.1.2: rotation).
let key0: u64 = 0;
let key1: u64 = 0;
let oldKey0: u64 = 0;
let oldKey1: u64 = 0;

/** The first key comes from the seed. */
export function openFastOpenKey(): void {
  key0 = derive(0);
  key1 = derive(1);
  oldKey0 = key0;
  oldKey1 = key1;
}

function derive(index: u64): u64 {
  return sipHash24(secretKey(KEY_NETWORK), secretKey(KEY_NETWORK + 1), index, KEY_MARK);
}

/** Takes the key at CONTROL_FAST_OPEN_KEY; cookies of the one before it stay good until the next. */
export function rotateFastOpenKey(): void {
  oldKey0 = key0;
  oldKey1 = key1;
  key0 = load<u64>(CONTROL_FAST_OPEN_KEY);
  key1 = load<u64>(CONTROL_FAST_OPEN_KEY, 8);
}

/** The cookie for the host `remote` that connects to `local`. */
export function cookieFor(local: u32, remote: u32): u64 {
  return sipHash24Word(key0, key1, ((<u64>local) << 32) | remote);
}

/** Says whether `cookie` was made for these hosts by the key before the present one. */
export function isOldCookie(cookie: u64, local: u32, remote: u32): bool {
  return cookie == sipHash24Word(oldKey0, oldKey1, ((<u64>local) << 32) | remote);
}
