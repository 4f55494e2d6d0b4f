/** What a run and a swarm of runs come to. Plain data: it crosses threads and becomes JSON. */
import type { Scenario } from "./scenario";

export interface Failure {
  /**
   * What was violated: the name of an invariant, `repetition` (the second execution was another),
   * `trap` (the stack's module failed), `exception` or `crash` (of the process that ran it).
   */
  readonly kind: string;
  /** Where; empty when it is not one host's. */
  readonly host: string;
  readonly detail: string;
  /** Virtual nanoseconds since the start. */
  readonly timeNs: number;
}

export interface RunResult {
  readonly seed: number;
  readonly verdict: "passed" | "failed";
  readonly failure?: Failure | undefined;
  /** Hash of all that happened. */
  readonly fingerprint: string;
  /** The flows were done at this virtual time; the faults had ended at `scenario.faultsMs`. */
  readonly convergedMs?: number | undefined;
  readonly virtualMs: number;
  /** Of this execution; the only value that differs between repetitions. */
  readonly wallMs: number;
  readonly events: number;
  /** Frames of all link directions together by what happened to them: sent, dropped, … */
  readonly frames: Readonly<Record<string, number>>;
  /** Dropped frames by reason. */
  readonly drops: Readonly<Record<string, number>>;
  /** Payload bytes that applications received. */
  readonly deliveredBytes: number;
  readonly connections: {
    readonly completed: number;
    /** Reset by an application, or lost with a crashed host. */
    readonly aborted: number;
    /** Attempts to connect that failed and were repeated. */
    readonly retried: number;
  };
  /** Sums over all hosts of the stack's counters that are not 0, by their names in `stats`. */
  readonly counters: Readonly<Record<string, number>>;
  /** TCP state changes seen, `"SYN-SENT>ESTABLISHED"`, by how often. */
  readonly transitions?: Readonly<Record<string, number>> | undefined;
  /** What the run had in it: `"topology: star"`, `"fault: loss"`, `"ending: abort"`, … */
  readonly features: readonly string[];
}

export interface SwarmResult {
  /** Of the first run; run k has `seed + k`. */
  readonly seed: number;
  readonly runsAsked: number;
  /** Each run was executed a second time and had to have the same fingerprint. */
  readonly isTwice: boolean;
  /** Runs that were executed, by seed. */
  readonly runs: readonly RunResult[];
  /** Hash over the fingerprints of the runs in order. */
  readonly fingerprint: string;
  readonly wallMs: number;
  readonly workers: number;
}

/** All that a person needs to meet a failure again. */
export interface FailureReport {
  readonly result: RunResult;
  readonly scenario: Scenario;
  readonly commit?: string | undefined;
  readonly command: string;
  readonly scenarioFile?: string | undefined;
  readonly captureFile?: string | undefined;
  readonly shrunk?:
    | {
        readonly scenario: Scenario;
        readonly failure: Failure;
        readonly executions: number;
        readonly file?: string | undefined;
        readonly command: string;
      }
    | undefined;
}
