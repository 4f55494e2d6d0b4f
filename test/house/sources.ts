/** The repository's own files, as the house rules look at them. */
import { readFileSync } from "node:fs";

export const root = new URL("../../", import.meta.url).pathname;

const folders = "{assembly,src,shims,build,test,examples}";

/** Paths from the root of every file that git would keep: outputs and packages are left out. */
export function sourceFiles(extensions: string): string[] {
  return [...new Bun.Glob(`${folders}/**/*.{${extensions}}`).scanSync({ cwd: root })]
    .filter(
      (path) =>
        !/^build\/(wasm|native|package[.\d]*)\/|^shims\/include\/|\/node_modules\//.test(path),
    )
    .sort();
}

export function read(path: string): string {
  return readFileSync(root + path, "utf8");
}

/** Modules that a file names in `import` and `export … from`, types included. */
export function importsOf(path: string): string[] {
  const pattern =
    /^(?:import|export)\b[^;"'()=]*\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...read(path).matchAll(pattern)].map(
    (match) => (match[1] ?? match[2] ?? match[3]) as string,
  );
}

/** A relative import as a path from the root, without extension; undefined for a package. */
export function target(path: string, imported: string): string | undefined {
  if (!imported.startsWith(".")) return undefined;
  return new URL(imported, `file:///${path}`).pathname.slice(1).replace(/\.(ts|js)$/, "");
}
