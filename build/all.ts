/**
 * bun build/all.ts [--force] [--quick]: the command, the C header of the layout, both WASM
 * modules, the native shims.
 */
import { linkCommand } from "./command";
import { writeLayoutHeader } from "./layout-header";
import { buildNative } from "./native";
import { buildWasm } from "./wasm";

const force = process.argv.includes("--force");
const quick = process.argv.includes("--quick");
process.chdir(new URL("..", import.meta.url).pathname);

linkCommand();
await writeLayoutHeader();
await buildWasm("stack", ["assembly/index.ts"], { force, quick });
await buildWasm("probe", ["assembly/index.ts", "assembly/probe.ts"], { force, quick });
await buildNative(force);
