/** Runs: a small swarm passes and repeats; a broken rule is told with all that belongs to it. */
import { expect, test } from "bun:test";
import { drawScenario } from "../../../src/sim/swarm/draw";
import type { RunResult } from "../../../src/sim/swarm/result";
import { runScenario } from "../../../src/sim/swarm/run";
import type { Scenario } from "../../../src/sim/swarm/scenario";
import { executeScenario, swarmResult } from "../../../src/sim/swarm/swarm";
import { stackModule } from "../../../src/wasm/module";
import { plainScenario } from "./plain-scenario";

const module = stackModule();

test("forty seeds pass, and the second execution of each is the same", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const result = await executeScenario(module, drawScenario(seed), { isTwice: true });
    expect(result.failure, `seed ${seed}`).toBeUndefined();
  }
}, 60_000);

test("a run tells what was in it", async () => {
  const result = await runScenario(module, plainScenario());
  expect(result).toMatchObject({
    verdict: "passed",
    failure: undefined,
    deliveredBytes: 13_000,
    connections: { completed: 1, aborted: 0, retried: 0 },
    drops: {},
  });
  expect(result.convergedMs).toBeGreaterThan(10);
  expect(result.frames.sent).toBe(result.frames.delivered);
  expect(result.counters.tcpConnectionsAccepted).toBe(1);
  expect(result.transitions?.["CLOSED>SYN-SENT"]).toBe(1);
  expect(result.features).toContain("pattern: stream");
});

test("a connection that cannot be made though nothing is wrong fails the run", async () => {
  const { flows, ...rest } = plainScenario();
  const [flow] = flows as [Extract<Scenario["flows"][number], { protocol: "tcp" }>];
  // Two flows share a port: the second listener is refused.
  const result = await runScenario(module, { ...rest, flows: [flow, { ...flow, name: "two" }] });
  expect(result.failure).toMatchObject({ kind: "exception" });
  expect(result.failure?.detail).toContain("EADDRINUSE");
});

test("what does not converge fails with what is left to do", async () => {
  const scenario = plainScenario();
  const [host, peer] = scenario.hosts as [Scenario["hosts"][number], Scenario["hosts"][number]];
  // Nobody is at this address: ARP goes unanswered for ever.
  const alone: Scenario = {
    ...scenario,
    kinds: ["partition"],
    // Its bound is no whole number of milliseconds.
    flows: scenario.flows.map((flow) => ({ ...flow, startMs: 5.1 })),
    hosts: [
      { ...host, address: "10.9.9.9/8" },
      { ...peer, address: "10.0.1.2/30" },
    ],
  };
  const { failure } = await runScenario(module, alone);
  expect(failure).toMatchObject({ kind: "liveness" });
  expect(failure?.detail).toContain("0 of 1 connections of flow1 are over");
});

test("a run is ended when it takes too many events", async () => {
  const { failure } = await runScenario(module, plainScenario(), { eventsMax: 50 });
  expect(failure).toMatchObject({ kind: "liveness" });
  expect(failure?.detail).toContain("more than 50 events");
});

test("an execution that is not repeated exactly is a failure", async () => {
  let runs = 0;
  const result = await executeScenario(module, plainScenario(), {
    isTwice: true,
    // Only the first execution is watched: it gets an event that the second has not.
    onStart: (sim) => void (runs++ === 0 && sim.after(1, () => sim.fingerprint.word(1))),
  });
  expect(result).toMatchObject({ verdict: "failed", failure: { kind: "repetition" } });
});

test("a host that boots in the last instant has time to send before its pools are looked at", async () => {
  const scenario: Scenario = {
    ...plainScenario(),
    kinds: ["crash"],
    faults: [{ kind: "crash", host: "a", atMs: 300, untilMs: 400 }],
    faultsMs: 400,
  };
  expect((await runScenario(module, scenario)).failure).toBeUndefined();
});

test("faults are at work in their time and over at the healing", async () => {
  const scenario: Scenario = {
    ...plainScenario(),
    kinds: ["partition", "crash"],
    faults: [
      { kind: "partition", link: 0, which: "both", atMs: 12, untilMs: 900 },
      { kind: "crash", host: "b", atMs: 1000, untilMs: 5000 },
    ],
    faultsMs: 2000,
  };
  const result = await runScenario(module, scenario);
  expect(result.failure).toBeUndefined();
  expect(result.drops.partition).toBeGreaterThan(0);
  expect(result.connections.completed).toBe(1);
  // The crash lasts until the healing, not longer.
  expect(result.convergedMs).toBeGreaterThan(2000);
});

test("a swarm's result does not depend on the order in which runs end", () => {
  const run = (seed: number, fingerprint: string): RunResult => ({
    seed,
    verdict: "passed",
    fingerprint,
    virtualMs: 1,
    wallMs: 1,
    events: 1,
    frames: {},
    drops: {},
    deliveredBytes: 0,
    connections: { completed: 0, aborted: 0, retried: 0 },
    counters: {},
    features: [],
  });
  const facts = { seed: 1, runsAsked: 2, isTwice: false, wallMs: 1, workers: 1 };
  const forward = swarmResult([run(1, "a"), run(2, "b")], facts);
  expect(swarmResult([run(2, "b"), run(1, "a")], facts)).toEqual(forward);
  expect(swarmResult([run(1, "b"), run(2, "a")], facts).fingerprint).not.toBe(forward.fingerprint);
});
