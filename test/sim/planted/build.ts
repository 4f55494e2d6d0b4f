/** Compiles the stack with a bug planted in it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import asc from "assemblyscript/asc";
import { root } from "../../house/sources";
import type { Edit, PlantedBug } from "./bugs";

function edited(file: string, text: string, bug: PlantedBug, done: Set<Edit>): string {
  let changed = text;
  for (const edit of bug.edits) {
    if (edit.file !== file) continue;
    if (changed.split(edit.find).length !== 2) {
      throw new Error(`assembly/${file} does not hold exactly once: ${edit.find}`);
    }
    changed = changed.replace(edit.find, () => edit.replace);
    done.add(edit);
  }
  return changed;
}

/** Path of the module; compiled without the optimiser, which takes two seconds. */
export async function plantedModule(bug: PlantedBug): Promise<string> {
  const path = `${root}build/sim/planted-${bug.invariant}.wasm`;
  const done = new Set<Edit>();
  const { error, stderr } = await asc.main(
    ["assembly/index.ts", "--target", "stack", "--outFile", path, "-O1", "--noAssert"],
    {
      readFile(name, base) {
        const at = `${base === "." ? root : `${base}/`}${name}`;
        const path = existsSync(`${root}${name}`) ? `${root}${name}` : at;
        if (!existsSync(path)) return null;
        const text = readFileSync(path, "utf8");
        const file = /^(?:\.\/)?assembly\/(.*)$/.exec(name)?.[1];
        return file === undefined ? text : edited(file, text, bug, done);
      },
      writeFile(name, contents) {
        if (name !== path && !name.endsWith(".wasm")) return;
        mkdirSync(`${root}build/sim`, { recursive: true });
        writeFileSync(path, contents);
      },
    },
  );
  if (error) throw new Error(`planting ${bug.invariant}: ${error.message}\n${stderr}`);
  for (const edit of bug.edits) {
    if (!done.has(edit)) throw new Error(`assembly/${edit.file} is not part of the stack`);
  }
  return path;
}
