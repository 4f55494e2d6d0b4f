/** The errno of each PDPIX call, by the state of its socket (Demikernel's manual pages). */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { QueueDescriptor, QueueToken } from "../../src/pdpix/queue-result";
import { codeOf, Pair, pattern, port, serverAddress, take } from "./pair";

let pair: Pair;
beforeAll(() => {
  pair = new Pair();
});
afterAll(async () => {
  await pair[Symbol.asyncDispose]();
});

const unknown = 9999 as QueueDescriptor;
const remote = { hostname: serverAddress, port: 9 };

describe("an unknown or closed descriptor is EBADF for", () => {
  const calls: Record<string, (qd: QueueDescriptor) => unknown> = {
    bind: (qd) => pair.client.bind(qd, { port: 1 }),
    listen: (qd) => pair.client.listen(qd),
    accept: (qd) => pair.client.accept(qd),
    connect: (qd) => pair.client.connect(qd, remote),
    push: (qd) => pair.client.push(qd, pattern(1)),
    pushTo: (qd) => pair.client.pushTo(qd, pattern(1), remote),
    pop: (qd) => pair.client.pop(qd),
    close: (qd) => pair.client.close(qd),
    shutdownRead: (qd) => pair.client.shutdownRead(qd),
    shutdownWrite: (qd) => pair.client.shutdownWrite(qd),
    setOption: (qd) => pair.client.setOption(qd, "noDelay", true),
    getOption: (qd) => pair.client.getOption(qd, "linger"),
    local: (qd) => pair.client.local(qd),
    peer: (qd) => pair.client.peer(qd),
  };
  test.each(Object.keys(calls))("%s", async (name) => {
    const call = calls[name] as (qd: QueueDescriptor) => unknown;
    expect(await codeOf(() => call(unknown))).toBe("EBADF");
    const closed = pair.client.socket("stream");
    await take(pair.client, pair.client.close(closed), "close");
    expect(await codeOf(() => call(closed))).toBe("EBADF");
  });
});

test("socket refuses other kinds", async () => {
  expect(await codeOf(() => pair.client.socket("raw" as "stream"))).toBe("ENOTSUP");
});

test("bind: addresses, ports, states", async () => {
  const { client } = pair;
  const socket = client.socket("stream");
  expect(await codeOf(() => client.bind(socket, { hostname: "10.0.0.99", port: 80 }))).toBe(
    "EADDRNOTAVAIL",
  );
  expect(await codeOf(() => client.bind(socket, { hostname: "localhost", port: 80 }))).toBe(
    "EINVAL",
  );
  expect(await codeOf(() => client.bind(socket, { port: 65536 }))).toBe("EINVAL");
  client.bind(socket, { hostname: "10.0.0.1", port: 80 });
  expect(await codeOf(() => client.bind(socket, { port: 81 }))).toBe("EINVAL");
  const other = client.socket("stream");
  expect(await codeOf(() => client.bind(other, { port: 80 }))).toBe("EADDRINUSE");
  client.bind(other, { port: 0 });
  expect(client.local(other).port).toBeGreaterThan(1023);
  for (const qd of [socket, other]) await take(client, client.close(qd), "close");
  const again = client.socket("stream");
  client.bind(again, { port: 80 });
  await take(client, client.close(again), "close");
});

test("listen and accept: backlog and states", async () => {
  const { server } = pair;
  const socket = server.socket("stream");
  expect(await codeOf(() => server.listen(socket))).toBe("EDESTADDRREQ");
  expect(await codeOf(() => server.accept(socket))).toBe("EINVAL");
  server.bind(socket, { port: 90 });
  expect(await codeOf(() => server.listen(socket, 0))).toBe("EINVAL");
  expect(await codeOf(() => server.listen(socket, 4097))).toBe("EINVAL");
  expect(await codeOf(() => server.listen(socket, 1.5))).toBe("EINVAL");
  server.listen(socket, 1);
  expect(await codeOf(() => server.listen(socket, 1))).toBe("EADDRINUSE");
  // Linux has one number for EOPNOTSUPP and ENOTSUP.
  expect(await codeOf(() => server.connect(socket, remote))).toBe("ENOTSUP");
  await take(server, server.close(socket), "close");
});

