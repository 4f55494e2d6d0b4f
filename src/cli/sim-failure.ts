/** What is kept of a failed run: scenario, capture, a smaller scenario, and how to run each again. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Capture } from "../sim/network/capture";
import type { FailureReport, RunResult } from "../sim/swarm/result";
import type { RunOptions } from "../sim/swarm/run";
import type { Scenario } from "../sim/swarm/scenario";
import { shrink } from "../sim/swarm/shrink";
import { executeScenario } from "../sim/swarm/swarm";
import type { SimOptions } from "./sim-options";

/** A failure that takes long to run is shrunk this long at most. */
const SHRINK_MS = 60_000;

/** The words that run the same again. */
export function replayCommand(which: readonly string[], options: SimOptions): string {
  const module = options.moduleFile === undefined ? [] : ["--module", options.moduleFile];
  return ["bunx demibun sim", ...which, ...module].map(quoted).join(" ");
}

function quoted(word: string, index: number): string {
  return index === 0 || /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The commit of the checkout that this runs from; undefined in an installed package. */
export function commitHere(): string | undefined {
  const { success, stdout } = Bun.spawnSync(["git", "rev-parse", "HEAD"], {
    cwd: import.meta.dir,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return success ? stdout.toString().trim() : undefined;
}

/** Runs the failed scenario again for its capture, shrinks it and writes files for all of that. */
export async function reportFailure(
  module: WebAssembly.Module,
  scenario: Scenario,
  result: RunResult,
  options: SimOptions,
): Promise<FailureReport> {
  const { outFolder, scenarioFile } = options;
  mkdirSync(outFolder, { recursive: true });
  const base = join(outFolder, `seed-${result.seed}`);
  const files = { scenario: scenarioFile ?? `${base}.json`, capture: `${base}.pcapng` };
  if (scenarioFile === undefined) writeScenario(files.scenario, scenario);
  const command = replayCommand(
    scenarioFile === undefined
      ? ["--seed", `${result.seed}`, "--runs", "1", ...twice(result)]
      : ["--scenario", scenarioFile, ...twice(result)],
    options,
  );
  const report = { result, scenario, commit: commitHere(), command, scenarioFile: files.scenario };
  // A process that fell over would take this one along.
  if (result.failure?.kind === "crash") return report;
  await writeCapture(module, scenario, files.capture, command);
  const shrunk = options.shrinks ? await shrunkOf(module, scenario, result, options, base) : {};
  return { ...report, captureFile: files.capture, ...shrunk };
}

function twice({ failure }: RunResult): string[] {
  return failure?.kind === "repetition" ? ["--twice"] : [];
}

async function shrunkOf(
  module: WebAssembly.Module,
  scenario: Scenario,
  { failure, seed }: RunResult,
  options: SimOptions,
  base: string,
): Promise<Pick<FailureReport, "shrunk">> {
  if (failure === undefined) return {};
  const isTwice = failure.kind === "repetition";
  const execute = (one: Scenario, run: RunOptions = {}) =>
    executeScenario(module, one, { isTwice, ...run });
  const endMs = performance.now() + SHRINK_MS;
  const shrunk = await shrink(scenario, failure, execute, {
    isEnough: () => performance.now() > endMs,
  });
  const file = join(options.outFolder, `seed-${seed}-shrunk.json`);
  writeScenario(file, shrunk.scenario);
  const words = ["--scenario", file, ...(isTwice ? ["--twice"] : [])];
  const command = replayCommand(words, options);
  await writeCapture(module, shrunk.scenario, `${base}-shrunk.pcapng`, command);
  return { shrunk: { ...shrunk, file, command } };
}

function writeScenario(file: string, scenario: Scenario): void {
  writeFileSync(file, `${JSON.stringify(scenario, undefined, 2)}\n`);
}

/** Runs the scenario and writes what its links carried. */
export async function writeCapture(
  module: WebAssembly.Module,
  scenario: Scenario,
  file: string,
  command: string,
): Promise<void> {
  const capture = new Capture({ application: "demibun sim", comment: command });
  await executeScenario(module, scenario, { onFrame: capture.listener });
  writeFileSync(file, capture.toBytes());
}

/** What a person is told of a failure. */
export function failureText(report: FailureReport): string {
  const { result, commit, command, scenarioFile, captureFile, shrunk } = report;
  const { failure, seed } = result;
  const rows = [
    ["failed", failure?.detail.split("\n")[0]],
    ["invariant", failure?.kind],
    ["host", failure?.host || undefined],
    ["virtual time", failure && `${(failure.timeNs / 1e6).toFixed(3)} ms`],
    ["seed", `${seed}`],
    ["commit", commit],
    ["scenario", scenarioFile],
    ["capture", captureFile],
    ["again", command],
    ["shrunk", shrunk && `${shrunk.file} after ${shrunk.executions} executions`],
    ["again", shrunk?.command],
  ].flatMap(([name = "", text]) => (text === undefined ? [] : [`  ${name.padEnd(13)} ${text}`]));
  const [, ...more] = failure?.detail.split("\n") ?? [];
  return [`FAILED seed ${seed}`, ...rows, ...more.map((line) => `    ${line}`)].join("\n");
}
