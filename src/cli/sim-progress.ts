/** Shows how far a swarm is: a bar on a terminal, a line now and then elsewhere. */
import type { RunResult } from "../sim/swarm/result";

const BAR_CELLS = 30;
const REDRAW_MS = 100;

export class Progress {
  readonly #runs: number;
  readonly #isVerbose: boolean;
  readonly #isTerminal = process.stderr.isTTY === true;
  readonly #startedMs = performance.now();
  #done = 0;
  #failed = 0;
  #drawnMs = 0;
  #told = 0;

  constructor(runs: number, isVerbose: boolean) {
    this.#runs = runs;
    this.#isVerbose = isVerbose;
  }

  readonly told = (result: RunResult): void => {
    this.#done++;
    if (result.verdict === "failed") this.#failed++;
    if (this.#isVerbose) {
      this.clear();
      console.error(lineOf(result));
    }
    if (this.#isTerminal) this.#draw();
    else if (!this.#isVerbose) this.#tell();
  };

  /** Takes the bar away. */
  clear(): void {
    if (this.#isTerminal) process.stderr.write("\r\x1b[K");
  }

  #draw(): void {
    const nowMs = performance.now();
    if (nowMs - this.#drawnMs < REDRAW_MS && this.#done < this.#runs) return;
    this.#drawnMs = nowMs;
    const full = Math.floor((this.#done / this.#runs) * BAR_CELLS);
    const bar = "█".repeat(full) + "░".repeat(BAR_CELLS - full);
    const perRunMs = (nowMs - this.#startedMs) / this.#done;
    const leftS = Math.ceil(((this.#runs - this.#done) * perRunMs) / 1000);
    const failed = this.#failed === 0 ? "" : `, ${this.#failed} failed`;
    const text = `${bar} ${this.#done} of ${this.#runs} runs${failed}, ${leftS} s left`;
    process.stderr.write(`\r\x1b[K${text}`);
  }

  /** A line for each tenth. */
  #tell(): void {
    const tenth = Math.floor((this.#done * 10) / this.#runs);
    if (tenth === this.#told || this.#runs < 10) return;
    this.#told = tenth;
    console.error(`${this.#done} of ${this.#runs} runs, ${this.#failed} failed`);
  }
}

function lineOf({ seed, verdict, failure, fingerprint, events, wallMs, virtualMs }: RunResult) {
  const times = `${(virtualMs / 1000).toFixed(1)} s virtual, ${wallMs.toFixed(0)} ms`;
  const what = failure === undefined ? "" : `  ${failure.detail.split("\n")[0]}`;
  return `${verdict.padEnd(6)}  seed ${seed}  ${fingerprint}  ${events} events, ${times}${what}`;
}
