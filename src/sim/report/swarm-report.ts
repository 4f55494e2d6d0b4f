/** A swarm of runs as plain data: its JSON report, which its HTML report shows. */
import type { FailureReport, SwarmResult } from "../swarm/result";

const schema = "demibun/swarm-report";
const version = 1;

/** A failed run, and where its own report lies, relative to this one. */
export interface SwarmFailure extends FailureReport {
  readonly reportFile?: string | undefined;
}

export interface SwarmReport {
  readonly schema: typeof schema;
  readonly version: typeof version;
  readonly commit?: string | undefined;
  /** Runs the whole swarm again. */
  readonly command?: string | undefined;
  readonly swarm: SwarmResult;
  readonly failures: readonly SwarmFailure[];
}

export interface SwarmFacts {
  readonly commit?: string | undefined;
  readonly command?: string | undefined;
  readonly failures?: readonly SwarmFailure[] | undefined;
}

export function swarmReport(swarm: SwarmResult, facts: SwarmFacts): SwarmReport {
  return { schema, version, failures: [], ...facts, swarm } as SwarmReport;
}
