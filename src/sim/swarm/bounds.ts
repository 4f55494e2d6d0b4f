/** How long things may take once everything has healed. */
import type { Scenario, ScenarioFlow } from "./scenario";

/** Between two looks at what is left to do. */
export const SWEEP_MS = 5000;
/** TIME-WAIT, orphans in FIN-WAIT-2 and ARP entries are gone after this. */
export const QUIESCENCE_MS = 300_000;
/** Timeouts that had backed off, a lost probe, a slow start from one segment. */
const REACTION_MS = 120_000;
/** Throughput that a flow gets at least, of one window a round trip of this length. */
const ROUND_TRIP_MS = 1500;
const WINDOW_BYTES = 512;

/** Whole milliseconds in which every flow must be over. */
export function convergenceMs(scenario: Scenario): number {
  // A timeout has at most doubled with each try: it strikes as long after the healing as before.
  const backedOffMs = 2 * scenario.faultsMs;
  const flowsMs = scenario.flows.map(flowMs);
  return Math.ceil(REACTION_MS + backedOffMs + flowsMs.reduce((sum, ms) => sum + ms, 0));
}

function flowMs(flow: ScenarioFlow): number {
  if (flow.protocol === "udp") return flow.startMs + flow.datagrams * flow.gapMs + 5000;
  const { clientEnd, serverEnd, connections, messageBytes, pattern } = flow;
  const bytes = clientEnd.sendBytes + Math.max(clientEnd.sendBytes, serverEnd.sendBytes);
  const rounds = pattern === "ping-pong" ? clientEnd.sendBytes / (messageBytes ?? 1) : 0;
  const stallsMs = (clientEnd.reading.stallMs ?? 0) + (serverEnd.reading.stallMs ?? 0);
  const one = stallsMs + (8 + rounds + bytes / WINDOW_BYTES) * ROUND_TRIP_MS + 20_000;
  return flow.startMs + connections * one;
}
