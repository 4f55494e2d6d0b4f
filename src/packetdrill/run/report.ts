/** What a run of a script came to, and how a failure is told. */
import { printEvent, printSeconds } from "../language/print";
import type { Event, Position, TimeSpec } from "../language/script";

export interface RunResult {
  readonly file: string;
  readonly status: "passed" | "failed" | "unsupported";
  /** Of a run that did not pass: `file:line: …` and what belongs to it. */
  readonly message?: string;
  readonly line?: number;
  /** What was left out of account: commands without a meaning here, non-fatal failures. */
  readonly notes: readonly string[];
  /** Every packet of the run, for a capture. */
  readonly packets: readonly RecordedPacket[];
  /** Of the machine's time. */
  readonly durationMs: number;
}

export interface RecordedPacket {
  readonly timeUs: number;
  readonly direction: "inbound" | "outbound";
  readonly bytes: Uint8Array;
  /** In the language. */
  readonly text: string;
}

/** An expectation that did not come true. */
export class ExpectationError extends Error {
  readonly position: Position;
  /** Lines below the first: expected and actual. */
  readonly details: readonly string[];

  constructor(position: Position, reason: string, details: readonly string[] = []) {
    super(reason);
    this.position = position;
    this.details = details;
  }
}

/** `file:line: reason`, then the details, indented. */
export function failureText(position: Position, reason: string, details: readonly string[]) {
  const head = `${position.file}:${position.line}: ${reason}`;
  return [head, ...details.map((line) => `  ${line}`)].join("\n");
}

/** `5 ms`, `1.5 s`, `300 µs`. */
export function duration(us: number): string {
  const size = Math.abs(us);
  if (size < 1000) return `${Math.round(size)} µs`;
  if (size < 1_000_000) return `${Number((size / 1000).toFixed(3))} ms`;
  return `${Number((size / 1e6).toFixed(6))} s`;
}

/** A moment in the form in which the event tells its own. */
function timeLike(time: TimeSpec, timeUs: number, baseUs: number): TimeSpec {
  const isRelative = time.kind === "relative" || time.kind === "relativeRange";
  return isRelative
    ? { kind: "relative", us: Math.max(0, timeUs - baseUs) }
    : { kind: "absolute", us: Math.max(0, timeUs) };
}

/** Expected and actual, one above the other; one line where the language tells no difference. */
export function contrast(
  event: Event,
  actual: Event["action"],
  timeUs: number,
  baseUs: number,
): string[] {
  const time = timeLike(event.time, timeUs, baseUs);
  const expected = printEvent(event);
  const text = printEvent({ time, action: actual });
  return [`expected  ${expected}`, ...(text === expected ? [] : [`actual    ${text}`])];
}

export function expectedLine(event: Event): string {
  return `expected  ${printEvent(event)}`;
}

/** How far a moment lies beside when it should have been; undefined when it is within tolerance. */
export function lateness(
  startUs: number,
  endUs: number,
  actualUs: number,
  toleranceUs: number,
): string | undefined {
  const span =
    startUs === endUs
      ? `at ${printSeconds(startUs)}`
      : `from ${printSeconds(startUs)} to ${printSeconds(endUs)}`;
  if (actualUs < startUs - toleranceUs) {
    return `${duration(startUs - actualUs)} too early: expected ${span}`;
  }
  if (actualUs > endUs + toleranceUs) {
    return `${duration(actualUs - endUs)} too late: expected ${span}`;
  }
  return undefined;
}
