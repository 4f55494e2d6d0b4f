/** Words of a script's code, with Python's line ends and indentation as words of their own. */
import type { CodeSource } from "./code-source";

export interface CodeToken {
  readonly kind:
    "name" | "number" | "string" | "operator" | "newline" | "indent" | "dedent" | "end";
  /** A string's without quotes and escapes. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const blankPattern = /(?:[ \t\r\f]|\\\r?\n|#[^\n]*)*/y;
const wordPattern =
  /(?<name>[A-Za-z_]\w*)|(?<number>0[xX][0-9a-fA-F]+|0[bB][01]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<operator>\*\*=|\/\/=|<<=|>>=|\*\*|\/\/|<<|>>|[=!<>]=|[-+*/%&|^]=|[-+*/%&|^~<>=()[\],:;.])/y;

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "0": "\0" };

function unquote(text: string): string {
  return text.slice(1, -1).replace(/\\([\s\S])/g, (_, letter: string) => escapes[letter] ?? letter);
}

/** One line of statements: the words in it and how far it is indented. */
interface Line {
  /** Undefined for what stands on the line of the code's opening. */
  readonly indent: number | undefined;
  readonly tokens: CodeToken[];
}

/** The word at `offset`; undefined at a line's or the code's end. */
function tokenAt(source: CodeSource, offset: number): CodeToken | undefined {
  const { text } = source;
  if (offset >= text.length || text[offset] === "\n") return undefined;
  wordPattern.lastIndex = offset;
  const found = wordPattern.exec(text);
  if (found === null) {
    const quote = text[offset] === '"' || text[offset] === "'";
    const reason = quote
      ? "this string has no end on its line"
      : `“${text[offset]}” is not understood`;
    return source.fail("syntax", offset, reason);
  }
  const groups = found.groups as Record<string, string | undefined>;
  const kind = (["name", "number", "string", "operator"] as const).find(
    (name) => groups[name] !== undefined,
  ) as "name" | "number" | "string" | "operator";
  const word = kind === "string" ? unquote(found[0]) : found[0];
  return { kind, text: word, start: offset, end: offset + found[0].length };
}

/** Lines that hold a word; inside brackets a line goes on. */
function lines(source: CodeSource): Line[] {
  const { text } = source;
  const result: Line[] = [];
  let current: CodeToken[] = [];
  let indent: number | undefined;
  let lineStart = 0;
  let depth = 0;
  const finish = (): void => {
    if (current.length > 0) result.push({ indent, tokens: current });
    current = [];
  };
  let offset = 0;
  while (offset < text.length) {
    blankPattern.lastIndex = offset;
    offset += (blankPattern.exec(text) as RegExpExecArray)[0].length;
    const token = tokenAt(source, offset);
    if (token === undefined) {
      if (depth === 0) finish();
      offset++;
      if (current.length === 0) lineStart = offset;
      continue;
    }
    if (current.length === 0) indent = lineStart === 0 ? undefined : offset - lineStart;
    current.push(token);
    if (token.kind === "operator" && "([".includes(token.text)) depth++;
    if (token.kind === "operator" && ")]".includes(token.text)) depth--;
    offset = token.end;
  }
  finish();
  return result;
}

/**
 * How far the line behind the opening `%{` counts as indented. Nothing in the text says it: it is
 * the level of what follows, or the level around it when a block follows.
 */
function openingIndent(rest: readonly Line[], opensBlock: boolean): number {
  const indents = rest.map((line) => line.indent as number);
  const [first] = indents;
  if (first === undefined) return 0;
  if (!opensBlock) return first;
  const least = Math.min(...indents);
  return least < first ? least : first - 1;
}

/** All words, the last of kind `end`. */
export function tokenize(source: CodeSource): CodeToken[] {
  const all = lines(source);
  const tokens: CodeToken[] = [];
  const [opening, ...rest] = all;
  const opensBlock = opening?.tokens.at(-1)?.text === ":";
  const base = opening?.indent ?? openingIndent(rest, opensBlock);
  const levels = [base];
  for (const line of all) {
    const start = (line.tokens[0] as CodeToken).start;
    const mark = (kind: "indent" | "dedent"): void => {
      tokens.push({ kind, text: "", start, end: start });
    };
    const indent = line.indent ?? base;
    if (indent > (levels.at(-1) as number)) {
      levels.push(indent);
      mark("indent");
    }
    while (indent < (levels.at(-1) as number)) {
      levels.pop();
      mark("dedent");
    }
    if (indent !== levels.at(-1)) {
      source.fail("syntax", start, "this line is indented like none of the blocks around it");
    }
    const { end } = line.tokens.at(-1) as CodeToken;
    tokens.push(...line.tokens, { kind: "newline", text: "", start: end, end });
  }
  const end = source.text.trimEnd().length;
  for (let level = 1; level < levels.length; level++) {
    tokens.push({ kind: "dedent", text: "", start: end, end });
  }
  return [...tokens, { kind: "end", text: "", start: end, end }];
}
