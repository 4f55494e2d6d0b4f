/** UDP through the API. */
import { expect, test } from "bun:test";
import { codeOf, Pair, pattern, serverAddress, take } from "./pair";

const server = { hostname: serverAddress, port: 7 };

test.each([0, 1, 511, 1472, 1473, 8000, 65_507])(
  "a datagram of %d bytes is echoed as it was sent",
  async (length) => {
    await using pair = new Pair();
    const near = pair.client.socket("datagram");
    pair.client.bind(near, { port: 5000 });
    const far = pair.server.socket("datagram");
    pair.server.bind(far, { port: 7 });
    // The first datagram resolves the address: few packets may wait for that.
    await take(pair.client, pair.client.pushTo(near, pattern(8), server), "push");
    (await take(pair.server, pair.server.pop(far), "pop")).sga.free();
    await take(pair.client, pair.client.pushTo(near, pattern(length), server), "push");
    const request = await take(pair.server, pair.server.pop(far), "pop");
    expect(String(request.sga.from)).toBe("10.0.0.1:5000");
    expect(request.sga.byteLength).toBe(length);
    const from = request.sga.from as { hostname: string; port: number };
    await take(pair.server, pair.server.pushTo(far, request.sga, from), "push");
    const answer = await take(pair.client, pair.client.pop(near), "pop");
    expect(answer.sga.copy()).toEqual(pattern(length));
    expect(answer.sga.from?.toJSON()).toEqual({
      address: serverAddress,
      port: 7,
      family: "IPv4",
    });
    answer.sga.free();
    expect(pair.client.stats.framesOut).toBe(0);
    expect(pair.server.stats.framesOut).toBe(0);
  },
);

test("a datagram above 65,507 bytes is EMSGSIZE", async () => {
  await using pair = new Pair();
  const near = pair.client.socket("datagram");
  pair.client.bind(near, { port: 5000 });
  const before = pair.client.stats.framesOut;
  expect(await codeOf(() => pair.client.pushTo(near, pattern(65_508), server))).toBe("EMSGSIZE");
  expect(pair.client.stats.framesOut).toBe(before);
});

test("a connected socket pushes without an address and learns of a closed port", async () => {
  await using pair = new Pair();
  const near = pair.client.socket("datagram");
  await take(pair.client, pair.client.connect(near, server), "connect");
  const pop = pair.client.pop(near);
  await take(pair.client, pair.client.push(near, pattern(9)), "push");
  const { error } = await take(pair.client, pop, "failed");
  expect(error.code).toBe("ECONNREFUSED");

  const far = pair.server.socket("datagram");
  pair.server.bind(far, { port: 7 });
  pair.client.push(near, pattern(9));
  const { sga } = await take(pair.server, pair.server.pop(far), "pop");
  expect(sga.copy()).toEqual(pattern(9));
});
