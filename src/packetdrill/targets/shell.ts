/**
 * Reads the shell text of scripts as simple commands: quotes, comments, redirections, arithmetic
 * `$((…))`, and files that a command names. Nothing is run.
 */
import type { ReadFile } from "./target";

/** How deep files may call each other. */
const DEPTH_MAX = 8;

export interface ShellCommand {
  /** Program and arguments, without quotes. */
  readonly words: readonly string[];
  /** The file that takes the output. */
  readonly output: string | undefined;
}

/** The commands of a text in their order; of files that it runs, theirs. */
export function shellCommands(text: string, readFile: ReadFile, depth = 0): ShellCommand[] {
  return new Reader(text).commands().flatMap((command) => {
    const called = depth < DEPTH_MAX ? calledText(command.words, readFile) : undefined;
    return called === undefined ? [command] : shellCommands(called, readFile, depth + 1);
  });
}

/** What a command that names a shell's file has in it; undefined for any other command. */
function calledText(words: readonly string[], readFile: ReadFile): string | undefined {
  const [program = "", ...rest] = words;
  const isShell = /^(?:\.|source|(?:.*\/)?(?:ba|da)?sh)$/.test(program);
  if (isShell && rest[0] === "-c") return rest[1];
  const path = isShell ? rest.find((word) => !word.startsWith("-")) : program;
  if (path === undefined || (!isShell && !path.includes("/"))) return undefined;
  const text = readFile(path);
  const [, interpreter] = /^#!\s*(.*)/.exec(text ?? "") ?? [];
  if (interpreter !== undefined) return /\b(?:ba|da)?sh\b/.test(interpreter) ? text : undefined;
  return isShell || path.endsWith(".sh") ? text : undefined;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.replace(/\\\n/g, " ");
  }

  commands(): ShellCommand[] {
    const commands: ShellCommand[] = [];
    while (this.#at < this.#text.length) {
      const command = this.#command();
      if (command.words.length > 0) commands.push(command);
    }
    return commands;
  }

  #command(): ShellCommand {
    const words: string[] = [];
    let output: string | undefined;
    for (;;) {
      this.#skip(/[ \t\r]*(?:#[^\n]*)?/y);
      if (this.#skip(/;|&&|\|\|?|\n|$/y)) return { words, output };
      if (this.#skip(/\d?>&\d|[<]/y)) continue;
      if (this.#skip(/[\d&]?>>?[ \t]*/y)) {
        output = this.#word();
        continue;
      }
      // What is no word (a lone parenthesis or ampersand) has no meaning here.
      const start = this.#at;
      const word = this.#word();
      if (this.#at === start) this.#at++;
      else words.push(word);
    }
  }

  /** A word with its quotes taken off. */
  #word(): string {
    let word = "";
    for (;;) {
      const arithmetic = this.#take(/\$\(\(((?:[^()]|\([^()]*\))*)\)\)/y);
      const piece =
        (arithmetic === undefined ? undefined : `${new Arithmetic(arithmetic).value()}`) ??
        this.#take(/'([^']*)'/y) ??
        this.#quoted() ??
        this.#take(/\\(.)/y) ??
        this.#take(/([^\s'"\\;|&<>()]+?)(?=\$\(\()/y) ??
        this.#take(/([^\s'"\\;|&<>()]+)/y);
      if (piece === undefined) return word;
      word += piece;
    }
  }

  #quoted(): string | undefined {
    return this.#take(/"((?:[^"\\]|\\.)*)"/y)?.replace(
      /\$\(\(((?:[^()]|\([^()]*\))*)\)\)/g,
      (_, text: string) => `${new Arithmetic(text).value()}`,
    );
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[1] as string;
  }

  /** Says whether there was anything to skip; at the end of the text there is. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return false;
    this.#at = pattern.lastIndex;
    return match[0] !== "" || this.#at === this.#text.length;
  }
}

/** Sums, products and brackets of whole numbers. */
class Arithmetic {
  readonly #tokens: string[];

  constructor(text: string) {
    this.#tokens = text.match(/0x[\da-f]+|\d+|[-+*/%()]/gi) ?? [];
  }

  value(): number {
    let value = this.#product();
    for (;;) {
      const sign = this.#tokens[0];
      if (sign !== "+" && sign !== "-") return value;
      this.#tokens.shift();
      value += sign === "+" ? this.#product() : -this.#product();
    }
  }

  #product(): number {
    let value = this.#factor();
    for (;;) {
      const operator = this.#tokens[0];
      if (operator !== "*" && operator !== "/" && operator !== "%") return value;
      this.#tokens.shift();
      const other = this.#factor();
      if (operator === "*") value *= other;
      else if (other === 0) throw new Error("a shell text divides by 0");
      else value = operator === "/" ? Math.trunc(value / other) : value % other;
    }
  }

  #factor(): number {
    const token = this.#tokens.shift();
    if (token === "-") return -this.#factor();
    if (token !== "(") return Number(token ?? 0);
    const value = this.value();
    this.#tokens.shift();
    return value;
  }
}
