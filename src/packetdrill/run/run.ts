/** One script from its text to a result: reading, a target, the events, the end. */
import { parseScript } from "../language/parse";
import type { Script } from "../language/script";
import { ScriptError } from "../language/script-error";
import {
  type ReadFile,
  type Target,
  type TargetOptions,
  UnsupportedError,
} from "../targets/target";
import { runOptions } from "./options";
import { ExpectationError, failureText, type RunResult } from "./report";
import { Runner } from "./runner";

export interface ScriptSource {
  readonly file: string;
  readonly text: string;
  /** Symbols of the command line. */
  readonly defines?: Iterable<readonly [string, string]>;
  /**
   * Reads the files that `--init_scripts` names; without it they are not supported. Undefined: there
   * is no such file.
   */
  readonly readFile?: ReadFile;
  /**
   * Whether packets after the last event and the like count (`RunOptions`). When left out, all but
   * scripts that run a file of settings are strict: those belong to suites made for the original.
   */
  readonly isStrict?: boolean | undefined;
}

export type OpenTarget = (options: TargetOptions) => Target;

/** Never throws for what is wrong with a script or with the system under test: that is a result. */
export async function runScript(source: ScriptSource, openTarget: OpenTarget): Promise<RunResult> {
  const start = performance.now();
  const notes: string[] = [];
  let runner: Runner | undefined;
  const finish = (outcome: Pick<RunResult, "status" | "message" | "line">): RunResult => ({
    file: source.file,
    ...outcome,
    notes: [...notes, ...(runner?.notes ?? [])],
    packets: runner?.wire.packets ?? [],
    durationMs: performance.now() - start,
  });
  try {
    const { file, text, defines } = source;
    const script = parseScript(text, { file, ...(defines === undefined ? {} : { defines }) });
    const options = runOptions(script, source.isStrict ?? !runsFile(script, source));
    await using target = openTarget(options);
    await prepare(script, source, options.initScripts, target);
    runner = new Runner(script, options, target);
    try {
      await runner.run();
    } finally {
      await cleanUp(script, target, notes);
    }
    return finish({ status: "passed" });
  } catch (error) {
    return finish(outcomeOf(source.file, error));
  }
}

/** Says whether a line of the init command is a file beside the script. */
function runsFile({ initCommand }: Script, { readFile }: ScriptSource): boolean {
  const lines = initCommand?.command.split("\n") ?? [];
  const programs = lines.map((line) => line.trim().split(/\s/)[0] ?? "");
  return programs.some((path) => path.includes("/") && readFile?.(path) !== undefined);
}

async function prepare(
  script: Script,
  source: ScriptSource,
  initScripts: readonly string[],
  target: Target,
): Promise<void> {
  for (const path of initScripts) {
    if (source.readFile === undefined) {
      throw new UnsupportedError("--init_scripts needs files, which are not at hand here");
    }
    const text = source.readFile(path);
    if (text === undefined) throw new UnsupportedError(`there is no init script ${path}`);
    await target.command(text);
  }
  const command = script.initCommand;
  if (command !== undefined) {
    try {
      await target.command(command.command);
    } catch (error) {
      if (error instanceof UnsupportedError || !(error instanceof Error)) throw error;
      throw new ExpectationError(command.position, `the init command failed: ${error.message}`);
    }
  }
  await target.start();
}

/** A cleanup that fails is told, but says nothing about the system under test. */
async function cleanUp(script: Script, target: Target, notes: string[]): Promise<void> {
  const { cleanupCommand } = script;
  if (cleanupCommand === undefined) return;
  try {
    await target.command(cleanupCommand.command);
  } catch (error) {
    notes.push(`the cleanup command failed: ${error instanceof Error ? error.message : error}`);
  }
}

function outcomeOf(file: string, thrown: unknown): Pick<RunResult, "status" | "message" | "line"> {
  // What went wrong first tells more than what it did to the end.
  const error = thrown instanceof SuppressedError ? thrown.suppressed : thrown;
  if (error instanceof UnsupportedError) {
    const message = error.message.startsWith(`${file}:`)
      ? error.message
      : `${file}: ${error.message}`;
    return { status: "unsupported", message };
  }
  if (error instanceof ExpectationError) {
    const { position, message, details } = error;
    return {
      status: "failed",
      message: failureText(position, message, details),
      line: position.line,
    };
  }
  if (error instanceof ScriptError) {
    return { status: "failed", message: error.message, line: error.position.line };
  }
  throw error;
}
