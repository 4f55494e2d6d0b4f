/** Writes reports of simulations as JSON and as HTML. */
import { fileURLToPath } from "node:url";
import { ERRNO_EIO } from "../../assembly/layout";
import { DemibunError } from "../errors";
import { htmlReport } from "../sim/report/html";
import { Recorder, type Recording } from "../sim/report/recorder";
import type { RunReport } from "../sim/report/run-report";
import type { SwarmReport } from "../sim/report/swarm-report";
import type { RunOptions } from "../sim/swarm/run";

export interface ReportFiles {
  readonly json?: string | undefined;
  readonly html?: string | undefined;
}

const page = fileURLToPath(new URL("../sim/report/page/main.ts", import.meta.url));
let script: string | undefined;

/** The page's program with all it imports, for browsers. Errors: EIO (a source is missing). */
export async function pageScript(): Promise<string> {
  if (script !== undefined) return script;
  const { outputs, success, logs } = await Bun.build({
    entrypoints: [page],
    target: "browser",
    format: "iife",
    minify: true,
    throw: false,
  });
  if (!success || outputs[0] === undefined) {
    throw new DemibunError({
      operation: "report",
      errno: ERRNO_EIO,
      detail: `the page's program could not be built: ${logs.join("\n")}`,
      hint: "install demibun's dependencies again",
    });
  }
  script = await outputs[0].text();
  return script;
}

export interface RunWatch {
  /** What to run the scenario with. */
  readonly options: RunOptions;
  /** Of the last execution; undefined before its end. */
  readonly recording: Recording | undefined;
}

/** Records the runs that are given its options. */
export function watchRun(): RunWatch {
  let recorder: Recorder | undefined;
  let recording: Recording | undefined;
  return {
    options: {
      onStart(sim) {
        recorder = new Recorder(sim);
      },
      onEnd() {
        recording = recorder?.data();
      },
    },
    get recording() {
      return recording;
    },
  };
}

/** Writes whichever files are named. */
export async function writeReport(
  report: RunReport | SwarmReport,
  files: ReportFiles,
): Promise<void> {
  if (files.json !== undefined) await Bun.write(files.json, `${JSON.stringify(report)}\n`);
  if (files.html !== undefined) {
    await Bun.write(files.html, htmlReport(report, await pageScript()));
  }
}
