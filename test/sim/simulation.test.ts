/** The simulator's own promises: virtual time, repeatable runs, unchanged application code. */
import { expect, test } from "bun:test";
import { serve } from "../../src/adapters/serve";
import { Simulation, type SimulationOptions } from "../../src/sim/index";
import { watchInvariants } from "../../src/sim/invariants/watch";
import { stackModule } from "../../src/wasm/module";

function simulation(options: Partial<SimulationOptions> = {}): Simulation {
  return new Simulation({ seed: 1, module: stackModule(), ...options });
}

function pair(sim: Simulation, link = {}) {
  const server = sim.host("server", { address: "10.0.0.1/24" });
  const client = sim.host("client", { address: "10.0.0.2/24" });
  sim.link(server, client, link);
  return { server, client };
}

/** Sends `bytes` from client to server and returns how long it took and what came. */
async function transfer(sim: Simulation, bytes: number, link = {}) {
  const { server, client } = pair(sim, link);
  let received = 0;
  return sim.run(async () => {
    const ended = Promise.withResolvers<void>();
    server.demikernel.tcp.listen({
      port: 80,
      socket: {
        data(_, chunk) {
          received += chunk.length;
        },
        end(socket) {
          socket.end();
          ended.resolve();
        },
      },
    });
    const startedMs = sim.now;
    const demikernel = client.demikernel;
    const qd = demikernel.socket("stream");
    await demikernel.wait(demikernel.connect(qd, { hostname: "10.0.0.1", port: 80 }));
    const connectedMs = sim.now - startedMs;
    await demikernel.wait(demikernel.push(qd, new Uint8Array(bytes)));
    demikernel.shutdownWrite(qd);
    await ended.promise;
    return { received, connectedMs, tookMs: sim.now - startedMs };
  });
}

test("a connection takes the round trips that the link's delay makes", async () => {
  const { received, connectedMs } = await transfer(simulation(), 1000, { delayMs: 50 });
  expect(received).toBe(1000);
  // The server's announcement tells its MAC after 50 ms; then the SYN's round trip.
  expect(connectedMs).toBeGreaterThanOrEqual(150);
  expect(connectedMs).toBeLessThan(151);
});

test("the same seed gives the same run, another one another", async () => {
  const hashOf = async (seed: number): Promise<string> => {
    const sim = simulation({ seed });
    const link = { delayMs: { uniform: [1, 20] as [number, number] }, loss: 0.05 };
    const { received } = await transfer(sim, 50_000, link);
    expect(received).toBe(50_000);
    return sim.fingerprint.toString();
  };
  const first = await hashOf(7);
  expect(await hashOf(7)).toBe(first);
  expect(await hashOf(8)).not.toBe(first);
});

test("hours of virtual time pass at once", async () => {
  const sim = simulation();
  pair(sim);
  await sim.run(() => sim.sleep(3_000_000));
  expect(sim.now).toBe(3_000_000);
});

test("a blocking wait runs the rest of the world", async () => {
  const sim = simulation();
  const { server, client } = pair(sim, { delayMs: 5 });
  await sim.run(() => {
    server.demikernel.tcp.listen({ port: 80, socket: { data: (s, bytes) => void s.write(bytes) } });
    const demikernel = client.demikernel;
    const qd = demikernel.socket("stream");
    demikernel.waitSync(demikernel.connect(qd, { hostname: "10.0.0.1", port: 80 }));
    demikernel.waitSync(demikernel.push(qd, Uint8Array.of(1, 2, 3)));
    const result = demikernel.waitSync(demikernel.pop(qd));
    if (result.opcode !== "pop") throw new Error(result.opcode);
    expect([...result.sga.copy()]).toEqual([1, 2, 3]);
    result.sga.free();
  });
});

