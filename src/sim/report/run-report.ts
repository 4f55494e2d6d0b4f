/** A run as plain data: what its JSON report is, and its HTML report shows. */
import { ERRNO_EINVAL } from "../../../assembly/layout";
import { DemibunError } from "../../errors";
import type { FailureReport, RunResult } from "../swarm/result";
import type { Scenario } from "../swarm/scenario";
import type { Recording } from "./recorder";

const schema = "demibun/run-report";
/** Rises with every change that a reader of older reports would trip over. */
const version = 1;

/** What is known of a run beside what was recorded; a FailureReport is one. */
export interface RunFacts extends Omit<FailureReport, "scenario" | "command"> {
  readonly result: RunResult;
  readonly scenario?: Scenario | undefined;
  /** Runs it again. */
  readonly command?: string | undefined;
}

/** A stretch of time in which a fault was at work. */
export interface FaultBand {
  readonly kind: string;
  /** The link or host, for people. */
  readonly where: string;
  /** The host, or the two stations that the link joins. */
  readonly stations: readonly string[];
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface RunReport extends RunFacts {
  readonly schema: typeof schema;
  readonly version: typeof version;
  readonly bands: readonly FaultBand[];
  readonly recording: Recording;
}

export function runReport(recording: Recording, facts: RunFacts): RunReport {
  return { schema, version, ...facts, bands: bandsOf(facts.scenario), recording };
}

/** Reads a JSON report. Errors: EINVAL (another kind of file, another version). */
export function parseRunReport(text: string): RunReport {
  const report = parse(text);
  if (report?.schema === schema && report.version === version) return report as RunReport;
  const found =
    report?.schema === undefined ? "no report" : `a ${report.schema} of version ${report.version}`;
  throw new DemibunError({
    operation: "report",
    errno: ERRNO_EINVAL,
    detail: `this is ${found}, not a ${schema} of version ${version}`,
    hint: "make the report anew with demibun sim --json FILE",
  });
}

function parse(text: string): Partial<RunReport> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Everything that lasts heals at the latest when the faults end. */
function bandsOf(scenario: Scenario | undefined): FaultBand[] {
  if (scenario === undefined) return [];
  return scenario.faults.map((fault) => {
    const { kind, atMs: fromMs } = fault;
    const untilMs = Math.min(fault.untilMs, scenario.faultsMs);
    if ("host" in fault) {
      return { kind, where: fault.host, stations: [fault.host], fromMs, untilMs };
    }
    const { a = "?", b = "?" } = scenario.links[fault.link] ?? {};
    const way = fault.kind === "partition" ? fault.which : "both";
    const where = way === "both" ? `${a}–${b}` : way === "ab" ? `${a}>${b}` : `${b}>${a}`;
    return { kind, where, stations: [a, b], fromMs, untilMs };
  });
}
