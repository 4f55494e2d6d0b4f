/** Many runs: each by itself, perhaps twice, and what they come to together. */
import { Fingerprint } from "../fingerprint";
import type { RunResult, SwarmResult } from "./result";
import { type RunOptions, runScenario } from "./run";
import type { Scenario } from "./scenario";

/** Runs a scenario; where `isTwice` a second time, and it fails unless both are the same run. */
export async function executeScenario(
  module: WebAssembly.Module,
  scenario: Scenario,
  { isTwice = false, ...options }: RunOptions & { readonly isTwice?: boolean } = {},
): Promise<RunResult> {
  const first = await runScenario(module, scenario, options);
  if (!isTwice) return first;
  const second = await runScenario(module, scenario);
  const wallMs = first.wallMs + second.wallMs;
  if (first.fingerprint === second.fingerprint) return { ...first, wallMs };
  const failure = {
    kind: "repetition",
    host: "",
    detail:
      `the second execution was another: ${first.fingerprint} after ${first.events} events, ` +
      `then ${second.fingerprint} after ${second.events}`,
    timeNs: Math.min(first.virtualMs, second.virtualMs) * 1e6,
  };
  return { ...first, wallMs, verdict: "failed", failure };
}

/** What was asked of a swarm, and how it was done. */
export type SwarmFacts = Pick<SwarmResult, "seed" | "runsAsked" | "isTwice" | "wallMs" | "workers">;

/** Puts runs together, in whatever order they ended. */
export function swarmResult(unordered: readonly RunResult[], facts: SwarmFacts): SwarmResult {
  const runs = [...unordered].sort((left, right) => left.seed - right.seed);
  const fingerprint = new Fingerprint();
  for (const run of runs) {
    fingerprint.word(run.seed);
    fingerprint.text(run.fingerprint);
  }
  return { ...facts, runs, fingerprint: fingerprint.toString() };
}
