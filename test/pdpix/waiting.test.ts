/** Waits in both manners: which result they give, when they end, and what stays pending. */
import { expect, test } from "bun:test";
import {
  clientAddress,
  codeOf,
  narrow,
  Pair,
  pattern,
  popBytes,
  port,
  serverAddress,
  take,
} from "./pair";

test("a wait that times out leaves the operation pending", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  const pop = pair.server.pop(far);
  expect(await codeOf(() => pair.server.wait(pop, { timeoutMs: 0 }))).toBe("ETIMEDOUT");
  expect(await codeOf(() => pair.server.wait(pop, { timeoutMs: 5 }))).toBe("ETIMEDOUT");
  expect(await codeOf(() => pair.server.waitSync(pop, 5))).toBe("ETIMEDOUT");
  expect(await codeOf(() => pair.server.waitNext(1, { timeoutMs: 1 }))).toBe("ETIMEDOUT");
  expect(await codeOf(() => pair.server.wait(pop, { timeoutMs: -1 }))).toBe("EINVAL");
  pair.client.push(near, pattern(10));
  const { sga } = await take(pair.server, pop, "pop");
  expect(sga.copy()).toEqual(pattern(10));
  sga.free();
});

test("an aborted wait leaves the operation pending", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  const pop = pair.server.pop(far);
  const reason = new Error("enough");
  expect(pair.server.wait(pop, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const waiting = pair.server.waitAny([pop], { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 1);
  expect(waiting).rejects.toBe(reason);
  await waiting.catch(() => {});
  pair.client.push(near, pattern(3));
  const { sga } = await take(pair.server, pop, "pop");
  expect(sga.byteLength).toBe(3);
  sga.free();
});

test("waitAny tells which of its tokens completed; the others can be waited for again", async () => {
  await using pair = new Pair();
  const listener = pair.listen();
  const one = await pair.connect(listener);
  const two = await pair.connect(listener);
  const pops = [pair.server.pop(one.far), pair.server.pop(two.far)];
  const waiting = pair.server.waitAny(pops, { timeoutMs: 5000 });
  pair.client.push(two.near, pattern(2));
  const { index, result } = await waiting;
  expect(index).toBe(1);
  expect(narrow(result, "pop").sga.byteLength).toBe(2);
  expect(await codeOf(() => pair.server.waitAny(pops))).toBe("EINVAL");
  pair.client.push(one.near, pattern(1));
  const { sga } = await take(pair.server, pops[0] as never, "pop");
  expect(sga.byteLength).toBe(1);
});

test("two waits for one token are EALREADY, and the first goes on", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  const pop = pair.server.pop(far);
  const other = pair.server.accept(listening(pair));
  const first = pair.server.wait(pop, { timeoutMs: 5000 });
  expect(await codeOf(() => pair.server.waitAny([other, pop]))).toBe("EALREADY");
  expect(await codeOf(() => pair.server.wait(other, { timeoutMs: 0 }))).toBe("ETIMEDOUT");
  pair.client.push(near, pattern(4));
  expect(narrow(await first, "pop").sga.byteLength).toBe(4);
});

function listening(pair: Pair) {
  const qd = pair.server.socket("stream");
  pair.server.bind(qd, { port: 1000 });
  pair.server.listen(qd);
  return qd;
}

test("waitNext gives what nobody else waits for, oldest first and no more than asked", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  const tokens = [1, 2, 3].map((size) => pair.client.push(near, pattern(size)));
  const first = await pair.client.waitNext(2, { timeoutMs: 5000 });
  const rest = await pair.client.waitNext(2, { timeoutMs: 5000 });
  const all = [...first, ...rest];
  expect(first.length).toBeLessThanOrEqual(2);
  expect(all.map(({ qt }) => qt)).toEqual(tokens);
  expect(all.every(({ opcode }) => opcode === "push")).toBe(true);
  await popBytes(pair.server, far, 6);
});

test("synchronous waits carry a whole conversation without the event loop", () => {
  const pair = new Pair();
  const listener = pair.listen();
  const near = pair.client.socket("stream");
  const connected = pair.client.connect(near, { hostname: "10.0.0.2", port: 7 });
  expect(pair.client.waitSync(connected, 5000).opcode).toBe("connect");
  const accepted = narrow(pair.server.waitSync(pair.server.accept(listener), 5000), "accept");
  for (let round = 1; round <= 20; round++) {
    pair.client.waitSync(pair.client.push(near, pattern(round)), 5000);
    const { index, result } = pair.server.waitAnySync([pair.server.pop(accepted.accepted)], 5000);
    expect(index).toBe(0);
    pair.server.push(accepted.accepted, narrow(result, "pop").sga);
    expect(pair.server.waitNextSync(8, 5000).map(({ opcode }) => opcode)).toEqual(["push"]);
    const echo = narrow(pair.client.waitSync(pair.client.pop(near), 5000), "pop").sga;
    expect(echo.copy()).toEqual(pattern(round));
    echo.free();
  }
  expect(pair.client.stats.framesOut).toBe(0);
  return pair[Symbol.asyncDispose]();
});

test("results that nobody collects are bounded: new operations answer EAGAIN until some are", async () => {
  await using pair = new Pair({ stack: { tokens: 16 } });
  const socket = pair.client.socket("datagram");
  pair.client.bind(socket, { port: 3 });
  const remote = { hostname: "10.0.0.2", port: 3 };
  let started = 0;
  const flood = async () => {
    for (;;) {
      pair.client.pushTo(socket, pattern(1), remote);
      started++;
      if (started % 4 === 0) await Bun.sleep(1);
    }
  };
  expect(await codeOf(flood)).toBe("EAGAIN");
  expect(started).toBeGreaterThanOrEqual(16);
  expect(started).toBeLessThanOrEqual(32);
  let collected = 0;
  while (collected < started) {
    collected += (await pair.client.waitNext(100, { timeoutMs: 5000 })).length;
  }
  expect(collected).toBe(started);
  expect(await codeOf(() => pair.client.waitNext(1, { timeoutMs: 1 }))).toBe("ETIMEDOUT");
  expect(pair.client.pushTo(socket, pattern(1), remote)).toBeGreaterThan(0);
});

test("a connect that found no token can be tried again", async () => {
  await using pair = new Pair({ stack: { tokens: 3 } });
  pair.server.accept(pair.listen());
  const busy = pair.client.socket("datagram");
  pair.client.bind(busy, { port: 9 });
  const [pop] = [pair.client.pop(busy), pair.client.pop(busy), pair.client.pop(busy)];
  const near = pair.client.socket("stream");
  const connect = () => pair.client.connect(near, { hostname: serverAddress, port });
  expect(await codeOf(connect)).toBe("EAGAIN");
  const sender = pair.server.socket("datagram");
  pair.server.pushTo(sender, pattern(1), { hostname: clientAddress, port: 9 });
  (await take(pair.client, pop as typeof pop, "pop")).sga.free();
  await take(pair.client, connect(), "connect");
});
