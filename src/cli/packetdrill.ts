/** `demibun packetdrill`: runs scripts against the stack, or against the machine's kernel. */
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nearest } from "../nearest";
import type { RunResult } from "../packetdrill/run/report";
import { runScript } from "../packetdrill/run/run";
import { StackTarget } from "../packetdrill/targets/stack";
import { profileIn, type ProfileName, profiles } from "../packetdrill/targets/stack-profiles";
import type { TargetOptions } from "../packetdrill/targets/target";
import { LINK_TYPE_RAW, PcapngWriter } from "../pcapng";
import { stackModule } from "../wasm/module";
import { type Command, exitFailure, exitUsage } from "./command";
import { runLive, workerOption } from "./live-workers";
import { scriptSource } from "./script-source";

interface Wishes {
  readonly paths: string[];
  readonly defines: [string, string][];
  /** Undefined: each script's own, else linux. */
  profile: ProfileName | undefined;
  isStrict: boolean | undefined;
  live: boolean;
  /** One of the processes of `--live`. */
  isWorker: boolean;
  verbose: boolean;
  json: boolean;
  pcapng: string | undefined;
}

class UsageError extends Error {}

const optionNames = [
  "--live",
  "--profile",
  "--strict",
  "--original",
  "--verbose",
  "--json",
  "--pcapng",
  "--define",
];

function isProfile(name: string): name is ProfileName {
  return Object.hasOwn(profiles, name);
}

/** Reads the command line; `--name value` and `--name=value` are the same. */
function read(words: readonly string[]): Wishes {
  const wishes: Wishes = {
    paths: [],
    defines: [],
    profile: undefined,
    isStrict: undefined,
    live: false,
    isWorker: false,
    verbose: false,
    json: false,
    pcapng: undefined,
  };
  const rest = words.flatMap((word) => {
    const [, name, value] = /^(--(?:profile|pcapng|define))=(.*)$/s.exec(word) ?? [];
    return name === undefined ? [word] : [name, value as string];
  });
  while (rest.length > 0) readOne(rest.shift() as string, rest, wishes);
  if (wishes.paths.length === 0 && !wishes.isWorker)
    throw new UsageError("name scripts, or directories of them");
  return wishes;
}

function readOne(word: string, rest: string[], wishes: Wishes): void {
  const value = () => rest.shift() ?? usage(`${word} needs a value`);
  switch (word) {
    case "--live":
      wishes.live = true;
      return;
    case "--strict":
    case "--original":
      wishes.isStrict = word === "--strict";
      return;
    case workerOption:
      wishes.isWorker = true;
      return;
    case "--verbose":
      wishes.verbose = true;
      return;
    case "--json":
      wishes.json = true;
      return;
    case "--pcapng":
      wishes.pcapng = value();
      return;
    case "--profile": {
      const name = value();
      if (!isProfile(name)) usage(`the profiles are ${Object.keys(profiles).join(", ")}`);
      else wishes.profile = name;
      return;
    }
    case "--define": {
      const [, symbol, text] = /^([A-Za-z_]\w*)=(.+)$/s.exec(value()) ?? [];
      if (symbol === undefined || text === undefined) usage("write --define SYMBOL=VALUE");
      else wishes.defines.push([symbol, text]);
      return;
    }
  }
  if (!word.startsWith("-")) {
    wishes.paths.push(word);
    return;
  }
  const meant = nearest(word, optionNames);
  usage(`no option ${word}${meant === undefined ? "" : `; did you mean ${meant}?`}`);
}

function usage(reason: string): never {
  throw new UsageError(reason);
}

/** The scripts that a path stands for: itself, or what a directory holds, sorted. */
function scriptsAt(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new UsageError(`there is no file or directory ${path}`);
  if (!found.isDirectory()) return [path];
  const files = readdirSync(path, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".pkt"))
    .sort()
    .map((file) => join(path, file));
}

const marks = { passed: "passed     ", failed: "FAILED     ", unsupported: "unsupported" } as const;

