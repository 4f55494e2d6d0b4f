/** Runs scripts against the machine's kernel in several processes at once: they mostly wait. */
import { availableParallelism } from "node:os";
import type { RunResult } from "../packetdrill/run/report";
import { decodeResult } from "./live-result";
import type { ScriptWishes } from "./script-source";
import { linesOf } from "./lines";

export const workerOption = "--live-worker";
const SCRIPTS_PER_PROCESSOR = 2;
/** No script takes longer; its process is ended then. */
const TIMEOUT_MS = 60_000;

/** The words before a worker's command. */
function enter(): string[] {
  // Without root a worker is root of a user namespace, whose networks it may make.
  const privilege = process.getuid?.() === 0 ? [] : ["unshare", "-Urn"];
  // A worker in the midst of a script would outlive us otherwise, with its network.
  const end = Bun.which("setpriv") === null ? [] : ["setpriv", "--pdeathsig", "KILL"];
  return [...privilege, ...end];
}

/** A process that runs one script after the other. */
class Worker implements Disposable {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #lines: AsyncIterator<string>;
  readonly #words: Promise<string>;

  constructor({ defines, isStrict }: ScriptWishes) {
    const symbols = defines.map(([symbol, value]) => `--define=${symbol}=${value}`);
    const strictness = isStrict === undefined ? [] : [isStrict ? "--strict" : "--original"];
    const program = [process.execPath, Bun.main, "packetdrill", workerOption];
    const command = [...program, ...strictness, ...symbols];
    const pipes = { stdin: "pipe", stdout: "pipe", stderr: "pipe" } as const;
    this.#child = Bun.spawn([...enter(), ...command], pipes);
    this.#lines = linesOf(this.#child.stdout);
    this.#words = new Response(this.#child.stderr).text();
  }

  /** The script's result; undefined when the process has ended instead. */
  async run(file: string): Promise<RunResult | undefined> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#child.kill("SIGKILL");
    }, TIMEOUT_MS);
    this.#child.stdin.write(`${file}\n`);
    await this.#child.stdin.flush();
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (done !== true) return decodeResult(value);
    if (!isLate) return undefined;
    const message = `${file}: no end within ${TIMEOUT_MS / 1000} s`;
    return { file, status: "failed", message, notes: [], packets: [], durationMs: TIMEOUT_MS };
  }

  /** What it said when it has ended. */
  get words(): Promise<string> {
    return this.#words;
  }

  get hasEnded(): boolean {
    return this.#child.killed || this.#child.exitCode !== null;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

/**
 * The results in the order of the files; `told` hears of each as soon as it is known. Undefined when
 * they could not be run: what the workers said of it has been printed.
 */
export async function runLive(
  files: readonly string[],
  wishes: ScriptWishes,
  told: (result: RunResult) => void,
): Promise<RunResult[] | undefined> {
  const results = new Map<string, RunResult>();
  const queue = [...files];
  const refusals = new Set<string>();
  const work = async () => {
    let worker = new Worker(wishes);
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      if (worker.hasEnded) worker = new Worker(wishes);
      const result = await worker.run(file);
      if (result === undefined) {
        queue.length = 0;
        refusals.add(await worker.words);
        break;
      }
      results.set(file, result);
      told(result);
    }
    worker[Symbol.dispose]();
  };
  const count = Math.min(files.length, SCRIPTS_PER_PROCESSOR * availableParallelism());
  await Promise.all(Array.from({ length: count }, work));
  for (const words of refusals) console.error(words.trimEnd());
  const ordered = files.map((file) => results.get(file));
  return ordered.every((result) => result !== undefined) ? ordered : undefined;
}
