/** The numbers behind the names. */
import { expect, test } from "bun:test";
import * as layout from "../../../assembly/layout";
import { constants, errnoName, errnoNumber } from "../../../src/packetdrill/language/constants";

test("errno numbers are those of the stack", () => {
  const own = Object.entries(layout).filter(([name]) => name.startsWith("ERRNO_"));
  expect(own.length).toBeGreaterThan(20);
  for (const [name, value] of own) {
    expect([name, errnoNumber(name.slice("ERRNO_".length))]).toEqual([name, Number(value)]);
  }
});

test("errno names in both directions", () => {
  expect(errnoName(11)).toBe("EAGAIN");
  expect(errnoName(-95)).toBe("EOPNOTSUPP");
  expect(errnoName(1000)).toBeUndefined();
  expect(errnoNumber("EWOULDBLOCK")).toBe(11);
  expect(errnoNumber("ENOTHING")).toBeUndefined();
});

test.each([
  ["AF_INET6", 10],
  ["SOCK_NONBLOCK", 0x800],
  ["IPPROTO_MPTCP", 262],
  ["SO_LINGER", 13],
  ["TCP_INFO", 11],
  ["TCP_ESTABLISHED", 1],
  ["TCP_CLOSING", 11],
  ["TCP_CA_Loss", 4],
  ["TCPI_OPT_SYN_DATA", 32],
  ["IPV6_V6ONLY", 26],
  ["MSG_ZEROCOPY", 0x4000000],
  ["O_NONBLOCK", 0x800],
  ["POLLRDHUP", 0x2000],
  ["EPOLL_CTL_MOD", 3],
  ["EPOLLET", 0x80000000],
  ["SHUT_RDWR", 2],
  ["FIONREAD", 0x541b],
  ["SIOCOUTQ", 0x5411],
  ["SCM_TSTAMP_ACK", 2],
  ["ECONNREFUSED", 111],
])("%s is %d", (name, value) => {
  expect(constants.get(name)).toBe(value);
});
