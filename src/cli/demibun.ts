#!/usr/bin/env bun
/** The command `demibun`: a table of subcommands, each in a file of its own. */
import { DemibunError } from "../errors";
import { nearest } from "../nearest";
import { version } from "../../package.json";
import { type Command, exitFailure, exitUsage } from "./command";
import { configCommand } from "./config";
import { doctorCommand } from "./doctor";
import { packetdrillCommand } from "./packetdrill";
import { simCommand } from "./sim";

const commands: readonly Command[] = [configCommand, doctorCommand, packetdrillCommand, simCommand];

function usage(): string {
  const rows = commands.flatMap((command) => command.usage);
  const width = Math.max(...rows.map(([form]) => form.length));
  return [
    "demibun: a library OS for Bun",
    "",
    "usage:",
    ...rows.map(([form, summary]) => `  demibun ${form.padEnd(width)}  ${summary}`),
    `  demibun ${"--help".padEnd(width)}  this text`,
    `  demibun ${"--version".padEnd(width)}  the version`,
  ].join("\n");
}

/** Runs one command line and returns the exit status: 0, 1 for a failure, 2 for misuse. */
export async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    console.log(usage());
    return name === undefined ? exitUsage : 0;
  }
  if (name === "--version" || name === "-v") {
    console.log(version);
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const meant = nearest(name, [...commands.map((known) => known.name), "--help", "--version"]);
    const guess = meant === undefined ? "" : `; did you mean "${meant}"?`;
    console.error(`demibun: no command "${name}"${guess}\n  hint: demibun --help`);
    return exitUsage;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    if (!(error instanceof DemibunError)) throw error;
    console.error(error.message);
    return exitFailure;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