test("connect: refused, in progress, connected", async () => {
  const { client } = pair;
  const socket = client.socket("stream");
  const token = client.connect(socket, { hostname: serverAddress, port: 4444 });
  expect(await codeOf(() => client.connect(socket, remote))).toBe("EINPROGRESS");
  const { error } = await take(client, token, "failed");
  expect([error.code, error.operation]).toEqual(["ECONNREFUSED", "connect"]);
  await take(client, client.close(socket), "close");

  const { near, far } = await pair.connect();
  expect(await codeOf(() => client.connect(near, remote))).toBe("EISCONN");
  expect(await codeOf(() => client.bind(near, { port: 5 }))).toMatch(/EISCONN|EINVAL/);
  expect(await codeOf(() => client.listen(near))).toBe("EISCONN");
  expect(client.peer(near).toString()).toBe(`${serverAddress}:${port}`);
  expect(pair.server.peer(far).port).toBe(client.local(near).port);
});

test("no route is ENETUNREACH with a hint", async () => {
  const { client } = pair;
  const socket = client.socket("datagram");
  client.bind(socket, { port: 0 });
  const send = () => client.pushTo(socket, pattern(3), { hostname: "192.0.2.1", port: 1 });
  expect(await codeOf(send)).toBe("ENETUNREACH");
  expect(send).toThrow("gateway_ipv4_addr");
});

test("push, pop, shutdown: not connected, no bytes", async () => {
  const { client } = pair;
  const socket = client.socket("stream");
  expect(await codeOf(() => client.push(socket, pattern(1)))).toBe("ENOTCONN");
  expect(await codeOf(() => client.pop(socket))).toBe("ENOTCONN");
  expect(await codeOf(() => client.shutdownWrite(socket))).toBe("ENOTCONN");
  expect(await codeOf(() => client.peer(socket))).toBe("ENOTCONN");
  expect(await codeOf(() => client.push(socket, new Uint8Array(0)))).toBe("EINVAL");
  for (const size of [0, -1, 1.5, Number.NaN]) {
    expect(await codeOf(() => client.pop(socket, size))).toBe("EINVAL");
  }
  const datagram = client.socket("datagram");
  expect(await codeOf(() => client.pop(datagram))).toBe("EDESTADDRREQ");
  expect(client.stats.framesOut).toBe(0);
});

