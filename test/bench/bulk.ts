/** One TCP stream as fast as it goes, each way: our stack beside Bun.listen on the kernel's. */
import { bulk, type Target } from "./client/client";
import { type Benchmark, type Budget, type Figure, figure } from "./figure";
import {
  type BackendName,
  backends,
  betweenServers,
  networkObstacle,
  pairConditions,
  placementConditions,
} from "./network";
import type { Service } from "./server/service";

const ROUNDS = 12;
const ROUND_MS = 250;
const ROUND_MS_BRIEF = 50;

/** Named from our stack's side: it receives what the client sends. */
const directions = [
  { name: "receive", service: "sink", client: "send" },
  { name: "send", service: "source", client: "receive" },
] as const satisfies readonly { name: string; service: Service; client: "send" | "receive" }[];

type Direction = (typeof directions)[number];

async function run(
  backend: BackendName,
  { name, service, client }: Direction,
  { brief }: Budget,
): Promise<Figure[]> {
  const durationMs = brief ? ROUND_MS_BRIEF : ROUND_MS;
  const measured = (target: Target) => bulk(target, client, durationMs);
  const rounds = brief ? 1 : ROUNDS;
  const { ours, peers } = await betweenServers(backend, service, "cross-cpu", rounds, measured);
  const text =
    `one TCP stream, the kernel's end is a C program, best of ${rounds} rounds of ${durationMs} ms; ` +
    `${placementConditions["cross-cpu"]}; ${pairConditions(backend)}`;
  const peer = { name: "Bun.listen", value: Math.max(...peers) };
  return [figure(`bulk.${backend}.${name}`, Math.max(...ours), "Gb/s", text, peer)];
}

export const bulkBenchmarks: readonly Benchmark[] = backends.flatMap((backend) =>
  directions.map((direction) => ({
    names: [`bulk.${backend}.${direction.name}`],
    obstacle: () => networkObstacle(backend),
    run: (budget: Budget) => run(backend, direction, budget),
  })),
);
