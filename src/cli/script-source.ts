/** A script of a file, with what the command line adds to it. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ScriptSource } from "../packetdrill/run/run";

export interface ScriptWishes {
  readonly defines: readonly (readonly [symbol: string, value: string])[];
}

export function scriptSource(file: string, { defines }: ScriptWishes): ScriptSource {
  return {
    file,
    text: readFileSync(file, "utf8"),
    defines,
    readFile: (path) => readFileSync(resolve(dirname(file), path), "utf8"),
  };
}
