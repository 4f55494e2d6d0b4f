/**
 * Draws a scenario from a seed. Every choice has a stream of its own, named for its purpose: a choice
 * that is added later shifts no other.
 */
import { Random } from "../random";
import { drawBoxes } from "./draw-boxes";
import { drawTimedFaults } from "./draw-faults";
import { drawFlows } from "./draw-flows";
import { drawHosts } from "./draw-hosts";
import { drawNetwork } from "./draw-network";
import { type FaultKind, faultKinds, type Scenario } from "./scenario";

/** Of the seeds, those whose network does nothing wrong. */
const CALM_SHARE = 0.1;
/** The share of all fault kinds that one seed switches on is one of these. */
const densities = [0.08, 0.2, 0.4, 0.7];

/** A swarm tests better when each run leaves most features out (Groce and others 2012). */
function drawKinds(random: Random): FaultKind[] {
  if (random.split("calm").chance(CALM_SHARE)) return [];
  const density = random.split("density").pick(densities);
  return faultKinds.filter((kind) => random.split(`kind/${kind}`).chance(density));
}

/** The scenario of this seed, a whole number. */
export function drawScenario(seed: number): Scenario {
  const random = new Random(seed).split("scenario");
  const kinds = drawKinds(random);
  const on = new Set(kinds);
  const network = drawNetwork(random.split("network"), on);
  const hosts = drawHosts(random.split("hosts"), on, network);
  const faultsMs = Math.round(random.split("faults-ms").magnitude(200, 20_000));
  const faults = drawTimedFaults(random.split("faults"), on, {
    faultsMs,
    hosts: hosts.map(({ name }) => name),
    links: network.links.length,
  });
  const flows = drawFlows(random.split("flows"), on, { hosts, network, faultsMs });
  const links = drawBoxes(random.split("boxes"), on, { network, flows });
  const { topology, nodes } = network;
  return { version: 1, seed, topology, kinds, hosts, nodes, links, flows, faults, faultsMs };
}
