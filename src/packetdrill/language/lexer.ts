/**
 * Reads a script's text from left to right. What a character means depends on where it stands
 * (`.` is a flag, a fraction or an address), so the parser asks for the word it needs instead of
 * receiving a stream of tokens. Blanks and comments in front of a word are skipped.
 */
import type { Position } from "./script";
import { ScriptError } from "./script-error";

const blank = " ".charCodeAt(0);
const slash = "/".charCodeAt(0);
const lastAscii = 0x7f;
const blankPattern = /\s*/y;
const wordPattern = /[A-Za-z_][A-Za-z0-9_]*/y;
const integerPattern = /0[xX][0-9a-fA-F]+|[0-9]+/y;
const numberPattern = /[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+/y;
const stringPattern = /"((?:[^"\\\n]|\\[^\n])*)"/y;

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  a: "\x07",
  e: "\x1b",
};

/** The characters that a C string literal's inside stands for. */
function characters(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|([\s\S]))/g,
    (_, hex?: string, octal?: string, other?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      return escapes[other as string] ?? (other as string);
    },
  );
}

/** Characters beyond Latin-1 as the bytes of their UTF-8 form, so that one character is one byte. */
function toBytes(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: The range is that of bytes.
  if (/^[\x00-\xff]*$/.test(text)) return text;
  return String.fromCharCode(...new TextEncoder().encode(text));
}

export class Lexer {
  readonly file: string;
  readonly #text: string;
  readonly #lineStarts: number[] = [0];
  /** `--define`d symbols: a word, an integer, a "string" or a `command`, quotes included. */
  readonly symbols: Map<string, string>;
  /** Of the next character to read. */
  offset = 0;

