/** What an application may choose about its connections, through the API. */
import { expect, test } from "bun:test";
import { codeOf, Pair, pattern, popBytes, take } from "./pair";

/** Longer than anything takes in memory, shorter than a cork holds. */
const QUIET_MS = 50;

test("a corked socket sends what is not full once it is uncorked (MAY-16)", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  pair.client.setOption(near, "cork", true);
  await take(pair.client, pair.client.push(near, pattern(10)), "push");
  const pop = pair.server.pop(far);
  expect(await codeOf(() => pair.server.wait(pop, { timeoutMs: QUIET_MS }))).toBe("ETIMEDOUT");
  pair.client.setOption(near, "cork", false);
  const { sga } = await take(pair.server, pop, "pop");
  expect(sga.copy()).toEqual(pattern(10));
  sga.free();
});

test("a push that says more comes waits for the next one (MAY-15)", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  await take(pair.client, pair.client.push(near, pattern(10), { more: true }), "push");
  const pop = pair.server.pop(far);
  expect(await codeOf(() => pair.server.wait(pop, { timeoutMs: QUIET_MS }))).toBe("ETIMEDOUT");
  pair.client.push(near, pattern(5));
  const { sga } = await take(pair.server, pop, "pop");
  expect(sga.byteLength).toBe(15);
  sga.free();
});

test("shutting the reading direction ends pops; the peer can still be written to", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  const pending = pair.client.pop(near);
  pair.client.shutdownRead(near);
  expect((await take(pair.client, pending, "pop")).sga.byteLength).toBe(0);
  expect((await take(pair.client, pair.client.pop(near), "pop")).sga.byteLength).toBe(0);
  pair.client.push(near, pattern(100));
  expect(await popBytes(pair.server, far, 100)).toEqual(pattern(100));
});

test("a socket that is not connected has no reading direction to shut", async () => {
  await using pair = new Pair();
  const socket = pair.client.socket("stream");
  expect(await codeOf(() => pair.client.shutdownRead(socket))).toBe("ENOTCONN");
  const datagrams = pair.client.socket("datagram");
  expect(await codeOf(() => pair.client.shutdownRead(datagrams))).toBe("ENOTSUP");
});

test("pushes complete no sooner than few enough bytes wait unsent", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  pair.client.setOption(near, "unsentMaxBytes", 1000);
  // The receiver reads nothing: its window fills, then a thousand bytes wait unsent.
  const pushes = Array.from({ length: 10 }, () => pair.client.push(near, pattern(20_000)));
  const last = pushes.at(-1) as (typeof pushes)[number];
  expect(await codeOf(() => pair.client.wait(last, { timeoutMs: QUIET_MS }))).toBe("ETIMEDOUT");
  expect(pair.client.info(near).unsentBytes).toBeLessThan(21_000);
  const [received] = await Promise.all([
    popBytes(pair.server, far, 200_000),
    ...pushes.map((push) => take(pair.client, push, "push")),
  ]);
  expect(received.subarray(180_000)).toEqual(pattern(20_000));
});

test("an MSS cannot be chosen once the peer has been told", async () => {
  await using pair = new Pair();
  const listener = pair.listen();
  pair.server.setOption(listener, "mssMaxBytes", 500);
  const { near } = await pair.connect(listener);
  expect(pair.client.info(near).mssBytes).toBeLessThanOrEqual(500);
  expect(await codeOf(() => pair.client.setOption(near, "mssMaxBytes", 400))).toBe("EISCONN");
});
