/**
 * bun build/package.ts [FOLDER]: the npm package, in build/package unless told. Bun runs its
 * TypeScript sources; browsers and Node.js get bundles of the entry points that need no device.
 */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import manifest from "../package.json";
import { stop, writeWhole } from "./output";
import { entries } from "./package-entries";
import { packageManifest } from "./package-manifest";
import { bundleModules, reachableSources } from "./package-modules";
import { bundleTypes } from "./package-types";
import { buildWasm } from "./wasm";

/** What no import names. */
const others = ["build/wasm/stack.wasm", "config", "CHANGELOG.md", "LICENSE", "README.md"] as const;

/** Bundled when a report is written, so that no import leads to it. */
const reportPage = "src/sim/report/page/main.ts";

const target = resolve(process.argv[2] ?? "build/package");
process.chdir(new URL("..", import.meta.url).pathname);

/** Refuses to replace a folder that is not an earlier output of this program. */
function assertReplaceable(): void {
  if (!existsSync(target) || existsSync(`${target}/build/module`)) return;
  if (statSync(target).isDirectory() && new Bun.Glob("*").scanSync({ cwd: target }).next().done)
    return;
  stop(`package: ${target} exists and is not a package made here; remove it first`);
}

async function build(folder: string): Promise<void> {
  const starts = [
    ...entries.map(({ source }) => source),
    ...Object.values(manifest.bin),
    reportPage,
  ];
  const { files, packages } = await reachableSources(starts);
  for (const path of [...files, ...others]) {
    if (path === "package.json") continue;
    mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
    cpSync(path, `${folder}/${path}`, { recursive: true });
  }
  writeWhole(
    `${folder}/package.json`,
    `${JSON.stringify(packageManifest(entries, packages), undefined, 2)}\n`,
  );
  await bundleModules(
    entries.filter(({ isPortable }) => isPortable),
    folder,
  );
  await bundleTypes(entries, folder);
}

assertReplaceable();
const started = performance.now();
await buildWasm("stack", ["assembly/index.ts"], { force: false, quick: false });
const beside = `${target}.${process.pid}`;
process.on("exit", () => rmSync(beside, { recursive: true, force: true }));
await build(beside);
rmSync(target, { recursive: true, force: true });
renameSync(beside, target);
console.log(
  `${target}: ${manifest.name} ${manifest.version}, ${(performance.now() - started).toFixed(0)} ms`,
);
