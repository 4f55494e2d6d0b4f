/** The shrinker: keeps what the failure needs and drops the rest. */
import { expect, test } from "bun:test";
import { drawScenario } from "../../../src/sim/swarm/draw";
import type { Failure, RunResult } from "../../../src/sim/swarm/result";
import { type RunOptions, runScenario } from "../../../src/sim/swarm/run";
import type { Scenario } from "../../../src/sim/swarm/scenario";
import { shrink } from "../../../src/sim/swarm/shrink";
import { withoutHost } from "../../../src/sim/swarm/without-host";
import { stackModule } from "../../../src/wasm/module";
import { plainScenario } from "./plain-scenario";

const artificial: Failure = { kind: "artificial", host: "", detail: "as the test says", timeNs: 0 };

/** A run that fails when `fails` says so, without running anything. */
function pretend(fails: (scenario: Scenario) => boolean) {
  return async (scenario: Scenario): Promise<RunResult> => ({
    seed: scenario.seed,
    verdict: "passed",
    failure: fails(scenario) ? artificial : undefined,
    fingerprint: "",
    virtualMs: 0,
    wallMs: 0,
    events: 0,
    frames: {},
    drops: {},
    deliveredBytes: 0,
    connections: { completed: 0, aborted: 0, retried: 0 },
    counters: {},
    features: [],
  });
}

/** A scenario with many of everything. */
function large(): Scenario {
  for (let seed = 0; ; seed++) {
    const scenario = drawScenario(seed);
    const isLarge = scenario.flows.length > 3 && scenario.faults.length > 8;
    if (isLarge && scenario.topology === "routed" && scenario.hosts.length > 3) return scenario;
  }
}

test("one flow and one fault are left where they alone matter", async () => {
  const scenario = large();
  const name = scenario.flows[2]?.name;
  const fault = scenario.faults[5];
  const needed = (one: Scenario) =>
    one.flows.some((flow) => flow.name === name) &&
    one.faults.some(({ kind, atMs }) => kind === fault?.kind && atMs === fault.atMs);
  const shrunk = await shrink(scenario, artificial, pretend(needed));
  expect(shrunk.scenario.flows.map((flow) => flow.name)).toEqual([name as string]);
  expect(shrunk.scenario.faults).toHaveLength(1);
  expect(shrunk.scenario.hosts.length).toBeLessThan(scenario.hosts.length);
  expect(shrunk.failure).toEqual(artificial);
  const flow = shrunk.scenario.flows[0];
  if (flow?.protocol === "tcp") {
    expect(flow).toMatchObject({ connections: 1, interface: "queues", pattern: "stream" });
    expect(flow.clientEnd).toMatchObject({ sendBytes: 0, reading: {}, ending: "half-close" });
  }
  for (const { ab, ba } of shrunk.scenario.links) {
    expect([ab, ba]).toEqual([{ delayMs: 1 }, { delayMs: 1 }]);
  }
});

test("the number of executions is bounded, and another failure is no success", async () => {
  let executions = 0;
  const execute = async (scenario: Scenario) => {
    executions++;
    const result = await pretend(() => true)(scenario);
    return { ...result, failure: { ...artificial, kind: "another" } };
  };
  const scenario = large();
  const shrunk = await shrink(scenario, artificial, execute, { executionsMax: 9 });
  expect(shrunk).toMatchObject({ scenario, executions: 9 });
  // The look at random losses is one more.
  expect(executions).toBeLessThanOrEqual(10);
});

test("random losses become the few packets whose loss matters", async () => {
  const plain = plainScenario();
  const [link] = plain.links as [Scenario["links"][number]];
  const lossy: Scenario = {
    ...plain,
    links: [{ ...link, ab: { delayMs: 2, loss: 0.3 }, ba: { delayMs: 2, loss: 0.2 } }],
    faultsMs: 3000,
  };
  const module = stackModule();
  /** Fails when the client's SYN is lost: it is sent again a second later. */
  const execute = async (scenario: Scenario, options: RunOptions = {}) => {
    const result = await runScenario(module, scenario, options);
    const isLate = (result.convergedMs ?? 0) > 1000 && (result.counters.tcpTimeouts ?? 0) > 0;
    return { ...result, failure: isLate ? artificial : undefined };
  };
  expect((await execute(lossy)).failure).toEqual(artificial);
  const { scenario } = await shrink(lossy, artificial, execute);
  const lists = scenario.links.flatMap(({ ab, ba }) => [ab.loss, ba.loss]);
  const packets = lists.flatMap((loss) =>
    typeof loss === "object" && "packets" in loss ? loss.packets : [],
  );
  expect(lists.filter((loss) => loss !== undefined).length).toBeGreaterThan(0);
  expect(packets.length).toBeLessThanOrEqual(3);
  expect((await execute(scenario)).failure).toEqual(artificial);
}, 60_000);

test("a host leaves with its links, its router's interface and its faults", () => {
  const scenario: Scenario = {
    ...plainScenario(),
    topology: "routed",
    hosts: ["a", "b", "c"].map((name, index) => ({ name, address: `10.0.${index}.2/24` })),
    nodes: [
      { name: "r", kind: "router", addresses: ["10.0.0.1/24", "10.0.1.1/24", "10.0.2.1/24"] },
    ],
    links: ["a", "b", "c"].map((a) => ({ a, b: "r", ab: {}, ba: {} })),
    flows: plainScenario().flows.map((flow) => ({ ...flow, client: "a", server: "c" })),
    faults: [
      { kind: "down", link: 1, atMs: 1, untilMs: 2 },
      { kind: "down", link: 2, atMs: 1, untilMs: 2 },
      { kind: "pause", host: "b", atMs: 1, untilMs: 2 },
    ],
  };
  const without = withoutHost(scenario, "b");
  expect(without?.hosts.map(({ name }) => name)).toEqual(["a", "c"]);
  expect(without?.nodes[0]?.addresses).toEqual(["10.0.0.1/24", "10.0.2.1/24"]);
  expect(without?.links.map(({ a }) => a)).toEqual(["a", "c"]);
  expect(without?.faults).toEqual([{ kind: "down", link: 1, atMs: 1, untilMs: 2 }]);
  expect(withoutHost(scenario, "a")).toBeUndefined();
});
