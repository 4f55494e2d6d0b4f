/** Which TCP states followed which in a swarm (RFC 9293 section 3.3.2), and which never did. */
import type { RunResult } from "../../swarm/result";
import { stateNames as states } from "../../../wasm/connections";
import { element, section } from "./dom";

/** Undefined when no run told of transitions. */
export function transitionsSection(runs: readonly RunResult[]): HTMLElement | undefined {
  const sums = new Map<string, number>();
  for (const { transitions = {} } of runs) {
    for (const [name, count] of Object.entries(transitions)) {
      sums.set(name, (sums.get(name) ?? 0) + count);
    }
  }
  if (sums.size === 0) return undefined;
  const most = Math.max(...sums.values());
  const head = states.map((state) => element("th", { scope: "col" }, state));
  const rows = states.map((from) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, from),
      ...states.map((to) => cell(from, to, sums.get(`${from}>${to}`) ?? 0, most)),
    ),
  );
  return section(
    "TCP state transitions",
    element("p", { class: "muted" }, "From the state at the left to the state above, all runs."),
    element(
      "div",
      { class: "scroll" },
      element(
        "table",
        { class: "matrix" },
        element("thead", {}, element("tr", {}, element("td", {}), ...head)),
        element("tbody", {}, ...rows),
      ),
    ),
  );
}

/** The darker, the more often, on a logarithmic scale. */
function cell(from: string, to: string, count: number, most: number): HTMLElement {
  const made = element("td", { title: `${from} to ${to}: ${count.toLocaleString("en")}` });
  if (count === 0) return made;
  made.append(count.toLocaleString("en", { notation: "compact" }));
  const strength = 12 + (48 * Math.log1p(count)) / Math.log1p(most);
  made.style.background = `color-mix(in srgb, var(--blue) ${strength.toFixed(0)}%, transparent)`;
  return made;
}
