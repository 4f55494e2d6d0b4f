/** What is wrong with a script, shown where it stands. */
import type { Position } from "./script";

/** `syntax`: it cannot be read; `evaluation`: its code cannot be run; `assertion`: it is false. */
export type ScriptErrorKind = "syntax" | "evaluation" | "assertion";

/** `file:line:column: reason`, the source line and a caret below the column. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
  readonly kind: ScriptErrorKind;
  readonly position: Position;
  /** The message without file and line; may go on for several lines. */
  readonly reason: string;

  constructor(kind: ScriptErrorKind, position: Position, reason: string) {
    const { file, line, column, text } = position;
    // Tabs stay tabs, so that the caret stands below its column whatever their width is.
    const indent = text.slice(0, column - 1).replace(/[^\t]/g, " ");
    super(`${file}:${line}:${column}: ${reason}\n  ${text}\n  ${indent}^`);
    this.kind = kind;
    this.position = position;
    this.reason = reason;
  }
}
