/**
 * The compiled module where reading files may not be possible: from its file in Bun and Node.js, from
 * its URL in a browser. This is the only file that knows where the build put it; bundles lie as deep
 * in the package as this file does, so its place holds for them too.
 */
import { ERRNO_ENOENT } from "../../assembly/layout";
import { DemibunError } from "../errors";

export const stackLocation = new URL("../../build/wasm/stack.wasm", import.meta.url);
let loaded: Promise<WebAssembly.Module> | undefined;

/**
 * Compiles the stack, once a process for its usual place. `location` is where a program serves
 * stack.wasm when it moved it away from the package. Rejects with ENOENT when it cannot be read.
 */
export function loadStackModule(location: URL = stackLocation): Promise<WebAssembly.Module> {
  if (location !== stackLocation) return compile(location);
  loaded ??= compile(stackLocation).catch((cause: unknown) => {
    loaded = undefined;
    throw cause;
  });
  return loaded;
}

async function compile(location: URL): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(await moduleBytes(location));
  } catch (cause) {
    throw new DemibunError({
      operation: "open",
      errno: ERRNO_ENOENT,
      detail: `the WebAssembly module cannot be loaded from ${location.href}`,
      hint: "run: bun run build; in a browser serve stack.wasm there or pass its URL",
      cause,
    });
  }
}

/** Asks the runtime for `node:fs` instead of importing it: no bundler has to know of it. */
async function moduleBytes(location: URL): Promise<BufferSource> {
  const files =
    location.protocol === "file:" && typeof process === "object"
      ? process.getBuiltinModule("node:fs/promises")
      : undefined;
  if (files !== undefined) return new Uint8Array(await files.readFile(location));
  const response = await fetch(location);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.arrayBuffer();
}
