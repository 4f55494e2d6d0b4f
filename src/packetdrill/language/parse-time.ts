/** An event's time. */
import type { Lexer } from "./lexer";
import type { TimeSpec } from "./script";

const what = "a time in seconds, e.g. +0.1";

/** Seconds to whole microseconds, exactly: digits beyond the sixth are rounded. */
export function parseSeconds(lexer: Lexer): number {
  const value = lexer.symbol() ?? lexer.decimal(what);
  const us = Math.round(Number(value) * 1e6);
  if (!Number.isSafeInteger(us)) lexer.fail(`“${value}” is not ${what}`);
  return us;
}

/** `+D`, `D`, `*`, `A~B` or `+A~+B`. */
export function parseTime(lexer: Lexer): TimeSpec {
  if (lexer.accept("*")) return { kind: "any" };
  const start = lexer.mark();
  const relative = lexer.accept("+");
  if (!relative && !lexer.looksAtPattern(/[0-9.]/y)) {
    lexer.failExpectedHere("an event's time (+0.1, 0.1, *, 0.1~0.2 or +0.1~+0.2)");
  }
  const startUs = parseSeconds(lexer);
  if (!lexer.accept("~")) return { kind: relative ? "relative" : "absolute", us: startUs };
  if (relative) lexer.expect("+", "and the end of the relative range, e.g. +0.1~+0.2");
  else if (lexer.looksAt("+")) lexer.fail("a range is relative at both ends or at none");
  const endUs = parseSeconds(lexer);
  if (endUs < startUs) {
    lexer.fail("the range ends before it begins", start);
  }
  return { kind: relative ? "relativeRange" : "absoluteRange", startUs, endUs };
}
