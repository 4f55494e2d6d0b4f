/** Draws what happens at its own time: partitions, outages, pauses, crashes. */
import type { Random } from "../random";
import type { FaultKind, TimedFault } from "./scenario";

interface World {
  readonly faultsMs: number;
  readonly hosts: readonly string[];
  readonly links: number;
}

/** Of one kind in one run. */
const FAULTS_MAX = 4;

export function drawTimedFaults(
  random: Random,
  kinds: ReadonlySet<FaultKind>,
  world: World,
): TimedFault[] {
  const of = (kind: FaultKind, draw: (random: Random) => TimedFault): TimedFault[] => {
    if (!kinds.has(kind)) return [];
    const count = random.split(`${kind}/count`).between(1, FAULTS_MAX);
    return Array.from({ length: count }, (_, index) => draw(random.split(`${kind}/${index}`)));
  };
  return [
    ...of("partition", (own) => ({
      kind: "partition",
      link: own.split("link").below(world.links),
      which: own.split("which").pick(["ab", "ba", "both"] as const),
      ...drawSpan(own, world.faultsMs),
    })),
    ...of("link down", (own) => ({
      kind: "down",
      link: own.split("link").below(world.links),
      ...drawSpan(own, world.faultsMs),
    })),
    ...of("pause", (own) => ({
      kind: "pause",
      host: own.split("host").pick(world.hosts),
      ...drawSpan(own, world.faultsMs),
    })),
    ...of("crash", (own) => ({
      kind: "crash",
      host: own.split("host").pick(world.hosts),
      ...drawSpan(own, world.faultsMs),
    })),
  ].sort((left, right) => left.atMs - right.atMs);
}

function drawSpan(random: Random, faultsMs: number): { atMs: number; untilMs: number } {
  const at = random.split("at").magnitude(1, faultsMs);
  const lasts = random.split("lasts").magnitude(1, faultsMs);
  return { atMs: Math.round(at), untilMs: Math.round(Math.min(faultsMs, at + lasts)) };
}
