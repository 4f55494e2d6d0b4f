/** The command line of `demibun sim`. */
import { availableParallelism } from "node:os";
import { nearest } from "../nearest";

export interface SimOptions {
  readonly runs: number;
  /** Of the first run; run k has `seed + k`. */
  readonly seed: number;
  readonly isTwice: boolean;
  readonly workers: number;
  readonly scenarioFile?: string | undefined;
  readonly moduleFile?: string | undefined;
  readonly json?: string | undefined;
  readonly html?: string | undefined;
  readonly pcapng?: string | undefined;
  /** Where what is known of failures is written. */
  readonly outFolder: string;
  readonly shrinks: boolean;
  readonly keepsGoing: boolean;
  readonly isVerbose: boolean;
  /** One of the processes of a swarm. */
  readonly isWorker: boolean;
}

export class UsageError extends Error {}

/** Makes a process one that runs what its input names; see sim-worker.ts. */
export const workerOption = "--sim-worker";

const flags = ["--twice", "--shrink", "--no-shrink", "--keep-going", "--verbose"];
const valued = [
  "--runs",
  "--seed",
  "--workers",
  "--scenario",
  "--module",
  "--json",
  "--html",
  "--pcapng",
  "--out",
];

/** Reads the words; `--name value` and `--name=value` are the same. Throws UsageError. */
export function readSimOptions(words: readonly string[]): SimOptions {
  const { given, values } = sort(words);
  const number = (name: string, usual: number, lowest: number) => {
    const text = values.get(name);
    return text === undefined ? usual : wholeNumber(name, text, lowest);
  };
  const scenarioFile = values.get("--scenario");
  for (const name of ["--runs", "--seed"]) {
    if (scenarioFile !== undefined && values.has(name)) {
      throw new UsageError(`--scenario is one run with a seed of its own; leave ${name} out`);
    }
  }
  const runs = number("--runs", scenarioFile === undefined ? 100 : 1, 1);
  const options: SimOptions = {
    runs,
    seed: number("--seed", 1, 0),
    isTwice: given.has("--twice"),
    workers: number("--workers", availableParallelism(), 1),
    scenarioFile,
    moduleFile: values.get("--module"),
    json: values.get("--json"),
    html: values.get("--html"),
    pcapng: values.get("--pcapng"),
    outFolder: values.get("--out") ?? "build/sim",
    shrinks: !given.has("--no-shrink"),
    keepsGoing: given.has("--keep-going"),
    isVerbose: given.has("--verbose"),
    isWorker: given.has(workerOption),
  };
  if (options.pcapng !== undefined && runs > 1) {
    throw new UsageError("--pcapng captures one run: add --runs 1");
  }
  return options;
}

function sort(words: readonly string[]) {
  const given = new Set<string>();
  const values = new Map<string, string>();
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, name = word, text] = /^(--[a-z-]+)=(.*)$/s.exec(word) ?? [];
    if (valued.includes(name)) {
      const value = text ?? rest.shift();
      if (value === undefined) throw new UsageError(`${name} needs a value`);
      values.set(name, value);
    } else if (text === undefined && (flags.includes(name) || name === workerOption)) {
      given.add(name);
    } else {
      throw unknown(word, name);
    }
  }
  return { given, values };
}

function unknown(word: string, name: string): UsageError {
  if (flags.includes(name)) return new UsageError(`${name} takes no value`);
  const meant = nearest(name, [...flags, ...valued]);
  return new UsageError(
    `no option ${word}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
  );
}

function wholeNumber(name: string, text: string, lowest: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= lowest) return value;
  throw new UsageError(`${name} takes a whole number of at least ${lowest}, not ${text}`);
}
