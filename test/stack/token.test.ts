/** Tokens: slots are reused only after the host has read the completion. */
import { expect, test } from "bun:test";
import { ERRNO_EAGAIN, KIND_DATAGRAM, TOKEN_SLOTS } from "../../assembly/layout";
import { parseIpv4 } from "../../src/wasm/address";
import { Host } from "./host";
import { peerAddress } from "./packets";

const slotOf = (token: number) => token % TOKEN_SLOTS;

test("a slot is not used again while its last completion is unread", () => {
  const host = new Host();
  const { exports } = host.stack;
  const qd = exports.socket(KIND_DATAGRAM);
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  const first = exports.connect(qd, 7);
  const second = exports.push(qd, host.array(Uint8Array.of(1)));
  expect(host.completions().map(({ token }) => token)).toEqual([first, second]);
  expect(slotOf(second)).not.toBe(slotOf(first));

  const third = exports.push(qd, host.array(Uint8Array.of(2)));
  expect([slotOf(first), slotOf(second)]).toContain(slotOf(third));
  expect([first, second]).not.toContain(third);
});

test("unread completions count against the limit of tokens", () => {
  const host = new Host({ tokens: 64 });
  const { exports } = host.stack;
  const qd = exports.socket(KIND_DATAGRAM);
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  expect(exports.connect(qd, 7)).toBeGreaterThan(0);
  const push = () => exports.push(qd, host.array(Uint8Array.of(1)));
  for (let index = 1; index < 64; index++) expect(push()).toBeGreaterThan(0);
  expect(push()).toBe(-ERRNO_EAGAIN);
  expect(host.completions()).toHaveLength(64);
  expect(push()).toBeGreaterThan(0);
});