  constructor(text: string, file: string, symbols: Iterable<readonly [string, string]> = []) {
    this.#text = text;
    this.file = file;
    this.symbols = new Map(symbols);
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
      this.#lineStarts.push(at + 1);
    }
  }

  /** Where the next word stands, or the character at `offset`. */
  position(offset: number = this.mark()): Position {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    const start = this.#lineStarts[low] as number;
    const end = (this.#lineStarts[low + 1] ?? this.#text.length + 1) - 1;
    const text = this.#text.slice(start, end).replace(/\r$/, "");
    return { file: this.file, line: low + 1, column: offset - start + 1, text };
  }

  fail(reason: string, offset?: number): never {
    throw new ScriptError("syntax", this.position(offset), reason);
  }

  /**
   * Fails with what was expected and what stands there instead. Where that is on a later line, the
   * mistake is what the earlier line lacks.
   */
  failExpected(expected: string, hint = ""): never {
    const next = this.mark();
    const end = this.#text.slice(0, next).trimEnd().length;
    const cut = end > 0 && this.#text.slice(end, next).includes("\n");
    if (!cut) return this.failExpectedHere(expected, hint);
    const found = next < this.#text.length ? "the end of the line" : "the end of the file";
    return this.fail(`expected ${expected}, found ${found}${hint}`, end);
  }

  /** The same where a new line may begin. */
  failExpectedHere(expected: string, hint = ""): never {
    this.fail(`expected ${expected}, found ${this.#found()}${hint}`);
  }

  #found(): string {
    this.#skip();
    if (this.offset >= this.#text.length) return "the end of the file";
    const rest = this.#text.slice(this.offset, this.offset + 40).split("\n")[0] as string;
    const word = /^(?:[\w.]+|[^\w\s])/.exec(rest)?.[0] ?? rest;
    return `“${word}”`;
  }

  /** Where the next word begins. */
  mark(): number {
    this.#skip();
    return this.offset;
  }

  #skip(): void {
    const text = this.#text;
    for (;;) {
      let code = text.charCodeAt(this.offset);
      if (code <= blank || code > lastAscii) {
        blankPattern.lastIndex = this.offset;
        blankPattern.test(text);
        this.offset = blankPattern.lastIndex;
        code = text.charCodeAt(this.offset);
      }
      // Most calls end here, and nearly every other function begins with one.
      if (code !== slash) return;
      if (text.startsWith("//", this.offset)) {
        const end = text.indexOf("\n", this.offset);
        this.offset = end < 0 ? text.length : end;
      } else if (text.startsWith("/*", this.offset)) {
        const end = text.indexOf("*/", this.offset + 2);
        if (end < 0) this.fail("this comment has no end “*/”", this.offset);
        this.offset = end + 2;
      } else return;
    }
  }

  atEnd(): boolean {
    return this.mark() >= this.#text.length;
  }

  looksAt(literal: string): boolean {
    return this.#text.startsWith(literal, this.mark());
  }

  /** Whether the sticky pattern matches what comes next; nothing is consumed. */
  looksAtPattern(pattern: RegExp): boolean {
    pattern.lastIndex = this.mark();
    return pattern.test(this.#text);
  }

  /** Consumes a match of the sticky pattern. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.mark();
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.offset += found[0].length;
    return found;
  }

  accept(literal: string): boolean {
    if (!this.looksAt(literal)) return false;
    this.offset += literal.length;
    return true;
  }

  expect(literal: string, what = ""): void {
    if (!this.accept(literal)) this.failExpected(`“${literal}”${what === "" ? "" : ` ${what}`}`);
  }

  /** The next word, unreplaced and unconsumed. */
  peekWord(): string | undefined {
    wordPattern.lastIndex = this.mark();
    return wordPattern.exec(this.#text)?.[0];
  }

  acceptWord(word: string): boolean {
    if (this.peekWord() !== word) return false;
    this.offset += word.length;
    return true;
  }

  expectWord(word: string, what = ""): void {
    if (!this.acceptWord(word)) {
      this.failExpected(`“${word}”${what === "" ? "" : ` ${what}`}`);
    }
  }

  /** A word; one that is a symbol for another word is replaced. */
  word(what: string): string {
    const word = this.match(wordPattern)?.[0];
    if (word === undefined) return this.failExpected(what);
    const value = this.symbols.get(word);
    return value !== undefined && /^\w+$/.test(value) ? value : word;
  }

  /** The symbol's value if the next word is one; it is consumed then. */
  symbol(): string | undefined {
    const word = this.peekWord();
    const value = word === undefined ? undefined : this.symbols.get(word);
    if (word !== undefined && value !== undefined) this.offset += word.length;
    return value;
  }

  looksAtInteger(): boolean {
    const word = this.peekWord();
    const value = word === undefined ? undefined : this.symbols.get(word);
    if (value !== undefined) return /^(?:0[xX][0-9a-fA-F]+|[0-9]+)$/.test(value);
    return this.looksAtPattern(integerPattern);
  }

  /** Decimal or 0x hexadecimal, unsigned. */
  bigInteger(what: string): bigint {
    if (!this.looksAtInteger()) {
      const word = this.peekWord();
      const symbol =
        word !== undefined && /^[A-Z][A-Z0-9_]*$/.test(word) && !this.symbols.has(word);
      return this.failExpected(
        what,
        symbol ? `; if it is a symbol, define it: --define=${word}=N` : "",
      );
    }
    return BigInt(this.symbol() ?? (this.match(integerPattern) as RegExpExecArray)[0]);
  }

  /** Unsigned, at most `max`. */
  integer(what: string, max = 0xffffffff): number {
    const start = this.mark();
    const value = this.bigInteger(what);
    if (value > BigInt(max)) this.fail(`${what} is at most ${max}, not ${value}`, start);
    return Number(value);
  }

  /** A decimal number, with or without fraction, as text. */
  decimal(what: string): string {
    return this.match(numberPattern)?.[0] ?? this.failExpected(what);
  }

  looksAtString(): boolean {
    return this.looksAt('"');
  }

  /** The inside of a "string", escapes replaced: one character a byte. */
  string(what = "a string in quotes"): string {
    const found = this.match(stringPattern);
    if (found !== undefined) return toBytes(characters(found[1] as string));
    if (this.looksAtString()) this.fail('this string has no end “"” on its line');
    return this.failExpected(what);
  }

  /** The text up to `end` that follows `start`, both consumed, and the offset it begins at. */
  between(start: string, end: string, what: string): { text: string; offset: number } {
    this.expect(start, what);
    const from = this.offset;
    const to = this.#text.indexOf(end, from);
    if (to < 0) this.fail(`${what} has no end “${end}”`, from - start.length);
    this.offset = to + end.length;
    return { text: this.#text.slice(from, to), offset: from };
  }
}
