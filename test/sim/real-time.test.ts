/** The simulation by a clock that the test moves, with devices that the test is the other side of. */
import { expect, test } from "bun:test";
import { type OutsideClock, type OutsideDevice, RealTime, Simulation } from "../../src/sim/index";
import { stackModule } from "../../src/wasm/module";

class Device implements OutsideDevice {
  readonly waiting: Uint8Array[] = [];
  readonly out: Uint8Array[] = [];
  read = () => this.waiting.shift();
  write = (frame: Uint8Array) => void this.out.push(frame.slice());
}

/** Every wait ends exactly when it is to, or late by so much. */
class Clock implements OutsideClock {
  now = 5000;
  lateMs = 0;
  readonly waits: number[] = [];
  nowMs = () => this.now;
  wait = (untilMs: number) => {
    this.waits.push(untilMs);
    this.now = Math.max(this.now, untilMs) + this.lateMs;
  };
}

function world(clock = new Clock()) {
  const sim = new Simulation({ seed: 1, module: stackModule(), ambient: "allow" });
  return { sim, clock, realTime: new RealTime(sim, clock) };
}

const frame = new Uint8Array(100).fill(7);

test("a frame from outside crosses the link and leaves it again", async () => {
  const { sim, clock, realTime } = world();
  const [near, far] = [new Device(), new Device()];
  const [left, right] = [realTime.attach("left", near), realTime.attach("right", far)];
  sim.link(left, right, { delayMs: 50 });
  await realTime.run(async () => {
    await sim.sleep(10);
    near.waiting.push(frame.slice());
    await sim.sleep(49);
    expect(far.out).toEqual([]);
    await sim.sleep(2);
    expect(far.out).toEqual([frame]);
  });
  expect([left.entered, left.left, right.entered, right.left]).toEqual([1, 0, 0, 1]);
  expect(clock.now).toBe(5061);
  expect(realTime.lateness).toMatchObject({ meanMs: 0, maximumMs: 0, lateTurns: 0 });
});

test("simulated hosts keep the clock's time", async () => {
  const { sim, clock, realTime } = world();
  const server = sim.host("server", { address: "10.0.0.1/24" });
  const client = sim.host("client", { address: "10.0.0.2/24" });
  sim.link(server, client, { delayMs: 30 });
  const { promise, resolve } = Promise.withResolvers<string>();
  const data = (_: unknown, bytes: Uint8Array) => resolve(new TextDecoder().decode(bytes));
  server.demikernel.tcp.listen({ port: 7, socket: { data } });
  const received = await realTime.run(async () => {
    const target = { hostname: "10.0.0.1", port: 7, socket: {} };
    const socket = await client.demikernel.tcp.connect(target);
    socket.write("hello");
    return promise;
  });
  expect(received).toBe("hello");
  // The server's ARP announcement, SYN, SYN-ACK, the data.
  expect(Math.round(clock.now - 5000)).toBe(120);
});

test("it tells how late it was", async () => {
  const { sim, clock, realTime } = world();
  clock.lateMs = 3;
  await realTime.run(() => sim.sleep(10));
  expect(sim.now).toBe(13);
  expect(realTime.lateness).toEqual({ turns: 1, meanMs: 3, maximumMs: 3, lateTurns: 1 });
});

test("a run ends with what fails in it, and in time", async () => {
  const { sim, clock, realTime } = world();
  const refused = () => Promise.reject(new Error("no more"));
  expect(realTime.run(refused)).rejects.toThrow("no more");
  sim.after(5, () => {
    throw new Error("the application failed");
  });
  expect(realTime.run(() => sim.sleep(10))).rejects.toThrow("the application failed");
  await Bun.sleep(1);
  const never = new Promise<void>(() => {});
  const overdue = realTime.run(() => never, { timeoutMs: 1000 });
  expect(overdue).rejects.toThrow(/has not ended after \d+ ms/);
  await overdue.catch(() => {});
  expect(clock.now).toBeGreaterThan(6000);
});

test("without a clock of its own it goes by the process's", async () => {
  const sim = new Simulation({ seed: 1, module: stackModule(), ambient: "allow" });
  const realTime = new RealTime(sim);
  const [near, far] = [new Device(), new Device()];
  sim.link(realTime.attach("left", near), realTime.attach("right", far), { delayMs: 5 });
  near.waiting.push(frame.slice());
  await realTime.run(() => sim.sleep(20));
  expect(far.out).toEqual([frame]);
  expect(sim.now).toBeGreaterThanOrEqual(20);
});
