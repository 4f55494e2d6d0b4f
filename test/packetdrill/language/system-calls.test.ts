/** Every form of a call, its arguments and its result. */
import { describe, expect, test } from "bun:test";
import { parseScript } from "../../../src/packetdrill/language/parse";
import type { Expression } from "../../../src/packetdrill/language/script";
import { argument, systemCall } from "./reading";

const ellipsis: Expression = { kind: "ellipsis" };

function integer(value: number | bigint): Expression {
  return { kind: "integer", value };
}

function name(text: string): Expression {
  return { kind: "name", name: text };
}

test("a call with its arguments and result", () => {
  expect(systemCall("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3")).toEqual({
    kind: "systemCall",
    name: "socket",
    arguments: [ellipsis, name("SOCK_STREAM"), name("IPPROTO_TCP")],
    result: integer(3),
  });
});

test("errno and note", () => {
  const call = systemCall("connect(3, ..., ...) = -1 EINPROGRESS (Operation now\n  in progress)");
  expect(call).toMatchObject({
    result: integer(-1),
    errno: "EINPROGRESS",
    note: "Operation now in progress",
  });
  expect(systemCall("read(3, ..., 1) = -1 EAGAIN").errno).toBe("EAGAIN");
  expect(systemCall("fcntl(3, F_GETFL) = 2 (flags O_RDWR)").note).toBe("flags O_RDWR");
});

test("a result that is not looked at", () => {
  expect(systemCall("epoll_create(1) = ...").result).toBeUndefined();
});

test("a call without arguments, and with flags as its result", () => {
  expect(systemCall("close() = 0").arguments).toEqual([]);
  expect(systemCall("fcntl(3, F_GETFL) = 0x2|O_NONBLOCK").result).toEqual({
    kind: "or",
    operands: [integer(2), name("O_NONBLOCK")],
  });
});

describe("blocking calls", () => {
  test.each([
    ["0...0.2 read(3, ..., 1) = 1", 0, 200_000],
    ["+0.1...0.25 read(3, ..., 1) = 1", 100_000, 250_000],
    ["+.1...+.25 read(3, ..., 1) = 1", 100_000, 250_000],
  ])("%s", (text, us, endTimeUs) => {
    const event = parseScript(`0 close(3) = 0\n${text}`).events[1];
    expect(event).toMatchObject({ time: { us }, action: { name: "read", endTimeUs } });
  });
});

describe("arguments", () => {
  test.each<[string, Expression]>([
    ["-5", integer(-5)],
    ["0xff", integer(255)],
    ["18446744073709551615", integer(18446744073709551615n)],
    ["AF_INET6", name("AF_INET6")],
    ['"a\\n\\x00\\\\\\""', { kind: "string", value: 'a\n\0\\"', open: false }],
    ['"ab" "cd"\n"ef"', { kind: "string", value: "abcdef", open: false }],
    ['"abc"...', { kind: "string", value: "abc", open: true }],
    ["POLLIN|POLLOUT", { kind: "or", operands: [name("POLLIN"), name("POLLOUT")] }],
    ["[]", { kind: "list", items: [] }],
    ["[1, ...]", { kind: "list", items: [integer(1), ellipsis] }],
    ["htons(8080)", { kind: "call", name: "htons", arguments: [integer(8080)] }],
    ["htonl(INADDR_ANY)", { kind: "call", name: "htonl", arguments: [name("INADDR_ANY")] }],
    [
      'inet_pton(AF_INET6, "::1")',
      {
        kind: "call",
        name: "inet_pton",
        arguments: [name("AF_INET6"), { kind: "string", value: "::1", open: false }],
      },
    ],
    ["spi=7", { kind: "named", name: "spi", value: integer(7) }],
    [
      "{(label 5, tc 0, [S], ttl 64)}",
      { kind: "mpls", labels: [{ label: 5, trafficClass: 0, bottomOfStack: true, ttl: 64 }] },
    ],
  ])("%s", (text, expected) => {
    expect(argument(text)).toEqual(expected);
  });
});

describe("structures", () => {
  test.each([
    ['{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.1")}', "sockaddr"],
    ['{sa_family=AF_INET6, sin6_port=htons(80), sin6_addr=inet6_addr("::1")}', "sockaddr"],
    ["{fd=3, events=POLLIN, revents=POLLIN}", "pollfd"],
    ["{onoff=1, linger=0}", "linger"],
    ["{..., 1000}", "iovec"],
    ["{events=EPOLLIN|EPOLLET, fd=4}", "epoll_event"],
    ["{events=EPOLLIN, u64=0x123456789abcdef0}", "epoll_event"],
    ["{scm_sec=0, scm_nsec=50000}", "scm_timestamping"],
    ["{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=10}", "cmsghdr"],
    ["{ee_errno=ENOMSG, ee_origin=SO_EE_ORIGIN_TIMESTAMPING, ee_data=0}", "sock_extended_err"],
    ["{msg_name(...)=..., msg_iov(1)=[{..., 10}], msg_flags=0, msg_control=[]}", "msghdr"],
    ["{1, 2, 3}", "unknown"],
  ])("%s is a %s", (text, type) => {
    expect(argument(text)).toMatchObject({ kind: "structure", type } as never);
  });

  test("members keep name, size and order", () => {
    expect(argument("{msg_name(...)=..., msg_iov(2)=[{..., 10}], msg_flags=0}")).toEqual({
      kind: "structure",
      type: "msghdr",
      fields: [
        { name: "msg_name", size: ellipsis, value: ellipsis },
        {
          name: "msg_iov",
          size: integer(2),
          value: {
            kind: "list",
            items: [
              {
                kind: "structure",
                type: "iovec",
                fields: [{ value: ellipsis }, { value: integer(10) }],
              },
            ],
          },
        },
        { name: "msg_flags", value: integer(0) },
      ],
    });
  });
});
