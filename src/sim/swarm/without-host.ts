/** Takes a host that no flow needs out of a scenario, with its links and what befell them. */
import type { Scenario, ScenarioNode, TimedFault } from "./scenario";

/** Undefined when the host is needed. */
export function withoutHost(scenario: Scenario, name: string): Scenario | undefined {
  const { hosts, nodes, links, flows, faults } = scenario;
  const isUsed = flows.some(({ client, server }) => client === name || server === name);
  if (isUsed || hosts.length <= 2 || !hosts.some((host) => host.name === name)) return undefined;
  const kept = links.flatMap(({ a, b }, index) => (a === name || b === name ? [] : [index]));
  return {
    ...scenario,
    hosts: hosts.filter((host) => host.name !== name),
    nodes: nodes.map((node) => keepInterfaces(node, scenario, kept)),
    links: kept.map((index) => links[index] as Scenario["links"][number]),
    faults: faults.flatMap((fault) => keepFault(fault, name, kept)),
  };
}

/** A router's addresses stand in the order of its links. */
function keepInterfaces(
  node: ScenarioNode,
  { links }: Scenario,
  kept: readonly number[],
): ScenarioNode {
  const { name, addresses } = node;
  if (addresses === undefined) return node;
  const own = links.flatMap(({ a, b }, index) => (a === name || b === name ? [index] : []));
  return {
    ...node,
    addresses: addresses.filter((_, index) => kept.includes(own[index] as number)),
  };
}

function keepFault(fault: TimedFault, name: string, kept: readonly number[]): TimedFault[] {
  if ("host" in fault) return fault.host === name ? [] : [fault];
  const link = kept.indexOf(fault.link);
  return link < 0 ? [] : [{ ...fault, link }];
}
