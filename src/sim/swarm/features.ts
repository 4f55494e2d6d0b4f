/** What a scenario has in it, in words: for tables of what a swarm has covered. */
import type { Scenario, ScenarioEnd, ScenarioFlow } from "./scenario";

function endFeatures({ ending, writing, reading, noDelay }: ScenarioEnd): string[] {
  return [
    `ending: ${ending}`,
    ...(writing.bytesMax <= 20 ? ["writing: small"] : []),
    ...(writing.gapMs !== undefined ? ["writing: paused"] : []),
    ...(reading.sizeMax !== undefined ? ["reading: sized"] : []),
    ...(reading.stallMs !== undefined ? ["reading: stalls"] : []),
    ...(noDelay === undefined ? [] : [`option: noDelay ${noDelay}`]),
  ];
}

function flowFeatures(flow: ScenarioFlow): string[] {
  if (flow.protocol === "udp") return ["flow: udp"];
  const { pattern, interface: calls, connections, backlog, clientEnd, serverEnd, fastOpen } = flow;
  return [
    "flow: tcp",
    `pattern: ${pattern}`,
    `interface: ${calls}`,
    ...(connections > 1 ? ["connections: many"] : []),
    ...(backlog === 1 ? ["backlog: 1"] : []),
    ...(fastOpen === undefined ? [] : [`fast open: ${fastOpen}`]),
    ...endFeatures(clientEnd),
    ...endFeatures(serverEnd),
  ];
}

export function featuresOf(scenario: Scenario): string[] {
  const features = new Set([
    `topology: ${scenario.topology}`,
    ...(scenario.kinds.length === 0 ? ["fault: none"] : []),
    ...scenario.kinds.map((kind) => `fault: ${kind}`),
    ...scenario.links.flatMap(({ boxes = [] }) => boxes.map(({ kind }) => `box: ${kind}`)),
    ...scenario.flows.flatMap(flowFeatures),
  ]);
  for (const { mtu, stack, clockStartUs } of scenario.hosts) {
    if (clockStartUs !== undefined) features.add("option: clock wraps");
    if (mtu !== undefined) features.add("option: small MTU");
    if (stack?.sendBufferBytes === 1 << 20) features.add("option: wide windows");
    if (stack?.mssBytes) features.add("option: small MSS");
    if (stack?.congestionControl === "newreno") features.add("option: NewReno");
    if (stack?.congestionControl === "dctcp") features.add("option: DCTCP");
    if (stack?.pacing === true) features.add("option: pacing");
    if (stack?.ecn === "on") features.add("option: ECN");
    if (stack?.noDelay === false) features.add("option: Nagle");
    if (stack?.timestamps === false) features.add("option: no timestamps");
    if (stack?.sack === false) features.add("option: no SACK");
    if (stack?.delayedAckUs === 0) features.add("option: no delayed ACK");
  }
  if (scenario.nodes.some(({ mtu }) => mtu !== undefined)) features.add("option: narrow router");
  return [...features].sort();
}
