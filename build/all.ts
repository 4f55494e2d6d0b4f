/**
 * bun build/all.ts [--force]: the command, the C header of the layout, both WASM
 * modules, the native shims.
 */
import { linkCommand } from "./command";
import { writeLayoutHeader } from "./layout-header";
import { buildNative } from "./native";
import { buildWasm } from "./wasm";

const force = process.argv.includes("--force");
process.chdir(new URL("..", import.meta.url).pathname);

linkCommand();
await writeLayoutHeader();
await buildWasm("stack", ["assembly/index.ts"], force);
await buildWasm("probe", ["assembly/index.ts", "assembly/probe.ts"], force);
await buildNative(force);
