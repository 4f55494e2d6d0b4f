/** The compiled module, once a process and without waiting: for hosts that read files. */
import { readFileSync } from "node:fs";
import { ERRNO_ENOENT } from "../../assembly/layout";
import { DemibunError } from "../errors";
import { stackLocation } from "./load-module";

let compiled: WebAssembly.Module | undefined;

function moduleBytes(): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(stackLocation));
  } catch (cause) {
    throw new DemibunError({
      operation: "open",
      errno: ERRNO_ENOENT,
      detail: "the WebAssembly module has not been built",
      hint: "run: bun run build",
      cause,
    });
  }
}

/** Compiles build/wasm/stack.wasm at the first call. Throws ENOENT when it was never built. */
export function stackModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(moduleBytes());
  return compiled;
}
