/** What the applications of a run share: its randomness, its tallies and its first failure. */
import { ERRNO_EIO } from "../../../assembly/layout";
import type { DemibunError } from "../../errors";
import { InvariantError } from "../invariants/invariant-error";
import type { Random } from "../random";
import type { Scenario, ScenarioFlow } from "./scenario";

/** An end of a connection that is not over. */
export interface OpenEnd {
  readonly flow: ScenarioFlow;
  readonly host: string;
  /** Virtual milliseconds at which it last sent or received something. */
  readonly progressMs: number;
  /** Breaks the connection off; it may hear of its end later. */
  abandon(): void;
}

export class Applications {
  readonly scenario: Scenario;
  readonly random: Random;
  readonly nowMs: () => number;
  readonly open = new Set<OpenEnd>();
  completed = 0;
  aborted = 0;
  retried = 0;
  deliveredBytes = 0;
  failure: { readonly cause: unknown } | undefined;
  /** Nothing is started any more. */
  isClosing = false;
  readonly #crashing: ReadonlySet<string>;

  constructor(scenario: Scenario, random: Random, nowMs: () => number) {
    this.scenario = scenario;
    this.random = random;
    this.nowMs = nowMs;
    this.#crashing = new Set(
      scenario.faults.flatMap((fault) => (fault.kind === "crash" ? [fault.host] : [])),
    );
  }

  /** A host of the flow crashes at some time: connections may then be lost. */
  mayCrash(flow: ScenarioFlow): boolean {
    return this.#crashing.has(flow.client) || this.#crashing.has(flow.server);
  }

  /** Runs a callback of an application: what it throws fails the run, not the stack that called. */
  run(callback: () => void): void {
    if (this.failure !== undefined) return;
    try {
      callback();
    } catch (cause) {
      this.fail(cause);
    }
  }

  fail(cause: unknown): void {
    this.failure ??= { cause };
  }

  /** Fails the run: a connection ended, or could not be made, without cause. */
  connectionLost(host: string, detail: string): void {
    this.fail(new InvariantError("connection", host, this.nowMs() * 1e6, detail));
  }

  /** A stack that failed says so to every operation: that is what ends the run. */
  noteTrap(error: DemibunError): void {
    if (error.errno === ERRNO_EIO) this.fail(error.cause ?? error);
  }

  /** What is over with a crash. */
  forget(host: string): void {
    for (const end of this.open) if (end.host === host) this.open.delete(end);
  }
}
