/** Spreads the runs of a swarm over processes; what comes of it does not depend on how many. */
import { fileURLToPath } from "node:url";
import type { RunResult } from "../sim/swarm/result";
import { featuresOf } from "../sim/swarm/features";
import { drawScenario } from "../sim/swarm/draw";
import { type SimOptions, workerOption } from "./sim-options";
import { linesOf } from "./lines";

const program = fileURLToPath(new URL("./demibun.ts", import.meta.url));
/** No run takes as long; its process is ended then. */
const TIMEOUT_MS = 120_000;

/** A process that executes one run after the other. */
class Worker implements Disposable {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #lines: AsyncIterator<string>;
  readonly #words: Promise<string>;

  constructor({ isTwice, moduleFile }: SimOptions) {
    const twice = isTwice ? ["--twice"] : [];
    const module = moduleFile === undefined ? [] : ["--module", moduleFile];
    const command = [process.execPath, program, "sim", workerOption, ...twice, ...module];
    this.#child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    this.#lines = linesOf(this.#child.stdout);
    this.#words = new Response(this.#child.stderr).text();
  }

  get hasEnded(): boolean {
    return this.#child.killed || this.#child.exitCode !== null;
  }

  /** A process that ends instead of answering is a failed run. */
  async run(seed: number): Promise<RunResult> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), TIMEOUT_MS);
    this.#child.stdin.write(`${seed}\n`);
    await this.#child.stdin.flush();
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (done !== true) return JSON.parse(value) as RunResult;
    await this.#child.exited;
    const words = (await this.#words).trim();
    return crashed(seed, `the process that ran it has ended: ${words || this.#child.signalCode}`);
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

function crashed(seed: number, detail: string): RunResult {
  return {
    seed,
    verdict: "failed",
    failure: { kind: "crash", host: "", detail, timeNs: 0 },
    fingerprint: "",
    virtualMs: 0,
    wallMs: 0,
    events: 0,
    frames: {},
    drops: {},
    deliveredBytes: 0,
    connections: { completed: 0, aborted: 0, retried: 0 },
    counters: {},
    features: featuresOf(drawScenario(seed)),
  };
}

/**
 * The results of all runs by seed, or those up to the first failure. `told` hears of each as soon as
 * it is there, in any order.
 */
export async function runSwarm(
  options: SimOptions,
  told: (result: RunResult) => void,
): Promise<RunResult[]> {
  const { runs, seed, workers, keepsGoing } = options;
  const results: RunResult[] = [];
  let next = seed;
  let last = seed + runs - 1;
  const work = async () => {
    let worker = new Worker(options);
    while (next <= last) {
      if (worker.hasEnded) worker = new Worker(options);
      const result = await worker.run(next++);
      // Runs with lower seeds are at work or done: the first failure is the same for any number.
      if (result.verdict === "failed" && !keepsGoing) last = Math.min(last, result.seed);
      results.push(result);
      told(result);
    }
    worker[Symbol.dispose]();
  };
  await Promise.all(Array.from({ length: Math.min(workers, runs) }, work));
  return results
    .filter((result) => result.seed <= last)
    .sort((left, right) => left.seed - right.seed);
}
