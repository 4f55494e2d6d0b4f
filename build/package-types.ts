/** The package's declarations: one file an entry, what entries share in files of its own. */
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";
import { stop } from "./output";
import { moduleFolder, type PackageEntry } from "./package-entries";

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
  });
  await bundle.close();
}
