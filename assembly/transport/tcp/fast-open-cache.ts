/**
 * What connects remember of servers for the next one (RFC 7413 section 4.1.3): the cookie, the MSS,
 * which form of the option is understood, and that a path does not let data in SYNs pass. A table of
 * fixed size, an entry a pair of addresses; of each set the one used least recently gives way.
 */
import { FAST_OPEN_CACHE_BYTES } from "../../memory/plan";
import { copyBytes } from "../../memory/copy";
import { carve } from "../../memory/region";
import { KEY_NETWORK, secretKey } from "../../random";
import { nowTick, nowUs } from "../../time/clock";
import { COOKIE_MAX } from "./options";

const WAYS: u32 = 4;
const SETS_SHIFT: u32 = 6;
const ENTRY_SIZE: u32 = 64;
const ENTRY_LOCAL: usize = 0;
const ENTRY_REMOTE: usize = 4;
const ENTRY_USED: usize = 8;
const ENTRY_PAUSED: usize = 12;
const ENTRY_MSS: usize = 16;
const ENTRY_BYTES: usize = 18;
const ENTRY_FORM: usize = 19;
const ENTRY_COOKIE: usize = 20;

if (FAST_OPEN_CACHE_BYTES != (WAYS * ENTRY_SIZE) << SETS_SHIFT) ERROR("plan.ts: Fast Open's cache");

// Which form of the option (RFC 7413 section 4.1.1, or RFC 6994's experimental one) to ask with.
const FORM_STANDARD: u8 = 0;
/** The standard one went unanswered; the experimental one has not been tried. */
const FORM_TRY_EXPERIMENTAL: u8 = 1;
/** Neither was answered: the standard one. */
const FORM_EXHAUSTED: u8 = 2;
/** The cookie came in the experimental form. */
const FORM_EXPERIMENTAL: u8 = 3;

let entries: usize = 0;

/** What `recallServer` has found: the cookie's bytes (0: none) and place, its form, and the MSS (0). */
export let knownCookieBytes: u32 = 0;
export let knownCookie: usize = 0;
export let isKnownExperimental = false;
export let knownMss: u32 = 0;

export function openFastOpenCache(): void {
  entries = carve(FAST_OPEN_CACHE_BYTES, 64);
}

/** Forgets all servers, as after a change of the network. */
export function forgetServers(): void {
  memory.fill(entries, 0, FAST_OPEN_CACHE_BYTES);
}

function setOf(local: u32, remote: u32): usize {
  const pair = ((<u64>local) << 32) | remote;
  const index = (pair * (secretKey(KEY_NETWORK) | 1)) >> (64 - SETS_SHIFT);
  return entries + <usize>index * (WAYS * ENTRY_SIZE);
}

/** The entry of this pair of addresses, 0 when there is none. */
function find(local: u32, remote: u32): usize {
  const first = setOf(local, remote);
  for (let way: u32 = 0; way < WAYS; way++) {
    const entry = first + way * ENTRY_SIZE;
    if (load<u32>(entry, ENTRY_REMOTE) == remote && load<u32>(entry, ENTRY_LOCAL) == local) {
      return entry;
    }
  }
  return 0;
}

/** The same, made if need be in the place of the one used least recently. */
function take(local: u32, remote: u32): usize {
  let entry = find(local, remote);
  if (entry == 0) {
    entry = oldest(setOf(local, remote));
    memory.fill(entry, 0, ENTRY_SIZE);
    store<u32>(entry, local, ENTRY_LOCAL);
    store<u32>(entry, remote, ENTRY_REMOTE);
  }
  store<u32>(entry, nowTick, ENTRY_USED);
  return entry;
}

function oldest(first: usize): usize {
  let found = first;
  for (let way: u32 = 0; way < WAYS; way++) {
    const entry = first + way * ENTRY_SIZE;
    if (load<u32>(entry, ENTRY_REMOTE) == 0) return entry;
    const age = nowTick - load<u32>(entry, ENTRY_USED);
    if (age > nowTick - load<u32>(found, ENTRY_USED)) found = entry;
  }
  return found;
}

/** Reads what is known of the server into the globals above. */
export function recallServer(local: u32, remote: u32): void {
  knownCookieBytes = 0;
  knownMss = 0;
  isKnownExperimental = false;
  const entry = find(local, remote);
  if (entry == 0) return;
  store<u32>(entry, nowTick, ENTRY_USED);
  knownCookieBytes = load<u8>(entry, ENTRY_BYTES);
  knownCookie = entry + ENTRY_COOKIE;
  knownMss = load<u16>(entry, ENTRY_MSS);
  const form = load<u8>(entry, ENTRY_FORM);
  isKnownExperimental =
    knownCookieBytes != 0 ? form == FORM_EXPERIMENTAL : form == FORM_TRY_EXPERIMENTAL;
}

export function rememberMss(local: u32, remote: u32, mss: u32): void {
  store<u16>(take(local, remote), <u16>mss, ENTRY_MSS);
}

/** A SYN-ACK has brought a cookie of `bytes` (4 to 16) at `at`. */
export function rememberCookie(
  local: u32,
  remote: u32,
  at: usize,
  bytes: u32,
  isExperimental: bool,
): void {
  const entry = take(local, remote);
  const length = min(bytes, COOKIE_MAX);
  copyBytes(entry + ENTRY_COOKIE, at, length);
  store<u8>(entry, <u8>length, ENTRY_BYTES);
  store<u8>(entry, isExperimental ? FORM_EXPERIMENTAL : FORM_STANDARD, ENTRY_FORM);
}

/** A cookie was asked for in one form and the SYN-ACK has none: the other form may do, once. */
export function rememberRefusal(local: u32, remote: u32, wasExperimental: bool): void {
  const entry = take(local, remote);
  if (load<u8>(entry, ENTRY_BYTES) != 0) return;
  const next = wasExperimental ? FORM_EXHAUSTED : FORM_TRY_EXPERIMENTAL;
  if (next > load<u8>(entry, ENTRY_FORM)) store<u8>(entry, next, ENTRY_FORM);
}

/**
 * RFC 7413 section 4.1.3.1: data in a SYN did not arrive, or were of no use. None are sent on this path
 * for `pauseMs`.
 */
export function pauseServer(local: u32, remote: u32, pauseMs: u32): void {
  if (pauseMs == 0) return;
  store<u32>(take(local, remote), max(1, seconds() + (pauseMs + 999) / 1000), ENTRY_PAUSED);
}

export function isPaused(local: u32, remote: u32): bool {
  const entry = find(local, remote);
  if (entry == 0) return false;
  const until = load<u32>(entry, ENTRY_PAUSED);
  return until != 0 && seconds() < until;
}

function seconds(): u32 {
  return <u32>(nowUs / 1_000_000);
}
