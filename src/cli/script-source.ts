/** A script of a file, with what the command line adds to it. */
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ScriptSource } from "../packetdrill/run/run";

export interface ScriptWishes {
  readonly defines: readonly (readonly [symbol: string, value: string])[];
  /** Undefined: as the script looks. */
  readonly isStrict: boolean | undefined;
}

export function scriptSource(file: string, { defines, isStrict }: ScriptWishes): ScriptSource {
  return {
    file,
    text: readFileSync(file, "utf8"),
    defines,
    isStrict,
    readFile(path) {
      const beside = resolve(dirname(file), path);
      const isFile = statSync(beside, { throwIfNoEntry: false })?.isFile() === true;
      return isFile ? readFileSync(beside, "utf8") : undefined;
    },
  };
}