test("options: names and values", async () => {
  const { client } = pair;
  const socket = client.socket("stream");
  client.setOption(socket, "linger", { seconds: 3 });
  expect(client.getOption(socket, "linger")).toEqual({ seconds: 3 });
  client.setOption(socket, "linger", false);
  expect(client.getOption(socket, "linger")).toBe(false);
  expect(client.getOption(socket, "keepAlive")).toBe(false);
  client.setOption(socket, "keepAlive", { delayMs: 5000 });
  const keepAlive = { delayMs: 5000, intervalMs: 75_000, probes: 9 };
  expect(client.getOption(socket, "keepAlive")).toEqual(keepAlive);
  client.setOption(socket, "keepAlive", false);
  expect(client.getOption(socket, "keepAlive")).toBe(false);
  for (const value of [true, 1, null, { delayMs: 0 }, { delay: 1 }, { probes: 1000 }]) {
    const unfit = value as false;
    expect(await codeOf(() => client.setOption(socket, "keepAlive", unfit))).toBe("EINVAL");
  }
  client.setOption(socket, "userTimeoutMs", 30_000);
  expect(client.getOption(socket, "userTimeoutMs")).toBe(30_000);
  client.setOption(socket, "userTimeoutMs", 0);
  expect(client.getOption(socket, "userTimeoutMs")).toBe(0);
  const fourDaysMs = 345_600_000;
  expect(await codeOf(() => client.setOption(socket, "userTimeoutMs", fourDaysMs))).toBe("EINVAL");
  for (const [name, value] of [
    ["congestionControl", "dctcp"],
    ["ecn", "on"],
    ["pacingBytesPerSecond", 1_000_000],
    ["pacingBytesPerSecond", 0],
  ] as const) {
    client.setOption(socket, name, value);
    expect(client.getOption(socket, name)).toBe(value);
    expect(await codeOf(() => client.setOption(socket, name, "some" as never))).toBe("EINVAL");
  }
  for (const name of ["cork", "quickAck"] as const) {
    for (const value of [true, false]) {
      client.setOption(socket, name, value);
      expect(client.getOption(socket, name)).toBe(value);
    }
  }
  const ranges = {
    mssMaxBytes: [0, 88, 32_767],
    unsentMaxBytes: [0, 1, 2 ** 31 - 1],
    typeOfService: [0, 4, 252],
    timeToLive: [1, 64, 255],
  } as const;
  for (const [name, values] of Object.entries(ranges)) {
    const option = name as keyof typeof ranges;
    for (const value of values) {
      client.setOption(socket, option, value);
      expect(client.getOption(socket, option)).toBe(value);
    }
    for (const value of [-1, 1.5, 2 ** 31, "1" as unknown as number]) {
      expect(await codeOf(() => client.setOption(socket, option, value))).toBe("EINVAL");
    }
  }
  // ECN's bits are not the application's (RFC 3168 section 5).
  client.setOption(socket, "typeOfService", 255);
  expect(client.getOption(socket, "typeOfService")).toBe(252);
  expect(await codeOf(() => client.setOption(socket, "mssMaxBytes", 87))).toBe("EINVAL");
  expect(await codeOf(() => client.setOption(socket, "timeToLive", 0))).toBe("EINVAL");
  expect(await codeOf(() => client.setOption(socket, "timeToLive", 256))).toBe("EINVAL");
  client.setOption(socket, "noDelay", true);
  expect(client.getOption(socket, "noDelay")).toBe(true);
  client.setOption(socket, "noDelay", false);
  expect(client.getOption(socket, "noDelay")).toBe(false);
  const wrong = "keepWarm" as "noDelay";
  expect(await codeOf(() => client.setOption(socket, wrong, true))).toBe("ENOPROTOOPT");
  expect(await codeOf(() => client.getOption(socket, wrong))).toBe("ENOPROTOOPT");
  const nothing = null as unknown as boolean;
  expect(await codeOf(() => client.setOption(socket, "noDelay", nothing))).toBe("EINVAL");
});

test("tokens that were never made or are collected are EINVAL", async () => {
  const { client } = pair;
  for (const token of [0, -1, 1, 1.5, Number.NaN, 2 ** 52] as QueueToken[]) {
    expect(await codeOf(() => client.wait(token))).toBe("EINVAL");
    expect(await codeOf(() => client.waitSync(token))).toBe("EINVAL");
  }
  expect(await codeOf(() => client.waitAny([]))).toBe("EINVAL");
  expect(await codeOf(() => client.waitNext(0))).toBe("EINVAL");
  const socket = client.socket("stream");
  const closed = client.close(socket);
  await take(client, closed, "close");
  expect(await codeOf(() => client.wait(closed))).toBe("EINVAL");
});

test("pending operations of a closed socket fail with EBADF", async () => {
  await using own = new Pair();
  const { near } = await own.connect();
  const pop = own.client.pop(near);
  const close = own.client.close(near);
  const { error } = await take(own.client, pop, "failed");
  expect([error.code, error.operation]).toEqual(["EBADF", "pop"]);
  await take(own.client, close, "close");
});

test("pools that are used up answer ENOBUFS, EMFILE and EAGAIN with a hint, and recover", async () => {
  await using own = new Pair({ stack: { frames: 1024, queues: 4, tokens: 8 } });
  const { client } = own;
  expect(() => client.allocate(64 * 1024 * 1024)).toThrow("inetstack_config.frames");
  expect(await codeOf(() => client.allocate(64 * 1024 * 1024))).toBe("ENOBUFS");
  client.allocate(1000).free();

  const sockets = [1, 2, 3, 4].map(() => client.socket("datagram"));
  expect(await codeOf(() => client.socket("datagram"))).toBe("EMFILE");
  const socket = sockets[0] as QueueDescriptor;
  client.bind(socket, { port: 5 });
  // The last quarter is for pushes.
  const pops = Array.from({ length: 6 }, () => client.pop(socket));
  expect(new Set(pops).size).toBe(6);
  expect(await codeOf(() => client.pop(socket))).toBe("EAGAIN");
  expect(client.stats.tokensOut).toBe(6);
});
