/** The reactor against a source that is driven by hand. */
import { expect, test } from "bun:test";
import { hostEventLoop } from "../../src/runtime/event-loop";
import { Reactor, type Source } from "../../src/runtime/reactor";

class FakeSource implements Source {
  polls = 0;
  arms = 0;
  /** What the next polls do; afterwards nothing. */
  work: number[] = [];
  wake: (() => void) | undefined;
  canWake = true;
  deadlineUs = Number.POSITIVE_INFINITY;
  cause: unknown;
  throws = false;

  poll(): number {
    this.polls++;
    if (this.throws) throw new Error("trap");
    return this.work.shift() ?? 0;
  }
  collect(): number {
    return 0;
  }
  flush(): number {
    return 0;
  }
  arm(wake: () => void): boolean {
    this.arms++;
    this.wake = wake;
    return this.canWake;
  }
  failed(cause: unknown): void {
    this.cause = cause;
  }
}

function start(source: FakeSource, spinUs = 0): Reactor {
  return new Reactor(source, { spinUs });
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !condition(); turn++) await Bun.sleep(1);
  expect(condition()).toBe(true);
}

test("turns go on while there is work, then the source is armed and left alone", async () => {
  const source = new FakeSource();
  source.work = Array(50).fill(1);
  using reactor = start(source);
  reactor.kick();
  await until(() => source.arms === 1);
  expect(source.work).toEqual([]);
  const polls = source.polls;
  expect(polls).toBeGreaterThanOrEqual(51);
  await Bun.sleep(30);
  expect([source.polls, source.arms]).toEqual([polls, 1]);
});

test("a wake-up runs a turn and arms anew", async () => {
  const source = new FakeSource();
  using reactor = start(source);
  reactor.kick();
  await until(() => source.arms === 1);
  for (let round = 2; round < 20; round++) {
    source.work = [3];
    source.wake?.();
    await until(() => source.arms === round);
    expect(source.work).toEqual([]);
  }
});

test("an operation while asleep does not arm a second time", async () => {
  const source = new FakeSource();
  using reactor = start(source);
  reactor.kick();
  await until(() => source.arms === 1);
  const polls = source.polls;
  reactor.kick();
  await until(() => source.polls > polls);
  await Bun.sleep(5);
  expect(source.arms).toBe(1);
});

test("a deadline ends the sleep", async () => {
  const source = new FakeSource();
  using reactor = start(source);
  source.deadlineUs = hostEventLoop.nowUs() + 10_000;
  reactor.kick();
  await until(() => source.arms === 1);
  const polls = source.polls;
  await until(() => source.polls > polls);
  expect(hostEventLoop.nowUs()).toBeGreaterThanOrEqual(source.deadlineUs);
});

test("a source that cannot wake is polled, seldom", async () => {
  const source = new FakeSource();
  source.canWake = false;
  using reactor = start(source);
  reactor.kick();
  const started = hostEventLoop.nowUs();
  await until(() => source.polls >= 10);
  expect(hostEventLoop.nowUs() - started).toBeGreaterThan(10_000);
});

test("the program's own events get their turn while there is work without end", async () => {
  const source = new FakeSource();
  source.poll = () => {
    source.polls++;
    return 1;
  };
  using reactor = start(source);
  reactor.kick();
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (socket, bytes) => void socket.write(bytes) },
  });
  let echoes = 0;
  const done = Promise.withResolvers<void>();
  const client = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: {
      data(socket) {
        if (++echoes === 100) done.resolve();
        else socket.write("x");
      },
    },
  });
  client.write("x");
  await done.promise;
  client.end();
  server.stop(true);
  expect(source.polls).toBeGreaterThan(100);
});

test("a turn that throws ends the reactor and tells the source", async () => {
  const source = new FakeSource();
  source.throws = true;
  using reactor = start(source);
  reactor.kick();
  await until(() => source.cause !== undefined);
  expect(String(source.cause)).toContain("trap");
  reactor.kick();
  await Bun.sleep(5);
  expect(source.polls).toBe(1);
});

/** Runs a program in a process of its own; its exit code, or "alive" when it outlives `afterMs`. */
async function run(program: string, afterMs: number): Promise<number | "alive"> {
  const folder = new URL("../../src/", import.meta.url).pathname;
  const code = `import { openPair } from "${folder}index.ts";\n${program}`;
  const child = Bun.spawn([process.execPath, "-e", code], { stdout: "inherit", stderr: "inherit" });
  const timer = Bun.sleep(afterMs).then(() => "alive" as const);
  const outcome = await Promise.race([child.exited, timer]);
  child.kill("SIGKILL");
  await child.exited;
  return outcome;
}

test("an open instance without waits lets the process end; a pending wait keeps it", async () => {
  const open = "const [a, b] = openPair(); const s = b.socket('datagram'); b.bind(s, { port: 1 });";
  expect(await run(`${open} b.pop(s); process.exitCode = 3;`, 10_000)).toBe(3);
  expect(
    await run(`${open} await b.wait(b.pop(s), { timeoutMs: 100 }).catch(() => {});`, 10_000),
  ).toBe(0);
  expect(await run(`${open} await b.wait(b.pop(s));`, 1500)).toBe("alive");
});