test("a fetch server runs unchanged, its Date field and time-outs in virtual time", async () => {
  const sim = simulation();
  const { server, client } = pair(sim, { delayMs: 5 });
  const response = await sim.run(async () => {
    serve(server.demikernel, { port: 80, fetch: () => new Response("hello") });
    const answer = Promise.withResolvers<string>();
    let text = "";
    const socket = await client.demikernel.tcp.connect({
      hostname: "10.0.0.1",
      port: 80,
      socket: {
        data(_, bytes) {
          text += new TextDecoder().decode(bytes);
        },
        close: () => answer.resolve(text),
      },
    });
    socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    return answer.promise;
  });
  expect(response).toContain("hello");
  expect(response).toContain("Thu, 01 Jan 2026 00:00");
});

test("an ambient clock or randomness is refused with what to use instead", async () => {
  const uses: (() => unknown)[] = [
    () => Date.now(),
    () => new Date(),
    () => performance.now(),
    () => Math.random(),
    () => crypto.randomUUID(),
    () => crypto.getRandomValues(new Uint8Array(4)),
    () => setTimeout(() => {}, 1),
  ];
  for (const use of uses) {
    const sim = simulation();
    const run = sim.run(async () => {
      await sim.sleep(1);
      try {
        use();
      } catch {
        // Swallowing it does not help: the run fails all the same.
      }
      await sim.sleep(1);
    });
    expect(run).rejects.toThrow(/was called inside the simulation/);
    await run.catch(() => {});
  }
  expect(new Date(5).getTime()).toBe(5);
  expect(Date.now()).toBeGreaterThan(0);
});

test("with ambient: virtual the same uses get virtual time and seeded numbers", async () => {
  const values = async (seed: number) => {
    const sim = simulation({ seed, ambient: "virtual" });
    return sim.run(async () => {
      const before = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      return [Date.now() - before, Math.random(), crypto.randomUUID()];
    });
  };
  const first = await values(1);
  expect(first[0]).toBe(60_000);
  expect(await values(1)).toEqual(first);
  expect(await values(2)).not.toEqual(first);
});

test("a run that waits for what no host will do says so", async () => {
  const sim = simulation();
  const run = sim.run(() => new Promise(() => {}));
  expect(run).rejects.toThrow(/nothing is left that could happen/);
  await run.catch(() => {});
});

test("a run beyond its time says so", async () => {
  const sim = simulation();
  const run = sim.run(() => sim.sleep(1000), { timeoutMs: 10 });
  expect(run).rejects.toThrow(/has not ended after/);
  await run.catch(() => {});
});

test("a paused host answers late; its device goes on receiving", async () => {
  const sim = simulation();
  const { server, client } = pair(sim, { delayMs: 1 });
  await sim.run(async () => {
    server.demikernel.tcp.listen({ port: 80, socket: { data: (s, bytes) => void s.write(bytes) } });
    const demikernel = client.demikernel;
    const qd = demikernel.socket("stream");
    await demikernel.wait(demikernel.connect(qd, { hostname: "10.0.0.1", port: 80 }));
    server.pause();
    sim.after(500, () => server.resume());
    const startedMs = sim.now;
    demikernel.push(qd, Uint8Array.of(9));
    const result = await demikernel.wait(demikernel.pop(qd));
    expect(result.opcode).toBe("pop");
    expect(sim.now - startedMs).toBeGreaterThanOrEqual(500);
  });
});

test("a crashed host forgets its connections; after the reboot it resets them", async () => {
  const sim = simulation();
  const { server, client } = pair(sim, { delayMs: 1 });
  server.run((demikernel) => {
    demikernel.tcp.listen({ port: 80, socket: { data: (s, bytes) => void s.write(bytes) } });
  });
  await sim.run(async () => {
    const demikernel = client.demikernel;
    const connect = async () => {
      const qd = demikernel.socket("stream");
      await demikernel.wait(demikernel.connect(qd, { hostname: "10.0.0.1", port: 80 }));
      return qd;
    };
    const qd = await connect();
    server.crash();
    expect(() => server.demikernel).toThrow("host server is down");
    server.boot();
    demikernel.push(qd, Uint8Array.of(1));
    const result = await demikernel.wait(demikernel.pop(qd));
    expect(result).toMatchObject({ opcode: "failed", error: { code: "ECONNRESET" } });
    await connect();
    expect(server.boots).toBe(2);
  });
});

