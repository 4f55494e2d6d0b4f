/** Which stations packets between two hosts pass, and which faults they meet there. */
import type { FaultBand } from "../run-report";
import type { LinkData } from "../recorder";
import { stationName } from "./station-name";

/** Both hosts and everything between them, by the fewest links; just these where no way is known. */
function pathBetween(links: readonly LinkData[], from: string, to: string): readonly string[] {
  const reached = new Map<string, readonly string[]>([[from, [from]]]);
  for (const [station, path] of reached) {
    if (station === to) return path;
    for (const link of links) {
      const [a, b] = [stationName(link.a), stationName(link.b)];
      const next = a === station ? b : b === station ? a : undefined;
      if (next !== undefined && !reached.has(next)) reached.set(next, [...path, next]);
    }
  }
  return [from, to];
}

/** Those of `bands` at one of the hosts, or at a link on the way between them. */
export function bandsBetween(
  bands: readonly FaultBand[],
  links: readonly LinkData[],
  hosts: readonly string[],
): readonly FaultBand[] {
  const [from = "", to = from] = hosts;
  const path = pathBetween(links, from, to);
  return bands.filter(({ stations }) => stations.every((station) => path.includes(station)));
}
