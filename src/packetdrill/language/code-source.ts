/** Where something in a piece of code stands in the script. */
import type { CodeAction, Position } from "./script";
import { ScriptError, type ScriptErrorKind } from "./script-error";

export class CodeSource {
  readonly text: string;
  readonly #start: Position;

  constructor(action: CodeAction) {
    this.text = action.code;
    this.#start = action.position;
  }

  /** Of an offset into the code. */
  position(offset: number): Position {
    const before = this.text.slice(0, offset).split("\n");
    const { file, line, column, text } = this.#start;
    const last = before.at(-1) as string;
    if (before.length === 1) return { file, line, column: column + last.length, text };
    const source = (this.text.split("\n")[before.length - 1] as string).replace(/\r$/, "");
    return { file, line: line + before.length - 1, column: last.length + 1, text: source };
  }

  /** What stands between two offsets, on one line. */
  slice(start: number, end: number): string {
    return this.text.slice(start, end).replace(/\s+/g, " ").trim();
  }

  fail(kind: ScriptErrorKind, offset: number, reason: string): never {
    throw new ScriptError(kind, this.position(offset), reason);
  }
}
