/** Acknowledgments that a later one makes needless, dropped where little room is upstream (RFC 3449). */
import { TCP_ACK } from "../../packet/types";
import type { Scheduler } from "../scheduler";
import { connectionKey, tcpOf } from "./frame-fields";
import type { Rule } from "./rule";

interface Passing {
  passedNs: number;
  /** The latest that has to wait. */
  held: Uint8Array | undefined;
}

/**
 * Of each connection's bare acknowledgments one passes in this time; the latest of those that come too
 * soon follows at its end.
 */
export function thinAcknowledgments(scheduler: Scheduler, intervalMs: number): Rule {
  const connections = new Map<string, Passing>();
  const intervalNs = intervalMs * 1e6;
  return (frame, { nowNs, inject }) => {
    const tcp = tcpOf(frame);
    if (tcp === undefined || tcp.payload !== tcp.end) return "pass";
    if ((frame[tcp.header + 13] as number) !== TCP_ACK) return "pass";
    const key = connectionKey(frame, tcp);
    const known = connections.get(key);
    if (known === undefined || nowNs - known.passedNs >= intervalNs) {
      connections.set(key, { passedNs: nowNs, held: undefined });
      return "pass";
    }
    if (known.held === undefined) {
      scheduler.at(known.passedNs + intervalNs, () => {
        const { held } = known;
        known.held = undefined;
        known.passedNs = scheduler.nowNs;
        if (held !== undefined) inject(held);
      });
    }
    known.held = frame.slice();
    return "drop";
  };
}
