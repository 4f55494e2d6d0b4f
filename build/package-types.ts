/** The package's declarations: one file an entry, what entries share in files of its own. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";
import { stop } from "./output";
import { moduleFolder, type PackageEntry } from "./package-entries";

/** AssemblyScript's names of numbers, which the declarations of the shared layout use. */
const numbers = "src/assembly.d.ts";
const layout = resolve(import.meta.dir, "../assembly/layout.ts");

/** Writes the declarations of every entry into `folder`. */
export async function bundleTypes(entries: readonly PackageEntry[], folder: string): Promise<void> {
  const bundle = await rollup({
    input: Object.fromEntries(entries.map(({ name, source }) => [name, source])),
    // The check of the repository has found every mistake already.
    plugins: [dts({ tsconfig: "tsconfig.json", compilerOptions: { noCheck: true } })],
    onLog: (level, { code, message }) => {
      if (level === "warn" && code === "UNRESOLVED_IMPORT") stop(`package: ${message}`);
    },
  });
  await bundle.write({
    dir: `${folder}/${moduleFolder}`,
    format: "es",
    entryFileNames: "[name].d.ts",
    chunkFileNames: "chunk-[hash].d.ts",
    banner: ({ moduleIds }) => (moduleIds.includes(layout) ? readFileSync(numbers, "utf8") : ""),
  });
  await bundle.close();
}
