/** What the package offers: the entry points of package.json and where each of them can run. */
import manifest from "../package.json";

/** Entry points that need no device: they are bundled for browsers and Node.js as well. */
const portable: readonly string[] = ["./pcapng", "./sim"];

/** Where bundles and declarations lie in the package: as deep as src/wasm, see load-module.ts. */
export const moduleFolder = "build/module";

export interface PackageEntry {
  /** As in `exports`: `"."`, `"./sim"`. */
  readonly subpath: string;
  /** Names its bundle and its declarations: `"index"`, `"sim"`. */
  readonly name: string;
  /** TypeScript, from the root; what Bun runs. */
  readonly source: string;
  readonly isPortable: boolean;
}

export const entries: readonly PackageEntry[] = Object.entries<string>(manifest.exports).map(
  ([subpath, source]) => ({
    subpath,
    name: subpath === "." ? "index" : subpath.slice(2).replaceAll("/", "-"),
    source,
    isPortable: portable.includes(subpath),
  }),
);
