/** TCP through the API: what is pushed comes out whole, and everything is given back at the end. */
import { expect, test } from "bun:test";
import { DemibunError } from "../../src/errors";
import { codeOf, Pair, pattern, popBytes, take } from "./pair";

test.each([1, 63, 1459, 1460, 1461, 4096, 65535, 65536, 1_000_000])(
  "an array of %d bytes arrives as it was pushed",
  async (length) => {
    await using pair = new Pair();
    const { near, far } = await pair.connect();
    const push = pair.client.push(near, pattern(length));
    const received = await popBytes(pair.server, far, length);
    expect(Bun.hash(received)).toBe(Bun.hash(pattern(length)));
    await take(pair.client, push, "push");
  },
);

test("an echo pushes the popped array itself", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  const sent = pattern(3000);
  pair.client.push(near, sent);
  let echoed = 0;
  const echo = async () => {
    while (echoed < sent.length) {
      const { sga } = await take(pair.server, pair.server.pop(far), "pop");
      echoed += sga.byteLength;
      await take(pair.server, pair.server.push(far, sga), "push");
      expect(() => sga.segments).toThrow("already been pushed");
      expect(() => sga.free()).toThrow(DemibunError);
    }
  };
  const [received] = await Promise.all([popBytes(pair.client, near, sent.length), echo()]);
  expect(received).toEqual(sent);
});

test("a sized pop leaves the rest for the next one", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  pair.client.push(near, pattern(100));
  const sizes: number[] = [];
  let total = 0;
  while (total < 100) {
    const { sga } = await take(pair.server, pair.server.pop(far, 33), "pop");
    expect(sga.byteLength).toBeLessThanOrEqual(33);
    expect(sga.copy()).toEqual(pattern(100).slice(total, total + sga.byteLength));
    sizes.push(sga.byteLength);
    total += sga.byteLength;
    sga.free();
  }
  expect(sizes.length).toBeGreaterThanOrEqual(4);
});

test("an allocated array is filled in place, and freed or pushed once", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  const sga = pair.client.allocate(5000);
  expect(sga.segments.reduce((sum, segment) => sum + segment.length, 0)).toBe(5000);
  for (const segment of sga.segments) segment.fill(7);
  expect(pair.client.stats.framesOut).toBeGreaterThan(0);
  await take(pair.client, pair.client.push(near, sga), "push");
  expect(await codeOf(() => pair.client.push(near, sga))).toBe("EINVAL");
  expect((await popBytes(pair.server, far, 5000)).every((byte) => byte === 7)).toBe(true);

  const unused = pair.client.allocate(10);
  unused.free();
  expect(await codeOf(() => unused.free())).toBe("EINVAL");
  unused[Symbol.dispose]();
  {
    using scoped = pair.client.allocate(10);
    expect(scoped.byteLength).toBe(10);
  }
  expect(await codeOf(() => pair.client.allocate(0))).toBe("EINVAL");
});

test("an array of another instance is refused and stays its owner's", async () => {
  await using pair = new Pair();
  const { near } = await pair.connect();
  const before = pair.server.stats.framesOut;
  const foreign = pair.server.allocate(10);
  expect(await codeOf(() => pair.client.push(near, foreign))).toBe("EINVAL");
  foreign.free();
  expect(pair.server.stats.framesOut).toBe(before);
});

test("a refused push leaves the array with its owner", async () => {
  await using pair = new Pair();
  const socket = pair.client.socket("stream");
  const before = pair.client.stats.framesOut;
  const sga = pair.client.allocate(10);
  expect(await codeOf(() => pair.client.push(socket, sga))).toBe("ENOTCONN");
  expect(sga.segments.length).toBe(1);
  sga.free();
  expect(await codeOf(() => pair.client.push(socket, pattern(10)))).toBe("ENOTCONN");
  expect(pair.client.stats.framesOut).toBe(before);
});

test("half-close: the end of the stream is an empty array, the other direction goes on", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  pair.client.push(near, pattern(5));
  pair.client.shutdownWrite(near);
  await popBytes(pair.server, far, 5);
  const { sga } = await take(pair.server, pair.server.pop(far), "pop");
  expect([sga.byteLength, sga.segments.length]).toEqual([0, 0]);
  sga.free();
  expect(await codeOf(() => pair.client.push(near, pattern(1)))).toBe("EPIPE");
  pair.server.push(far, pattern(200));
  expect(await popBytes(pair.client, near, 200)).toEqual(pattern(200));
});

test("data pushed before an orderly close is delivered, then the stream ends", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  pair.client.push(near, pattern(50_000));
  pair.client.close(near);
  expect(await popBytes(pair.server, far, 50_000)).toEqual(pattern(50_000));
  const { sga } = await take(pair.server, pair.server.pop(far), "pop");
  expect(sga.byteLength).toBe(0);
});

test("a close with linger 0 resets the peer", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  const pop = pair.server.pop(far);
  pair.client.setOption(near, "linger", { seconds: 0 });
  await take(pair.client, pair.client.close(near), "close");
  const { error } = await take(pair.server, pop, "failed");
  expect(error.code).toBe("ECONNRESET");
});

test("everything is given back: frames, connections, timers, tokens, queues", async () => {
  await using pair = new Pair();
  const listener = pair.listen();
  for (let round = 0; round < 20; round++) {
    const { near, far } = await pair.connect(listener);
    pair.client.push(near, pattern(10_000));
    await popBytes(pair.server, far, 10_000);
    const closes = [
      take(pair.client, pair.client.close(near), "close"),
      take(pair.server, pair.server.close(far), "close"),
    ];
    await Promise.all(closes);
  }
  await take(pair.server, pair.server.close(listener), "close");
  for (const demikernel of [pair.client, pair.server]) {
    await until(() => demikernel.stats.connectionsOpen === 0);
    const { framesOut, tokensOut, queuesOpen } = demikernel.stats;
    expect({ framesOut, tokensOut, queuesOpen }).toEqual({
      framesOut: 0,
      tokensOut: 0,
      queuesOpen: 0,
    });
  }
});

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !condition(); turn++) await Bun.sleep(1);
  expect(condition()).toBe(true);
}

test("several instances in one process do not disturb each other", async () => {
  await using one = new Pair();
  await using two = new Pair();
  const run = async (pair: Pair, length: number) => {
    const { near, far } = await pair.connect();
    pair.client.push(near, pattern(length));
    expect(await popBytes(pair.server, far, length)).toEqual(pattern(length));
  };
  await Promise.all([run(one, 30_000), run(two, 40_000)]);
});

test("a disposed instance fails what is pending and refuses every call", async () => {
  const pair = new Pair();
  const { near } = await pair.connect();
  const { client } = pair;
  const waiting = client.wait(client.pop(near));
  await pair[Symbol.asyncDispose]();
  const result = await waiting;
  expect(result.opcode === "failed" && result.error.code).toBe("EBADF");
  expect(await codeOf(() => client.socket("stream"))).toBe("EBADF");
  expect(await codeOf(() => client.wait(1 as never))).toBe("EBADF");
  await client[Symbol.asyncDispose]();
});

test("disposal resets connections whose peers have not taken everything", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  // More than both buffers: the server does not pop, so an orderly end cannot come in time.
  for (let index = 0; index < 4; index++) pair.client.push(near, pattern(65_536));
  await pair.client[Symbol.asyncDispose]();
  const popAll = async () => {
    for (;;) (await take(pair.server, pair.server.pop(far), "pop")).sga.free();
  };
  expect(await codeOf(popAll)).toBe("ECONNRESET");
});