test("a host's clock drifts as it is told", async () => {
  const sim = simulation();
  const fast = sim.host("fast", { address: "10.0.0.1/24", driftPpm: 100_000 });
  await sim.run(async () => {
    const before = fast.nowUs();
    await sim.sleep(1000);
    expect(fast.nowUs() - before).toBeCloseTo(1_100_000, 3);
    const startedMs = sim.now;
    await fast.sleep(1100);
    expect(sim.now - startedMs).toBeCloseTo(1000, 3);
  });
});

test("hosts behind a switch and a router reach each other", async () => {
  const sim = simulation();
  const left = sim.host("left", { address: "10.0.1.2/24", gateway: "10.0.1.1" });
  const neighbour = sim.host("neighbour", { address: "10.0.1.3/24", gateway: "10.0.1.1" });
  const right = sim.host("right", { address: "10.0.2.2/24", gateway: "10.0.2.1" });
  const lan = sim.switch("lan");
  const router = sim.router("router");
  for (const host of [left, neighbour]) sim.link(host, lan, { delayMs: 1 });
  sim.link(lan, router.addInterface({ address: "10.0.1.1/24" }), { delayMs: 1 });
  sim.link(right, router.addInterface({ address: "10.0.2.1/24" }), { delayMs: 10 });
  right.run((demikernel) => {
    demikernel.tcp.listen({ port: 80, socket: { data: (s, bytes) => void s.write(bytes) } });
  });
  await sim.run(async () => {
    for (const { demikernel } of [left, neighbour]) {
      const qd = demikernel.socket("stream");
      await demikernel.wait(demikernel.connect(qd, { hostname: "10.0.2.2", port: 80 }));
      demikernel.push(qd, Uint8Array.of(7));
      const result = await demikernel.wait(demikernel.pop(qd));
      expect(result.opcode).toBe("pop");
    }
  });
});

test("handlers do without tokens for a while and lose no connection", async () => {
  const sim = simulation();
  const watch = watchInvariants(sim);
  const stack = { timeWaitUs: 1_000, arpTtlUs: 1_000_000 };
  const server = sim.host("server", { address: "10.0.0.1/24", stack: { ...stack, tokens: 6 } });
  const client = sim.host("client", { address: "10.0.0.2/24", stack });
  sim.link(server, client, { delayMs: 1 });
  const lost: unknown[] = [];
  const unsent = new Map<object, Uint8Array>();
  const echoes = await sim.run(async () => {
    const listener = server.demikernel.tcp.listen({
      port: 80,
      socket: {
        data: (socket, bytes) => void (socket.write(bytes) === 0 && unsent.set(socket, bytes)),
        drain(socket) {
          const bytes = unsent.get(socket);
          if (bytes !== undefined && socket.write(bytes) > 0) unsent.delete(socket);
        },
        close: (_, error) => void (error === undefined || lost.push(error)),
      },
    });
    const talk = async (): Promise<number> => {
      const closed = Promise.withResolvers<void>();
      let received = 0;
      const socket = await client.demikernel.tcp.connect({
        hostname: "10.0.0.1",
        port: 80,
        socket: {
          data(self, bytes) {
            received += bytes.length;
            self.end();
          },
          close: () => closed.resolve(),
        },
      });
      socket.write(new Uint8Array(10));
      await closed.promise;
      return received;
    };
    const received = await Promise.all(Array.from({ length: 12 }, talk));
    listener.stop();
    await sim.sleep(10_000);
    return received;
  });
  expect(echoes).toEqual(Array(12).fill(10));
  expect(lost).toEqual([]);
  watch.checkPools();
});
