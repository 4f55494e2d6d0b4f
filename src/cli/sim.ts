/** `demibun sim`: a swarm of simulated networks, each of which a seed decides. */
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { runReport } from "../sim/report/run-report";
import { type SwarmFailure, swarmReport } from "../sim/report/swarm-report";
import { drawScenario } from "../sim/swarm/draw";
import type { FailureReport, RunResult, SwarmResult } from "../sim/swarm/result";
import type { Scenario } from "../sim/swarm/scenario";
import { executeScenario, swarmResult } from "../sim/swarm/swarm";
import { stackModule } from "../wasm/module";
import { type Command, exitFailure, exitUsage } from "./command";
import { watchRun, writeReport } from "./reports";
import { commitHere, failureText, replayCommand, reportFailure, writeCapture } from "./sim-failure";
import { readSimOptions, type SimOptions, UsageError } from "./sim-options";
import { Progress } from "./sim-progress";
import { serveSeeds } from "./sim-worker";
import { runSwarm } from "./sim-workers";

/** Failures of one swarm that are captured and shrunk; of the others there are seeds. */
const REPORTS_MAX = 3;

function moduleOf({ moduleFile }: SimOptions): WebAssembly.Module {
  if (moduleFile === undefined) return stackModule();
  return new WebAssembly.Module(readFor("--module", moduleFile));
}

function readFor(option: string, file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new UsageError(`${option} ${file}: ${(error as Error).message}`);
  }
}

