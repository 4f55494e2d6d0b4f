/** One mistake in a configuration: where it stands, what was expected, what to write. */
import { DemibunError } from "../errors";
import { ERRNO_EINVAL } from "../../assembly/layout";

export interface Position {
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Characters to mark on that line. */
  readonly length: number;
}

export interface Problem {
  /** Keys from the top of the file, `["demikernel", "local_ipv4_addr"]`; empty: the file itself. */
  readonly path: readonly string[];
  /** What is wrong, in one sentence part. */
  readonly message: string;
  readonly expected: string | undefined;
  /** The line to write instead. */
  readonly write: string | undefined;
  /** Undefined where the value came from the environment or the program. */
  readonly position: Position | undefined;
}

/** A configuration that cannot be used; `problems` has every mistake, the message shows them. */
export class ConfigError extends DemibunError {
  readonly problems: readonly Problem[];

  /** `source` is the file's name, or where else the configuration came from. */
  constructor(source: string, problems: readonly Problem[], text: string | undefined) {
    const first = problems[0];
    super({
      operation: "config",
      errno: ERRNO_EINVAL,
      detail: problems.map((problem) => show(source, problem, text)).join("\n"),
      hint: first?.write === undefined ? undefined : `write ${first.write}`,
    });
    this.problems = problems;
  }
}

/** `file:line:column: path: message`, the source line with a caret, then what to do. */
function show(source: string, problem: Problem, text: string | undefined): string {
  const { position, path, message, expected, write } = problem;
  const place = position === undefined ? source : `${source}:${position.line}:${position.column}`;
  const lines = [[place, path.join("."), message].filter((part) => part !== "").join(": ")];
  const sourceLine = position && text?.split(/\r?\n/)[position.line - 1];
  if (position !== undefined && sourceLine !== undefined) {
    const number = `${position.line}`;
    const carets = Math.max(1, Math.min(position.length, sourceLine.length - position.column + 1));
    lines.push(`  ${number} | ${sourceLine}`);
    lines.push(
      `  ${" ".repeat(number.length)} | ${" ".repeat(position.column - 1)}${"^".repeat(carets)}`,
    );
  }
  if (expected !== undefined) lines.push(`  expected: ${expected}`);
  if (write !== undefined) lines.push(`  write: ${write}`);
  return lines.join("\n");
}
