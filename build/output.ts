/** Writing outputs so that a reader never sees half a file, and only when inputs are newer. */
import { mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

function modifiedMs(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/** True when every output exists and none is older than any input. */
export function isFresh(outputs: readonly string[], inputs: Iterable<string>): boolean {
  const oldest = Math.min(...outputs.map((path) => modifiedMs(path) ?? 0));
  for (const input of inputs) if ((modifiedMs(input) ?? 0) > oldest) return false;
  return oldest > 0;
}

/** Writes beside the target and renames, so that two builds at once both leave whole files. */
export function writeWhole(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, contents);
  renameSync(beside, path);
}

/** Stops the build with one readable message. */
export function stop(message: string): never {
  console.error(message);
  process.exit(1);
}
