/**
 * Runs one scenario: a phase with its faults, then everything heals and every flow has to complete,
 * then everything closes and every pool has to be whole.
 */
import { InvariantError } from "../invariants/invariant-error";
import { watchInvariants } from "../invariants/watch";
import { DemibunError } from "../../errors";
import type { FrameListener } from "../trace";
import type { Simulation } from "../simulation";
import { Applications } from "./applications";
import { isTranslating } from "./boxes";
import { convergenceMs, QUIESCENCE_MS, SWEEP_MS } from "./bounds";
import { featuresOf } from "./features";
import type { Failure, RunResult } from "./result";
import type { Scenario, ScenarioFlow } from "./scenario";
import { Tally } from "./tally";
import { TcpApplications } from "./tcp-applications";
import { isRude } from "./transfer";
import { UdpApplications } from "./udp-applications";
import { World } from "./world";

export interface RunOptions {
  /** Sees everything that happens to frames: captures, reports. */
  readonly onFrame?: FrameListener | undefined;
  /** Sees the simulation before anything happens in it. */
  readonly onStart?: ((sim: Simulation) => void) | undefined;
  /** Sees it when all is over, before its hosts are gone. */
  readonly onEnd?: ((sim: Simulation) => void) | undefined;
  /** Events of one run at most. */
  readonly eventsMax?: number | undefined;
}

const EVENTS_MAX = 1_000_000;

/** Milliseconds of the host's clock, taken before a run forbids it. */
const wallNow = performance.now.bind(performance);

/** Runs a scenario to its end or its first violation; only a mistake in the scenario throws. */
export async function runScenario(
  module: WebAssembly.Module,
  scenario: Scenario,
  options: RunOptions = {},
): Promise<RunResult> {
  return new Run(module, scenario, options).execute();
}

type FlowApplications = TcpApplications | UdpApplications;

class Run {
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #sim: Simulation;
  readonly #applications: Applications;
  readonly #flows: readonly FlowApplications[];
  readonly #tally = new Tally();
  readonly #eventsMax: number;
  readonly #onEnd: RunOptions["onEnd"];
  readonly #watch: ReturnType<typeof watchInvariants>;
  #convergedMs: number | undefined;

