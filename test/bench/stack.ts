/** Both ends' whole stacks back to back in one module: what the protocol work itself costs. */
import { type Benchmark, type Budget, type Figure, figure } from "./figure";
import { chunkConditions, complete, fastest } from "./measure";
import { type Connection, LISTENER, Probe } from "./probe";
import { assertNothingLost, memoryConditions } from "./stack-options";

const ECHO_BYTES = 64;
const SEGMENT_BYTES = 1460;
/** A full segment with timestamps, which take 12 bytes of it. */
const STAMPED_BYTES = 1448;
const MANY = 10_000;
const MANY_BRIEF = 100;

const conditions =
  `two interfaces of one WebAssembly module under Bun, ${memoryConditions}, ${chunkConditions}; ` +
  "the peer's figure was measured on another machine of this kind";

async function echo(budget: Budget): Promise<number> {
  const probe = new Probe();
  const { client, accepted } = probe.connect();
  const best = await fastest(
    5000,
    (rounds) => {
      complete("echo", probe.exports.benchEcho(client, accepted, ECHO_BYTES, rounds), rounds);
    },
    budget,
  );
  assertNothingLost(probe.stack);
  return best;
}

/** One round trip on each of `count` open connections in turn, over and over. */
async function echoEach(count: number, budget: Budget): Promise<number> {
  const probe = new Probe();
  const connections: Connection[] = [];
  for (let index = 0; index < count; index++) connections.push(probe.connect());
  let next = 0;
  const best = await fastest(
    5000,
    (rounds) => {
      for (let round = 0; round < rounds; round++) {
        const { client, accepted } = connections[next] as Connection;
        next = next + 1 === count ? 0 : next + 1;
        complete("echo", probe.exports.benchEcho(client, accepted, ECHO_BYTES, 1), 1);
      }
    },
    budget,
  );
  assertNothingLost(probe.stack);
  return best;
}

async function segments(budget: Budget, bytes: number, timestamps: boolean): Promise<number> {
  const probe = new Probe({ timestamps, sack: timestamps });
  const { client, accepted } = probe.connect();
  const best = await fastest(
    5000,
    (count) => {
      const total = count * bytes;
      const received = probe.exports.benchBulk(client, accepted, bytes, total);
      complete("bulk", received, total);
    },
    budget,
  );
  assertNothingLost(probe.stack);
  return best;
}

async function cycles(budget: Budget): Promise<number> {
  const probe = new Probe();
  const best = await fastest(
    1000,
    (count) => complete("cycles", probe.exports.benchConnectClose(LISTENER, count), count),
    budget,
  );
  assertNothingLost(probe.stack);
  return 1e9 / best;
}

async function manyFigure(name: string, budget: Budget): Promise<Figure> {
  const count = budget.brief ? MANY_BRIEF : MANY;
  const one = { name: "the same on one connection", value: await echoEach(1, budget) };
  const text =
    `one round trip on each of ${count} connections in turn; ${memoryConditions}; lwIP and ` +
    "smoltcp need 45,000–1,030,000 ns at 10,000 connections (measured on another machine)";
  return figure(name, await echoEach(count, budget), "ns", text, one);
}

function benchmark(name: string, run: (budget: Budget) => Promise<Figure>): Benchmark {
  return { names: [name], run: async (budget) => [await run(budget)] };
}

export const stackBenchmarks: readonly Benchmark[] = [
  benchmark("stack.echo64", async (budget) =>
    figure("stack.echo64", await echo(budget), "ns", conditions, {
      name: "lwIP native, SSE2 checksum",
      value: 304,
    }),
  ),
  benchmark("stack.segment1460", async (budget) =>
    figure("stack.segment1460", await segments(budget, SEGMENT_BYTES, false), "ns", conditions, {
      name: "lwIP native, AVX2 checksum",
      value: 317,
    }),
  ),
  benchmark("stack.segment1448.timestamps", async (budget) =>
    figure(
      "stack.segment1448.timestamps",
      await segments(budget, STAMPED_BYTES, true),
      "ns",
      `timestamps and SACK on, as by default; otherwise ${conditions}`,
    ),
  ),
  benchmark("stack.connectClose", async (budget) =>
    figure("stack.connectClose", await cycles(budget), "cycles/s", conditions, {
      name: "lwIP native",
      value: 921_000,
    }),
  ),
  benchmark("stack.echo64.at10000", (budget) => manyFigure("stack.echo64.at10000", budget)),
];
