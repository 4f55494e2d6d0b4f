/** Scenarios: the same for a seed for ever, varied over seeds, and plain data. */
import { expect, test } from "bun:test";
import { Random } from "../../../src/sim/random";
import { boxKinds } from "../../../src/sim/swarm/draw-boxes";
import { drawTimedFaults } from "../../../src/sim/swarm/draw-faults";
import { drawScenario } from "../../../src/sim/swarm/draw";
import { featuresOf } from "../../../src/sim/swarm/features";
import { faultKinds, type Scenario } from "../../../src/sim/swarm/scenario";
import { checkLinkOptions } from "../../../src/sim/network/options";

const seeds = Array.from({ length: 400 }, (_, index) => index);
const scenarios = seeds.map(drawScenario);

test("a seed's scenario is the same whenever it is drawn, and JSON keeps it", () => {
  for (const seed of [0, 7, 123_456_789]) {
    const scenario = drawScenario(seed);
    expect(drawScenario(seed)).toEqual(scenario);
    expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario);
  }
});

test("choices have streams of their own: one more kind of fault leaves the others as they were", () => {
  const world = { faultsMs: 5000, hosts: ["a", "b"], links: 1 };
  const draw = (kinds: Parameters<typeof drawTimedFaults>[1]) =>
    drawTimedFaults(new Random(5), kinds, world);
  const pauses = draw(new Set(["pause"]));
  const both = draw(new Set(["pause", "crash"]));
  expect(both.filter(({ kind }) => kind === "pause")).toEqual(pauses);
  expect(both.length).toBeGreaterThan(pauses.length);
});

test("over some hundred seeds everything there is occurs, and some runs have no faults", () => {
  const seen = new Map<string, number>();
  for (const scenario of scenarios) {
    for (const feature of featuresOf(scenario)) seen.set(feature, (seen.get(feature) ?? 0) + 1);
  }
  const expected = [
    ...faultKinds.map((kind) => `fault: ${kind}`),
    ...["pair", "star", "routed", "dumbbell"].map((topology) => `topology: ${topology}`),
    ...["stream", "echo", "ping-pong"].map((pattern) => `pattern: ${pattern}`),
    ...["half-close", "close", "last", "abort", "unread"].map((ending) => `ending: ${ending}`),
    ...boxKinds.map((kind) => `box: ${kind}`),
    "fault: none",
    "flow: udp",
    "interface: handlers",
    "interface: queues",
    "backlog: 1",
    "connections: many",
    "writing: small",
    "writing: paused",
    "reading: sized",
    "reading: stalls",
    "option: Nagle",
    "option: small MTU",
    "option: small MSS",
    "option: ECN",
    "option: DCTCP",
    "option: pacing",
    "option: narrow router",
    "option: wide windows",
  ];
  for (const feature of expected) {
    expect(seen.get(feature) ?? 0, feature).toBeGreaterThanOrEqual(5);
  }
});

function names({ hosts, nodes }: Scenario): Set<string> {
  return new Set([...hosts, ...nodes].map(({ name }) => name));
}

test("every scenario is whole: its links and flows join what is there, its options are allowed", () => {
  for (const scenario of scenarios) {
    const stations = names(scenario);
    expect(scenario.hosts.length).toBeGreaterThanOrEqual(2);
    expect(scenario.hosts.length).toBeLessThanOrEqual(8);
    for (const { a, b, ab, ba } of scenario.links) {
      expect(stations.has(a) && stations.has(b)).toBe(true);
      checkLinkOptions(`${a}-${b}`, { ab, ba });
    }
    for (const { client, server } of scenario.flows) {
      expect(client).not.toBe(server);
      expect(stations.has(client) && stations.has(server)).toBe(true);
    }
    for (const fault of scenario.faults) {
      expect(fault.untilMs).toBeLessThanOrEqual(scenario.faultsMs);
      if ("link" in fault) expect(fault.link).toBeLessThan(scenario.links.length);
      else expect(stations.has(fault.host)).toBe(true);
    }
  }
});