  constructor(module: WebAssembly.Module, scenario: Scenario, options: RunOptions) {
    this.#scenario = scenario;
    this.#eventsMax = options.eventsMax ?? EVENTS_MAX;
    this.#onEnd = options.onEnd;
    this.#world = new World(scenario, {
      module,
      crashing: (host) => {
        this.#tally.host(this.#sim, host);
        this.#applications.forget(host);
      },
    });
    this.#sim = this.#world.sim;
    this.#applications = new Applications(
      scenario,
      this.#sim.random.split("applications"),
      () => this.#sim.now,
    );
    const boxes = scenario.links.flatMap((link) => link.boxes ?? []);
    this.#watch = watchInvariants(this.#sim, { isTranslated: boxes.some(isTranslating) });
    this.#sim.onFrame(this.#tally.frame);
    if (options.onFrame !== undefined) this.#sim.onFrame(options.onFrame);
    this.#flows = scenario.flows.map((flow) => this.#flow(flow));
    options.onStart?.(this.#sim);
  }

  async execute(): Promise<RunResult> {
    const startedMs = wallNow();
    const failure = await this.#attempt();
    const { scheduler, fingerprint } = this.#sim;
    for (const name of this.#sim.hosts.keys()) this.#tally.host(this.#sim, name);
    const { completed, aborted, retried, deliveredBytes } = this.#applications;
    for (const count of [completed, aborted, retried, deliveredBytes]) fingerprint.word(count);
    const result: RunResult = {
      seed: this.#scenario.seed,
      verdict: failure === undefined ? "passed" : "failed",
      failure,
      fingerprint: fingerprint.toString(),
      convergedMs: this.#convergedMs,
      virtualMs: this.#sim.now,
      wallMs: wallNow() - startedMs,
      events: scheduler.ran,
      frames: this.#tally.frames,
      drops: this.#tally.drops,
      deliveredBytes,
      connections: { completed, aborted, retried },
      counters: this.#tally.counters,
      transitions: Object.fromEntries([...this.#watch.transitions].sort()),
      features: featuresOf(this.#scenario),
    };
    this.#onEnd?.(this.#sim);
    this.#sim[Symbol.dispose]();
    return result;
  }

  /** Runs all phases; what went wrong, undefined when nothing did. */
  async #attempt(): Promise<Failure | undefined> {
    try {
      this.#world.build();
      this.#startHosts();
      const { faultsMs } = this.#scenario;
      await this.#until(faultsMs, () => false);
      this.#world.heal();
      await this.#converge(faultsMs + convergenceMs(this.#scenario));
      await this.#quiesce();
      return undefined;
    } catch (cause) {
      return failureOf(cause, this.#sim.scheduler.nowNs);
    }
  }

  #flow(flow: ScenarioFlow): FlowApplications {
    const server = this.#scenario.hosts.find(({ name }) => name === flow.server);
    if (server === undefined) throw new Error(`${flow.name} has no server ${flow.server}`);
    const address = (server.address.split("/") as [string])[0];
    return flow.protocol === "tcp"
      ? new TcpApplications(this.#applications, flow, address)
      : new UdpApplications(this.#applications, flow, address);
  }

  #startHosts(): void {
    for (const host of this.#sim.hosts.values()) {
      host.run((demikernel) => {
        this.#applications.run(() => {
          for (const flow of this.#flows) {
            if (flow.flow.server === host.name) flow.listen(demikernel);
            if (flow.flow.client === host.name) flow.begin(demikernel);
          }
        });
      });
    }
  }

  async #converge(untilMs: number): Promise<void> {
    let sweepMs = this.#soonMs();
    const isDone = () => this.#flows.every((flow) => flow.isDone) && !this.#isAnyEndOpen();
    while (!(await this.#until(Math.min(untilMs, sweepMs), isDone))) {
      if (this.#sim.now >= untilMs) throw this.#notConverged(untilMs);
      this.#sweep();
      sweepMs += SWEEP_MS;
    }
    this.#convergedMs = this.#sim.now;
  }

  #isAnyEndOpen(): boolean {
    return this.#applications.open.size > 0;
  }

  /** Ends whose peer is gone without a word would wait for ever: nobody promised them an answer. */
  #sweep(): void {
    const idleMs = this.#sim.now - 2 * SWEEP_MS;
    for (const end of this.#applications.open) {
      const { flow } = end;
      const mayHang =
        this.#applications.mayCrash(flow) || (flow.protocol === "tcp" && isRude(flow));
      if (mayHang && end.progressMs < idleMs) this.#applications.run(() => end.abandon());
    }
  }

  async #quiesce(): Promise<void> {
    this.#applications.isClosing = true;
    for (const flow of this.#flows) this.#applications.run(() => flow.stop());
    const endMs = this.#sim.now + QUIESCENCE_MS;
    // Something may be on its way in this very instant: time passes before the first look.
    do {
      await this.#until(this.#soonMs(), () => false);
    } while (!this.#isQuiet() && this.#sim.now < endMs);
    this.#watch.checkPools();
  }

  /** Whole milliseconds: fractions would not come out of the scheduler as they went in. */
  #soonMs(): number {
    return Math.ceil(this.#sim.now) + SWEEP_MS;
  }

  /** Lets every stack take back what its device has sent; says whether no timer is left. */
  #isQuiet(): boolean {
    let quiet = true;
    for (const host of this.#sim.hosts.values()) {
      const { stack } = host;
      if (stack === undefined) continue;
      stack.exports.poll(host.nowUs(), 256);
      if (Number.isFinite(stack.deadlineUs)) quiet = false;
    }
    return quiet;
  }

  /** Runs events until `isDone` or that time; false when time ran out. Throws what went wrong. */
  async #until(untilMs: number, isDone: () => boolean): Promise<boolean> {
    const { scheduler } = this.#sim;
    const applications = this.#applications;
    let looked = 0;
    let done = false;
    const isOver = (): boolean => {
      if (applications.failure !== undefined) return true;
      // Flows end rarely: looking after every event would cost more than it tells.
      if (scheduler.ran - looked < 16) return false;
      looked = scheduler.ran;
      if (scheduler.ran > this.#eventsMax) throw this.#tooMany();
      done = isDone();
      return done;
    };
    if (this.#hasHandlers()) await this.#runWithPromises(untilMs, isOver);
    else this.#sim.runSync(untilMs, isOver);
    if (applications.failure !== undefined) throw applications.failure.cause;
    scheduler.advance(untilMs * 1e6);
    return done || isDone();
  }

  #hasHandlers(): boolean {
    return this.#scenario.flows.some(
      (flow) => flow.protocol === "tcp" && flow.interface === "handlers",
    );
  }

  async #runWithPromises(untilMs: number, isOver: () => boolean): Promise<void> {
    await this.#sim.run(
      () =>
        new Promise<void>((resolve) => {
          const look = (): void => {
            if (isOver() || this.#sim.now >= untilMs) resolve();
            else this.#sim.after(Math.min(20, untilMs - this.#sim.now), look);
          };
          look();
        }),
      { timeoutMs: 1e9 },
    );
  }

  #tooMany(): InvariantError {
    const detail = `more than ${this.#eventsMax} events`;
    return new InvariantError("liveness", "", this.#sim.scheduler.nowNs, detail);
  }

  #notConverged(untilMs: number): InvariantError {
    const flows = this.#flows.filter((flow) => !flow.isDone).map(String);
    const ends = [...this.#applications.open].map((end) => `${end} (at ${end.host})`);
    const { faultsMs } = this.#scenario;
    const detail = [
      `not over ${Math.round(untilMs - faultsMs)} ms after everything had healed`,
      ...flows,
      ...ends,
    ].join("; ");
    const [first] = this.#applications.open;
    return new InvariantError("liveness", first?.host ?? "", this.#sim.scheduler.nowNs, detail);
  }
}

function failureOf(cause: unknown, timeNs: number): Failure {
  if (cause instanceof InvariantError) {
    const { invariant, host, message } = cause;
    return { kind: invariant, host, detail: message, timeNs: cause.timeNs };
  }
  if (cause instanceof DemibunError && cause.cause instanceof InvariantError) {
    return failureOf(cause.cause, timeNs);
  }
  const isTrap = cause instanceof WebAssembly.RuntimeError;
  const detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return { kind: isTrap ? "trap" : "exception", host: "", detail, timeNs };
}
