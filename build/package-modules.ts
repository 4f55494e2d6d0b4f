/** The package's JavaScript: which sources Bun runs, and bundles for everybody else. */
import { isBuiltin } from "node:module";
import { resolve } from "node:path";
import { moduleFolder, type PackageEntry } from "./package-entries";
import { stop } from "./output";

/** Sources that need devices, and what stands in for them where there are none. */
const standIns: Readonly<Record<string, string>> = {
  "src/pdpix/open.ts": "build/no-devices.ts",
};

/** Refuses what a browser has not, with the file that wants it. */
const portability: Bun.BunPlugin = {
  name: "portability",
  setup(build) {
    build.onResolve({ filter: /^(node|bun)(:|$)/ }, ({ path, importer }) =>
      stop(`package: ${importer} imports ${path}, so the bundle would not run in a browser`),
    );
    const replaced = new Map(
      Object.entries(standIns).map(([from, to]) => [resolve(from), resolve(to)]),
    );
    build.onResolve({ filter: /^\./ }, ({ path, importer }) => {
      const standIn = replaced.get(resolve(importer, "..", `${path}.ts`));
      return standIn === undefined ? undefined : { path: standIn };
    });
  },
};

/** Bundles the portable entries into `folder`; what they share becomes chunks of its own. */
export async function bundleModules(
  entries: readonly PackageEntry[],
  folder: string,
): Promise<void> {
  const { success, logs } = await Bun.build({
    entrypoints: entries.map(({ name }) => resolve(`${name}.ts`)),
    // Bundles are called as their subpath, not as their source, which often is an index.ts.
    files: Object.fromEntries(
      entries.map(({ name, source }) => [
        resolve(`${name}.ts`),
        `export * from ${JSON.stringify(resolve(source))};`,
      ]),
    ),
    outdir: `${folder}/${moduleFolder}`,
    naming: { entry: "[name].js", chunk: "chunk-[hash].js" },
    target: "browser",
    format: "esm",
    splitting: true,
    modulePreload: false,
    plugins: [portability],
    throw: false,
  });
  if (!success) stop(`${logs.join("\n")}\npackage: the bundles could not be built`);
}

export interface Sources {
  /** Files that Bun reads when it runs the entries, from the root. */
  readonly files: readonly string[];
  /** Packages that those files import. */
  readonly packages: readonly string[];
}

/** Follows the imports of `starts`, dynamic ones included. */
export async function reachableSources(starts: readonly string[]): Promise<Sources> {
  const { metafile, success, logs } = await Bun.build({
    entrypoints: starts.map((path) => resolve(path)),
    target: "bun",
    packages: "external",
    metafile: true,
    throw: false,
  });
  if (!success || metafile === undefined) stop(`${logs.join("\n")}\npackage: imports are broken`);
  const packages = new Set<string>();
  for (const { imports } of Object.values(metafile.inputs)) {
    for (const { path, external } of imports) {
      if (external && !isBuiltin(path)) packages.add(packageOf(path));
    }
  }
  return { files: Object.keys(metafile.inputs).sort(), packages: [...packages].sort() };
}

/** `"@scope/name/file"` → `"@scope/name"`. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
