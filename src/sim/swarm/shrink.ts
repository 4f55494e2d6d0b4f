/**
 * Makes a failing scenario smaller while it fails by the same invariant: what is left has to do with
 * the failure. Greedy, with a bounded number of executions.
 */
import { simplifications } from "./edits";
import { explicitLosses, lossLists } from "./losses";
import type { Failure, RunResult } from "./result";
import type { RunOptions } from "./run";
import type { Scenario } from "./scenario";
import { withoutHost } from "./without-host";

export interface Shrunk {
  readonly scenario: Scenario;
  readonly failure: Failure;
  readonly executions: number;
}

/** Runs a scenario as the failing one was run; must not throw. */
export type Execute = (scenario: Scenario, options?: RunOptions) => Promise<RunResult>;

export interface ShrinkOptions {
  readonly executionsMax?: number | undefined;
  /** Asked between executions: true ends the search with what it has. */
  readonly isEnough?: (() => boolean) | undefined;
}

const EXECUTIONS_MAX = 250;
const ROUNDS_MAX = 4;

/** The smallest scenario found; `failure` is that of `scenario`, which has failed by it. */
export async function shrink(
  scenario: Scenario,
  failure: Failure,
  execute: Execute,
  options: ShrinkOptions = {},
): Promise<Shrunk> {
  const search = new Search(scenario, failure, execute, options);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const before = search.best;
    await search.dropElements(
      ({ flows }) => flows,
      (best, flows) => ({ ...best, flows }),
    );
    await search.dropElements(
      ({ faults }) => faults,
      (best, faults) => ({ ...best, faults }),
    );
    for (const { name } of search.best.hosts) await search.attempt(withoutHost(search.best, name));
    for (const edit of simplifications(search.best)) {
      // What can be halved is halved until it matters.
      while (await search.attempt(edit(search.best)));
    }
    if (search.best === before) break;
  }
  await dropLosses(search, execute);
  return { scenario: search.best, failure: search.failure, executions: search.executions };
}

/** Random losses become the packets that were lost, which then are taken away piece by piece. */
async function dropLosses(search: Search, execute: Execute): Promise<void> {
  const explicit = await explicitLosses(search.best, execute);
  if (explicit === undefined || !(await search.attempt(explicit))) return;
  for (const list of lossLists(search.best)) await search.dropElements(list.get, list.set);
}

class Search {
  best: Scenario;
  failure: Failure;
  executions = 0;
  readonly #execute: Execute;
  readonly #executionsMax: number;
  readonly #isEnough: () => boolean;

  constructor(
    scenario: Scenario,
    failure: Failure,
    execute: Execute,
    { executionsMax = EXECUTIONS_MAX, isEnough = () => false }: ShrinkOptions,
  ) {
    this.best = scenario;
    this.failure = failure;
    this.#execute = execute;
    this.#executionsMax = executionsMax;
    this.#isEnough = isEnough;
  }

  /** Takes a candidate that fails alike; false when it does not, or there is none. */
  async attempt(candidate: Scenario | undefined): Promise<boolean> {
    if (candidate === undefined) return false;
    if (this.executions >= this.#executionsMax || this.#isEnough()) return false;
    this.executions++;
    const { failure } = await this.#execute(candidate);
    if (failure?.kind !== this.failure.kind) return false;
    this.best = candidate;
    this.failure = failure;
    return true;
  }

  /** Takes away halves, quarters, … and single elements of a list (Zeller and Hildebrandt 2002). */
  async dropElements<T>(
    get: (scenario: Scenario) => readonly T[],
    set: (scenario: Scenario, list: readonly T[]) => Scenario,
  ): Promise<void> {
    for (let size = get(this.best).length; size >= 1; size = Math.floor(size / 2)) {
      let at = 0;
      while (at < get(this.best).length) {
        const list = get(this.best);
        const rest = [...list.slice(0, at), ...list.slice(at + size)];
        if (!(await this.attempt(set(this.best, rest)))) at += size;
      }
    }
  }
}
