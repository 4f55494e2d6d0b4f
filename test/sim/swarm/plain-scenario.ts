/** Two hosts, one link, one connection, nothing wrong. */
import type { Scenario } from "../../../src/sim/swarm/scenario";

export function plainScenario(): Scenario {
  const end = { writing: { bytesMax: 4000 }, reading: {}, ending: "half-close" } as const;
  return {
    version: 1,
    seed: 1,
    topology: "pair",
    kinds: [],
    hosts: [
      { name: "a", address: "10.0.1.1/24" },
      { name: "b", address: "10.0.1.2/24" },
    ],
    nodes: [],
    links: [{ a: "a", b: "b", ab: { delayMs: 2 }, ba: { delayMs: 2 } }],
    flows: [
      {
        protocol: "tcp",
        name: "flow1",
        client: "a",
        server: "b",
        port: 80,
        startMs: 5,
        connections: 1,
        backlog: 1,
        pattern: "stream",
        interface: "queues",
        clientEnd: { ...end, sendBytes: 10_000 },
        serverEnd: { ...end, sendBytes: 3000 },
      },
    ],
    faults: [],
    faultsMs: 10,
  };
}