function show(result: RunResult, verbose: boolean): void {
  console.log(`${marks[result.status]}  ${result.file}  ${result.durationMs.toFixed(1)} ms`);
  if (result.message !== undefined) console.log(indent(result.message));
  if (!verbose) return;
  for (const { timeUs, text } of result.packets) {
    console.log(`  ${(timeUs / 1e6).toFixed(6)} ${text}`);
  }
  for (const note of result.notes) console.log(`  note: ${note}`);
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}

function capture(path: string, results: readonly RunResult[]): void {
  const writer = new PcapngWriter({ application: "demibun packetdrill" });
  for (const { file, packets, message } of results) {
    const id = writer.addInterface({
      name: file,
      linkType: LINK_TYPE_RAW,
      ...(message === undefined ? {} : { description: message }),
    });
    for (const { timeUs, direction, bytes, text } of packets) {
      writer.addPacket({
        interfaceId: id,
        timeNs: BigInt(Math.round(timeUs * 1000)),
        bytes,
        comments: [text],
        direction: direction === "inbound" ? "in" : "out",
      });
    }
  }
  writeFileSync(path, writer.finish());
}

/** Runs scripts in virtual time; `told` hears of each result. */
async function runOnStack(
  files: readonly string[],
  wishes: Wishes,
  told: (result: RunResult) => void,
): Promise<RunResult[]> {
  const results: RunResult[] = [];
  for (const file of files) {
    const source = scriptSource(file, wishes);
    const profile = wishes.profile ?? profileIn(source.text) ?? "linux";
    const open = (options: TargetOptions) =>
      new StackTarget(stackModule(), profile, options, source.readFile);
    const result = await runScript(source, open);
    results.push(result);
    told(result);
  }
  return results;
}

async function run(wishes: Wishes): Promise<number> {
  const files = wishes.paths.flatMap(scriptsAt);
  if (files.length === 0) throw new UsageError("there are no .pkt files there");
  const start = performance.now();
  const told = (result: RunResult) => {
    if (!wishes.json && (wishes.verbose || result.status !== "passed")) {
      show(result, wishes.verbose);
    }
  };
  const runAll = wishes.live ? runLive : runOnStack;
  const results = await runAll(files, wishes, told);
  if (results === undefined) return exitFailure;
  const count = (status: RunResult["status"]) =>
    results.filter((result) => result.status === status).length;
  if (wishes.pcapng !== undefined) capture(wishes.pcapng, results);
  if (wishes.json) {
    console.log(
      JSON.stringify(
        results.map(({ packets, ...rest }) => rest),
        undefined,
        2,
      ),
    );
  } else {
    const tally = `${count("passed")} passed, ${count("failed")} failed`;
    const took = Math.round(performance.now() - start);
    console.log(`${tally}, ${count("unsupported")} unsupported in ${took} ms`);
  }
  return count("failed") === 0 ? 0 : exitFailure;
}

export const packetdrillCommand: Command = {
  name: "packetdrill",
  usage: [
    ["packetdrill FILE|DIRECTORY…", "run packetdrill scripts against the stack in virtual time"],
    ["packetdrill … --live", "against this machine's kernel, in a network of its own"],
    ["packetdrill … --profile linux|freebsd|rfc", "whose timers the stack has"],
    [
      "packetdrill … --strict | --original",
      "count what the original packetdrill overlooks, or not",
    ],
    ["packetdrill … --verbose | --json", "tell every packet; tell the results as JSON"],
    ["packetdrill … --pcapng FILE", "write every packet to a capture"],
  ],
  async run(words) {
    try {
      const wishes = read(words);
      if (!wishes.isWorker) return await run(wishes);
      // Needs device code that the stack's own runs do without.
      const { serveScripts } = await import("./live-worker");
      await serveScripts(wishes);
      return 0;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      console.error(`demibun packetdrill: ${error.message}\n  hint: demibun --help`);
      return exitUsage;
    }
  },
};
