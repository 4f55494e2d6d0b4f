/** Lets `bunx demibun` find the command of this checkout, as it finds an installed package's. */
import { existsSync, lstatSync, rmSync, symlinkSync } from "node:fs";

const folder = "node_modules/.bin";
const link = `${folder}/demibun`;

export function linkCommand(): void {
  if (!existsSync(folder) || existsSync(link)) return;
  // A link that leads nowhere is in the way.
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link);
  symlinkSync("../../src/cli/demibun.ts", link);
}
