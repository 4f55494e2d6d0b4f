/** Counts over a run: what happened to frames, and the stacks' own counters. */
import { readStatistics } from "../../pdpix/statistics";
import type { Simulation } from "../simulation";
import type { FrameEvent } from "../trace";

/** Not counts of what happened, but of what is in use. */
const gauges: ReadonlySet<string> = new Set([
  "framesOut",
  "connectionsOpen",
  "timersArmed",
  "tokensOut",
  "queuesOpen",
]);

export class Tally {
  readonly frames: Record<string, number> = {};
  readonly drops: Record<string, number> = {};
  readonly counters: Record<string, number> = {};

  readonly frame = ({ what, reason }: FrameEvent): void => {
    this.frames[what] = (this.frames[what] ?? 0) + 1;
    if (reason !== undefined) this.drops[reason] = (this.drops[reason] ?? 0) + 1;
  };

  /** Adds what the host's stack has counted; to be called once a boot, before it is gone. */
  host(sim: Simulation, name: string): void {
    const stack = sim.hosts.get(name)?.stack;
    if (stack === undefined) return;
    for (const [counter, count] of Object.entries<number>(readStatistics(stack))) {
      if (count === 0 || gauges.has(counter)) continue;
      this.counters[counter] = (this.counters[counter] ?? 0) + count;
    }
  }
}