function scenarioIn(file: string): Scenario {
  const text = new TextDecoder().decode(readFor("--scenario", file));
  let scenario: Partial<Scenario> | null;
  try {
    scenario = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--scenario ${file}: ${(error as Error).message}`);
  }
  if (scenario?.version !== 1) {
    throw new UsageError(
      `--scenario ${file}: no scenario of version 1, as demibun sim writes them`,
    );
  }
  return scenario as Scenario;
}

/** One run here, with everything that was asked to be seen of it. */
async function runOne(options: SimOptions): Promise<number> {
  const { scenarioFile, seed, isTwice, json, html, pcapng } = options;
  const module = moduleOf(options);
  const scenario = scenarioFile === undefined ? drawScenario(seed) : scenarioIn(scenarioFile);
  const watch = json === undefined && html === undefined ? undefined : watchRun();
  const result = await executeScenario(module, scenario, { isTwice, ...watch?.options });
  const words =
    scenarioFile === undefined
      ? ["--seed", `${seed}`, "--runs", "1"]
      : ["--scenario", scenarioFile];
  const command = replayCommand(words, options);
  if (pcapng !== undefined) await writeCapture(module, scenario, pcapng, command);
  const failure =
    result.failure === undefined
      ? undefined
      : await reportFailure(module, scenario, result, options);
  const recording = watch?.recording;
  if (recording !== undefined) {
    const facts = failure ?? { result, scenario, command, commit: commitHere() };
    await writeReport(runReport(recording, facts), { json, html });
  }
  if (failure !== undefined) console.error(failureText(failure));
  console.log(runText(result));
  return failure === undefined ? 0 : exitFailure;
}

function runText(result: RunResult): string {
  const { verdict, seed, fingerprint, virtualMs, wallMs, events, connections, frames } = result;
  return [
    `${verdict}: seed ${seed}, fingerprint ${fingerprint}`,
    `  ${(virtualMs / 1000).toFixed(1)} s of virtual time in ${wallMs.toFixed(0)} ms, ${events} events`,
    `  ${frames.sent ?? 0} frames sent, ${frames.dropped ?? 0} dropped`,
    `  ${connections.completed} connections completed, ${connections.aborted} broken off`,
    `  ${result.features.join("; ")}`,
  ].join("\n");
}

async function runMany(options: SimOptions): Promise<number> {
  const { runs, seed, isTwice, workers, isVerbose, json, html } = options;
  const startedMs = performance.now();
  const progress = new Progress(runs, isVerbose);
  const results = await runSwarm(options, progress.told);
  progress.clear();
  const wallMs = performance.now() - startedMs;
  const swarm = swarmResult(results, { seed, runsAsked: runs, isTwice, wallMs, workers });
  const failures = await reportFailures(swarm.runs, options);
  if (json !== undefined || html !== undefined) {
    const words = ["--runs", `${runs}`, "--seed", `${seed}`, ...(isTwice ? ["--twice"] : [])];
    const facts = { commit: commitHere(), command: replayCommand(words, options), failures };
    await writeReport(swarmReport(swarm, facts), { json, html });
  }
  console.log(swarmText(swarm));
  return swarm.runs.some(({ verdict }) => verdict === "failed") ? exitFailure : 0;
}

async function reportFailures(
  runs: readonly RunResult[],
  options: SimOptions,
): Promise<SwarmFailure[]> {
  const failed = runs.filter(({ verdict }) => verdict === "failed");
  const reports: SwarmFailure[] = [];
  for (const result of failed.slice(0, REPORTS_MAX)) {
    const scenario = drawScenario(result.seed);
    const report = await reportFailure(moduleOf(options), scenario, result, options);
    console.error(failureText(report));
    const { html } = options;
    reports.push(html === undefined ? report : await withPage(report, html, options));
  }
  for (const { seed, failure } of failed.slice(REPORTS_MAX)) {
    console.error(`FAILED seed ${seed}: ${failure?.detail.split("\n")[0]}`);
  }
  return reports;
}

/** Runs a failed run again for a page of its own, beside the other files of the failure. */
async function withPage(
  report: FailureReport,
  swarmFile: string,
  options: SimOptions,
): Promise<SwarmFailure> {
  // A process that fell over would take this one along.
  if (report.result.failure?.kind === "crash") return report;
  const watch = watchRun();
  await executeScenario(moduleOf(options), report.scenario, watch.options);
  const { recording } = watch;
  if (recording === undefined) return report;
  const html = join(options.outFolder, `seed-${report.result.seed}.html`);
  await writeReport(runReport(recording, report), { html });
  return { ...report, reportFile: relative(dirname(resolve(swarmFile)), resolve(html)) };
}

function swarmText({ runs, runsAsked, isTwice, wallMs, fingerprint }: SwarmResult): string {
  const failed = runs.filter(({ verdict }) => verdict === "failed").length;
  const sum = (of: (run: RunResult) => number) => runs.reduce((total, run) => total + of(run), 0);
  const virtualHours = sum(({ virtualMs }) => virtualMs) / 3_600_000;
  const frames = sum((run) => run.frames.sent ?? 0);
  const twice = isTwice ? ", each executed twice" : "";
  return [
    `${runs.length} of ${runsAsked} runs${twice}: ${failed} failed`,
    `  ${virtualHours.toFixed(1)} hours of virtual time and ${frames} frames in ${(wallMs / 1000).toFixed(1)} s`,
    `  fingerprint ${fingerprint}`,
  ].join("\n");
}

export const simCommand: Command = {
  name: "sim",
  usage: [
    ["sim [--runs N] [--seed S]", "run simulated networks, one for each seed from S on"],
    ["sim --seed S --runs 1", "run one again; --html, --json and --pcapng FILE show it"],
    ["sim --scenario FILE", "run a scenario, as a failure leaves one"],
    ["sim … --twice", "run each a second time, which must be the same run"],
    ["sim … --module FILE", "run another build of the stack"],
    ["sim … --workers N", "use N processes; --keep-going, --no-shrink, --out DIR, --verbose"],
  ],
  async run(words) {
    try {
      const options = readSimOptions(words);
      if (options.isWorker) {
        await serveSeeds(moduleOf(options), options.isTwice);
        return 0;
      }
      if (options.scenarioFile !== undefined || options.runs === 1) return await runOne(options);
      return await runMany(options);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      console.error(`demibun sim: ${error.message}\n  hint: demibun --help`);
      return exitUsage;
    }
  },
};
