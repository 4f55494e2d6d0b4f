/** Two modules with a memory each, frames moved by TypeScript: a NIC's place taken by software. */
import { stackModule } from "../../src/wasm/module";
import { type Benchmark, type Budget, type Figure, figure, type Unit } from "./figure";
import { chunkConditions, complete, fastest } from "./measure";
import { ECHO_BYTES, IDLE_MAX, Pair, SEGMENT_BYTES } from "./pair";
import { type ProbeExports, probeModule } from "./probe";
import { memoryConditions } from "./stack-options";

interface Peer {
  readonly name: string;
  readonly value: number;
}

const inModule =
  "two modules under Bun, frames copied between their rings by TypeScript, the applications in the " +
  `modules, ${memoryConditions}, ${chunkConditions}; the peer's figure was measured on another ` +
  "machine of this kind";
const inTypeScript =
  "two modules under Bun, frames copied between their rings by TypeScript, the applications in " +
  `TypeScript too, ${memoryConditions}, ${chunkConditions}`;

/** Carries frames and takes turns until `turns` has counted `amount`. */
function turnUntil(pair: Pair, amount: number, turns: () => number): void {
  let done = 0;
  let idle = 0;
  while (done < amount) {
    idle = pair.wire.carry() === 0 ? idle + 1 : 0;
    if (idle > IDLE_MAX) throw new Error("nothing moves any more");
    done += turns();
  }
}

function echo(pair: Pair, budget: Budget): Promise<number> {
  const client = pair.client.exports as ProbeExports;
  const server = pair.server.exports as ProbeExports;
  client.pop(pair.connected, 0);
  server.pop(pair.accepted, 0);
  client.benchEchoStart(pair.connected, ECHO_BYTES);
  const turns = (): number => {
    server.benchEchoTurn(pair.server.tick(), ECHO_BYTES);
    return client.benchEchoTurn(pair.client.tick(), ECHO_BYTES);
  };
  return fastest(2000, (rounds) => turnUntil(pair, rounds, turns), budget);
}

function segments(pair: Pair, budget: Budget): Promise<number> {
  const client = pair.client.exports as ProbeExports;
  const server = pair.server.exports as ProbeExports;
  server.pop(pair.accepted, 0);
  let pending = 0;
  const turns = (): number => {
    pending = client.benchSendTurn(pair.client.tick(), pair.connected, SEGMENT_BYTES, pending);
    return server.benchReceiveTurn(pair.server.tick());
  };
  return fastest(2000, (count) => turnUntil(pair, count * SEGMENT_BYTES, turns), budget);
}

function benchmark(
  name: string,
  unit: Unit,
  module: () => WebAssembly.Module,
  peer: Peer | undefined,
  run: (pair: Pair, budget: Budget) => Promise<number>,
): Benchmark {
  const measured = async (budget: Budget): Promise<Figure[]> => {
    using pair = new Pair(module());
    pair.connect();
    const value = await run(pair, budget);
    pair.assertNothingLost();
    const conditions = module === probeModule ? inModule : inTypeScript;
    return [figure(name, value, unit, conditions, peer)];
  };
  return { names: [name], run: measured };
}

const lwip = (value: number): Peer => ({ name: "two lwIP modules, Bun", value });

export const splitBenchmarks: readonly Benchmark[] = [
  benchmark("split.echo64", "ns", probeModule, lwip(601), echo),
  benchmark("split.segment1460", "ns", probeModule, lwip(579), segments),
  benchmark("split.typescript.echo64", "ns", stackModule, undefined, (pair, budget) =>
    fastest(2000, (rounds) => complete("echo", pair.echo(rounds), rounds), budget),
  ),
  benchmark("split.typescript.segment1460", "ns", stackModule, undefined, (pair, budget) => {
    const chunk = (count: number) =>
      complete("bulk", pair.bulk(count * SEGMENT_BYTES), count * SEGMENT_BYTES);
    return fastest(2000, chunk, budget);
  }),
  benchmark("split.connectClose", "cycles/s", stackModule, undefined, async (pair, budget) => {
    const chunk = (count: number) => complete("cycles", pair.cycles(count), count);
    return 1e9 / (await fastest(500, chunk, budget));
  }),
];
