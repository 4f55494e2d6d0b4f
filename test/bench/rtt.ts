/** 64-byte TCP round trips of a kernel client: our stack beside Bun.listen on the kernel's. */
import { echo, type RoundTrips, type Target } from "./client/client";
import { type Benchmark, type Budget, type Figure, figure } from "./figure";
import {
  type BackendName,
  backends,
  betweenServers,
  networkObstacle,
  type Placement,
  placementConditions,
  pairConditions,
} from "./network";

const ROUNDS = 5;
const ROUND_TRIPS = 5000;
const ROUND_TRIPS_BRIEF = 50;

interface Way {
  readonly name: string;
  readonly placement: Placement;
  /** The client polls its socket instead of sleeping on it. */
  readonly poll: boolean;
  readonly conditions: string;
}

const ways: readonly Way[] = [
  {
    name: "same-cpu",
    placement: "same-cpu",
    poll: false,
    conditions: `the client sleeps in recv; ${placementConditions["same-cpu"]}`,
  },
  {
    name: "cross-cpu",
    placement: "cross-cpu",
    poll: false,
    conditions: `the client sleeps in recv, whose wake-up is most of it; ${placementConditions["cross-cpu"]}`,
  },
  {
    name: "cross-cpu.polling-client",
    placement: "cross-cpu",
    poll: true,
    conditions: `the client polls its socket; ${placementConditions["cross-cpu"]}`,
  },
];

/** The round whose median is lowest: the one that other programs disturbed least. */
function calmest(rounds: readonly RoundTrips[]): RoundTrips {
  return rounds.reduce((best, round) => (round.p50Us < best.p50Us ? round : best));
}

function names(backend: BackendName, way: Way): readonly [p50: string, p99: string] {
  return [`rtt.${backend}.${way.name}.p50`, `rtt.${backend}.${way.name}.p99`];
}

async function run(backend: BackendName, way: Way, { brief }: Budget): Promise<Figure[]> {
  const count = brief ? ROUND_TRIPS_BRIEF : ROUND_TRIPS;
  const measured = (target: Target) => echo(target, count, way.poll);
  const rounds = brief ? 1 : ROUNDS;
  const { ours, peers } = await betweenServers(backend, "echo", way.placement, rounds, measured);
  const [our, peer] = [calmest(ours), calmest(peers)];
  const text =
    `64-byte TCP echo, ${count} round trips, the calmest of ${rounds} rounds; ${way.conditions}; ` +
    pairConditions(backend);
  const [p50, p99] = names(backend, way);
  return [
    figure(p50, our.p50Us, "µs", text, { name: "Bun.listen", value: peer.p50Us }),
    figure(p99, our.p99Us, "µs", text, { name: "Bun.listen", value: peer.p99Us }),
  ];
}

export const rttBenchmarks: readonly Benchmark[] = backends.flatMap((backend) =>
  ways.map((way) => ({
    names: names(backend, way),
    obstacle: () => networkObstacle(backend),
    run: (budget: Budget) => run(backend, way, budget),
  })),
);
