/** From a script's text to its AST. */
import { CodeSource } from "./code-source";
import { Lexer } from "./lexer";
import { parseCode } from "./parse-code";
import { looksLikeDemikernel, parseDemikernelPacket } from "./parse-demikernel";
import { parseDirection, parsePacket } from "./parse-packet";
import { parseSystemCall } from "./parse-system-call";
import { parseTime } from "./parse-time";
import type {
  Action,
  CommandAction,
  Dialect,
  Event,
  Script,
  ScriptOption,
  TimeSpec,
} from "./script";
import { ScriptError } from "./script-error";

export interface ParseOptions {
  /** Shown in messages. */
  readonly file?: string;
  /** Told by the text when absent; a script may say it itself by `--dialect=demikernel`. */
  readonly dialect?: Dialect;
  /** Symbols of the command line; they stand above the script's own. */
  readonly defines?: Iterable<readonly [string, string]>;
}

const optionPattern = /--([A-Za-z_][\w-]*)/y;
const valuePattern = /"[^"\n]*"|`[^`]*`|[^\s"`]+/y;

/** `SYMBOL=value` of `--define`; the script's own give way to the command line's. */
function define(lexer: Lexer, definition: string, start: number, given: ReadonlySet<string>): void {
  const [, symbol, value] = /^([A-Za-z_]\w*)=([\s\S]+)$/.exec(definition) ?? [];
  if (symbol === undefined || value === undefined) {
    lexer.fail("expected a symbol and its value, e.g. --define=SIZE=1000", start);
  }
  if (!given.has(symbol)) lexer.symbols.set(symbol, value);
}

function parseValue(lexer: Lexer): string {
  let value = "";
  do {
    value += lexer.match(valuePattern)?.[0] ?? lexer.failExpected("the value of the option");
    // A symbol's quoted value follows its “=” without a blank.
  } while (value.endsWith("=") && lexer.looksAtPattern(/["`]/y));
  return value;
}

function parseOptions(lexer: Lexer): ScriptOption[] {
  const given = new Set(lexer.symbols.keys());
  const options: ScriptOption[] = [];
  while (lexer.looksAt("--")) {
    const position = lexer.position();
    const start = lexer.mark();
    const name = lexer.match(optionPattern)?.[1];
    if (name === undefined) return lexer.failExpected("an option, e.g. --tolerance_usecs=10000");
    if (!lexer.looksAtPattern(/=/y)) {
      options.push({ name, position });
      continue;
    }
    lexer.accept("=");
    const value = parseValue(lexer);
    if (name === "define") define(lexer, value, start, given);
    options.push({ name, value: value.replace(/^"(.*)"$/, "$1"), position });
  }
  return options;
}

/** A command in backquotes, or a symbol that stands for one. */
function parseCommand(lexer: Lexer): CommandAction | undefined {
  const position = lexer.position();
  if (lexer.looksAt("`")) {
    const { text } = lexer.between("`", "`", "a command in backquotes");
    return { kind: "command", command: text, position };
  }
  const value = lexer.symbols.get(lexer.peekWord() ?? "");
  if (value === undefined || !value.startsWith("`")) return undefined;
  lexer.symbol();
  return { kind: "command", command: value.slice(1, -1), position };
}

function parseAction(lexer: Lexer, dialect: Dialect, time: TimeSpec): Action {
  if (dialect === "demikernel") {
    const packet = parseDemikernelPacket(lexer);
    if (packet !== undefined) return packet;
  }
  const direction = parseDirection(lexer);
  if (direction !== undefined) return parsePacket(lexer, direction);
  const command = parseCommand(lexer);
  if (command !== undefined) return command;
  if (lexer.looksAt("%{")) {
    const { text, offset } = lexer.between("%{", "}%", "code");
    const code = { kind: "code", code: text, position: lexer.position(offset) } as const;
    // Mistakes in code are found before anything runs.
    parseCode(new CodeSource(code));
    return code;
  }
  return parseSystemCall(lexer, time);
}

/** What may not be at this time; undefined when all is well. */
function timeProblem(time: TimeSpec, action: Action): string | undefined {
  const fixed = time.kind === "absolute" || time.kind === "relative";
  const expected = action.kind === "packet" && action.direction === "outbound";
  if (fixed || expected) return undefined;
  return "only an expected packet (>) may come at any time or in a range: it is not ours to time";
}

/** `before`: when the event above happens at the earliest; negative for the first. */
function parseEvent(lexer: Lexer, dialect: Dialect, before: number): Event {
  const start = lexer.mark();
  const position = lexer.position();
  const time = parseTime(lexer);
  if (before < 0 && time.kind !== "any" && ("us" in time ? time.us : time.startUs) !== 0) {
    // Demikernel's scripts begin a moment after the start; there nothing hangs on it.
    if (dialect === "packetdrill")
      lexer.fail("the first event is at time 0: later ones count from it", start);
  }
  if (time.kind === "absolute" && time.us < before) {
    lexer.fail(`this event is before the one above it, at ${before / 1e6} s`, start);
  }
  const action = parseAction(lexer, dialect, time);
  const problem = timeProblem(time, action);
  if (problem !== undefined) lexer.fail(problem, start);
  return { time, position, action };
}

/** When the event happens at the earliest; `before` is the same of the event before it. */
function earliest(time: TimeSpec, before: number): number {
  if (time.kind === "any") return Math.max(before, 0);
  const us = "us" in time ? time.us : time.startUs;
  return time.kind === "relative" || time.kind === "relativeRange" ? Math.max(before, 0) + us : us;
}

/** Throws a `ScriptError` that names file, line and column of the first mistake. */
export function parseScript(text: string, options: ParseOptions = {}): Script {
  const file = options.file ?? "script";
  const lexer = new Lexer(text.replace(/^\uFEFF/, ""), file, options.defines);
  const scriptOptions = parseOptions(lexer);
  const named = scriptOptions.find(({ name }) => name === "dialect");
  if (named !== undefined && !/^(packetdrill|demikernel)$/.test(named.value ?? "")) {
    const reason = "the dialects are packetdrill and demikernel";
    throw new ScriptError("syntax", named.position, reason);
  }
  const told = looksLikeDemikernel(text) ? "demikernel" : "packetdrill";
  const dialect = options.dialect ?? (named?.value as Dialect | undefined) ?? told;
  const initCommand = parseCommand(lexer);
  const events: Event[] = [];
  let cleanupCommand: CommandAction | undefined;
  let before = -1;
  while (!lexer.atEnd()) {
    if (cleanupCommand !== undefined) {
      lexer.fail("the command above has no time, so it is the cleanup: nothing may follow it");
    }
    if (events.length > 0) cleanupCommand = parseCommand(lexer);
    if (cleanupCommand !== undefined) continue;
    const event = parseEvent(lexer, dialect, before);
    before = earliest(event.time, before);
    events.push(event);
  }
  if (events.length === 0)
    lexer.failExpectedHere("an event, e.g. 0 socket(..., SOCK_STREAM, 0) = 3");
  return {
    file,
    dialect,
    options: scriptOptions,
    ...(initCommand === undefined ? {} : { initCommand }),
    events,
    ...(cleanupCommand === undefined ? {} : { cleanupCommand }),
  };
}
