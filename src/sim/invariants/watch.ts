/** Watches a simulation: everything that must hold, after every event. */
import {
  COUNTER_CONNECTIONS_OPEN,
  COUNTER_FRAMES_OUT,
  COUNTER_QUEUES_OPEN,
  COUNTER_TIMERS_ARMED,
  COUNTER_TOKENS_OUT,
} from "../../../assembly/layout";
import type { Simulation } from "../simulation";
import { ConnectionChecks } from "./connection-checks";
import { FrameChecks } from "./frame-checks";
import { InvariantError } from "./invariant-error";

const pools: readonly (readonly [name: string, counter: number])[] = [
  ["frames", COUNTER_FRAMES_OUT],
  ["connections", COUNTER_CONNECTIONS_OPEN],
  ["tokens", COUNTER_TOKENS_OUT],
  ["queues", COUNTER_QUEUES_OPEN],
  ["timers", COUNTER_TIMERS_ARMED],
];

export interface Watch {
  /** How often each state of TCP followed another, `ESTABLISHED>CLOSE-WAIT`. */
  readonly transitions: ReadonlyMap<string, number>;
  /**
   * Call when nothing should be going on any more, ARP entries and TIME-WAIT included: whatever is
   * out of a pool of a host that is up has leaked.
   */
  checkPools(): void;
}

export interface WatchOptions {
  /** Boxes change addresses or sequence numbers: what both ends say of those cannot be compared. */
  readonly isTranslated?: boolean | undefined;
}

/** From now on a run ends with an `InvariantError` as soon as an invariant does not hold. */
export function watchInvariants(sim: Simulation, options: WatchOptions = {}): Watch {
  const connections = new ConnectionChecks(() => sim.scheduler.nowNs);
  const frames = new FrameChecks(sim.hosts, options.isTranslated ?? false);
  sim.onFrame((event) => frames.check(event));
  sim.onEvent((touched) => {
    for (const host of touched) connections.check(host);
  });
  return {
    transitions: connections.transitions,
    checkPools() {
      for (const { name, stack } of sim.hosts.values()) {
        if (stack === undefined) continue;
        stack.exports.measure();
        const out = pools
          .map(([pool, counter]) => [pool, stack.counter(counter)] as const)
          .filter(([, count]) => count !== 0);
        if (out.length === 0) continue;
        const detail = out.map(([pool, count]) => `${count} ${pool}`).join(", ");
        throw new InvariantError("pools", name, sim.scheduler.nowNs, `${detail} are still out`);
      }
    },
  };
}
