/** Which states may follow which (RFC 9293 section 3.3.2, figure 5, and sections 3.10). */
import type { TcpState } from "../../wasm/connections";

/**
 * One step each. CLOSED is left out: an abort, a reset or a time-out leads there from everywhere.
 * SYN-RECEIVED to CLOSE-WAIT: the segment that completes the handshake may carry the FIN (3.10.7.4).
 */
const steps: Readonly<Partial<Record<TcpState, readonly TcpState[]>>> = {
  CLOSED: ["LISTEN", "SYN-SENT"],
  "SYN-SENT": ["SYN-RECEIVED", "ESTABLISHED"],
  "SYN-RECEIVED": ["ESTABLISHED", "FIN-WAIT-1", "CLOSE-WAIT"],
  ESTABLISHED: ["FIN-WAIT-1", "CLOSE-WAIT"],
  "FIN-WAIT-1": ["FIN-WAIT-2", "CLOSING", "TIME-WAIT"],
  "FIN-WAIT-2": ["TIME-WAIT"],
  "CLOSE-WAIT": ["LAST-ACK"],
  CLOSING: ["TIME-WAIT"],
};

/** In one event a connection may take several steps: everything that can be reached. */
function reachable(from: TcpState): ReadonlySet<TcpState> {
  const reached = new Set<TcpState>([from]);
  for (const state of reached) for (const next of steps[state] ?? []) reached.add(next);
  reached.add("CLOSED");
  return reached;
}

const allowed = new Map<TcpState, ReadonlySet<TcpState>>();

export function mayFollow(from: TcpState, to: TcpState): boolean {
  let states = allowed.get(from);
  if (states === undefined) {
    states = reachable(from);
    allowed.set(from, states);
  }
  return states.has(to);
}

/** The peer's FIN has been received in these. */
export const finReceivedStates: ReadonlySet<TcpState> = new Set([
  "CLOSE-WAIT",
  "CLOSING",
  "LAST-ACK",
  "TIME-WAIT",
]);

/** Our FIN has been acknowledged in these. */
export const finAcknowledgedStates: ReadonlySet<TcpState> = new Set(["FIN-WAIT-2", "TIME-WAIT"]);
