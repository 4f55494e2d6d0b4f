/** The package's own package.json: ours without what only its making needs. */
import manifest from "../package.json";
import { stop } from "./output";
import { moduleFolder, type PackageEntry } from "./package-entries";

/** Conditions in the order in which a runtime or a compiler tries them. */
function conditions({ name, source, isPortable }: PackageEntry): Record<string, string> {
  return {
    types: `./${moduleFolder}/${name}.d.ts`,
    bun: source,
    ...(isPortable ? { default: `./${moduleFolder}/${name}.js` } : {}),
  };
}

/** `packages` are those that the sources import; their versions are the ones we test with. */
export function packageManifest(
  entries: readonly PackageEntry[],
  packages: readonly string[],
): object {
  const { name, version, description, license, type, bin, engines, dependencies } = manifest;
  const versions: Readonly<Record<string, string>> = dependencies;
  return {
    name,
    version,
    description,
    license,
    type,
    sideEffects: false,
    bin,
    exports: {
      ...Object.fromEntries(entries.map((entry) => [entry.subpath, conditions(entry)])),
      "./stack.wasm": "./build/wasm/stack.wasm",
      "./package.json": "./package.json",
    },
    engines,
    dependencies: Object.fromEntries(
      packages.map((name) => [
        name,
        versions[name] ??
          stop(`package: ${name} is imported but not in package.json's dependencies`),
      ]),
    ),
  };
}
