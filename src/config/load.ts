/** Configuration from a YAML text, a file or the program itself, to one resolved `Config`. */
import { readFileSync } from "node:fs";
import { type Document, LineCounter, parseDocument } from "yaml";
import { ERRNO_EINVAL, ERRNO_EIO, ERRNO_ENOENT } from "../../assembly/layout";
import { DemibunError } from "../errors";
import { check } from "./check";
import { type Config, type LibosName, resolve } from "./config";
import { type Environment, libosFrom, type RawConfig, withEnvironment } from "./environment";
import { locate } from "./locate";
import { ConfigError } from "./problem";

export interface LoadOptions {
  /** Outranks LIBOS. */
  libos?: LibosName | undefined;
  /** Variables to read instead of the process's. */
  environment?: Environment | undefined;
}

function processEnvironment(): Environment {
  return typeof process === "undefined" ? {} : process.env;
}

/** Keys without a value (`dpdk:` alone on a line) count as left out, as in Demikernel. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutNulls(member)]));
}

/** The text's YAML syntax errors as problems with positions. */
function refuseSyntax(document: Document.Parsed, source: string, text: string): void {
  if (document.errors.length === 0) return;
  const problems = document.errors.map((error) => {
    const [start] = error.linePos ?? [];
    const [from, to] = error.pos;
    return {
      path: [],
      message: (error.message.split("\n")[0] as string).replace(/ at line \d+.*$/, ""),
      expected: "YAML: two spaces of indentation a level, `key: value`, each key once",
      write: undefined,
      position: start && { line: start.line, column: start.col, length: Math.max(1, to - from) },
    };
  });
  throw new ConfigError(source, problems, text);
}

/** The document as plain values; an alias of no anchor, or too many, shows only here. */
function plainValues(document: Document.Parsed, source: string, text: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    const problem = {
      path: [],
      message: (error as Error).message,
      expected: "a YAML document whose aliases all name an anchor above",
      write: undefined,
      position: undefined,
    };
    throw new ConfigError(source, [problem], text);
  }
}

/** Reads a configuration from YAML text; `source` names it in errors. Throws `ConfigError`. */
export function parseConfig(text: string, source: string, options: LoadOptions = {}): Config {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: true, stringKeys: true });
  refuseSyntax(document, source, text);
  const environment = options.environment ?? processEnvironment();
  const libos = options.libos ?? libosFrom(environment);
  const parsed = withoutNulls(plainValues(document, source, text) ?? {});
  const raw = isSections(parsed) ? withEnvironment(parsed, environment) : parsed;
  const checked = check(raw, libos);
  if ("file" in checked) return resolve(checked.file, libos);
  const problems = checked.findings.map(({ mark, path, message, expected, write }) => ({
    path,
    message,
    expected,
    write,
    position: locate(document, lineCounter, path, mark),
  }));
  problems.sort((left, right) => (left.position?.line ?? 0) - (right.position?.line ?? 0));
  throw new ConfigError(source, problems, text);
}

function isSections(value: unknown): value is RawConfig {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Resolves a configuration written as an object, with the file's sections and keys. */
export function resolveConfig(raw: unknown, options: LoadOptions = {}): Config {
  const environment = options.environment ?? processEnvironment();
  const libos = options.libos ?? libosFrom(environment);
  const checked = check(isSections(raw) ? withEnvironment(raw, environment) : raw, libos);
  if ("file" in checked) return resolve(checked.file, libos);
  const problems = checked.findings.map(({ path, message, expected, write }) => ({
    path,
    message,
    expected,
    write,
    position: undefined,
  }));
  throw new ConfigError("configuration", problems, undefined);
}

/**
 * Reads the file at `path`, or the one CONFIG_PATH names. Throws `ConfigError` for mistakes in it
 * and `DemibunError` ENOENT, EINVAL when there is none.
 */
export function loadConfig(path?: string, options: LoadOptions = {}): Config {
  const environment = options.environment ?? processEnvironment();
  const file = path ?? environment.CONFIG_PATH;
  if (file === undefined || file === "") {
    throw new DemibunError({
      operation: "config",
      errno: ERRNO_EINVAL,
      detail: "no configuration file is named",
      hint: "set CONFIG_PATH, for example CONFIG_PATH=config/tap.yaml",
    });
  }
  return parseConfig(readConfig(file), file, options);
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new DemibunError({
      operation: "config",
      errno: missing ? ERRNO_ENOENT : ERRNO_EIO,
      detail: missing ? `there is no file ${file}` : `cannot read ${file}`,
      hint: missing ? `start from an example: cp config/tap.yaml ${file}` : `ls -l ${file}`,
      cause,
    });
  }
}
