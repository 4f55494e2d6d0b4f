/** The package as its users have it: built, packed by npm and installed into an empty folder. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../src/lab/command";

export const root = new URL("../../", import.meta.url).pathname;
const TIMEOUT_MS = 120_000;

/** Runs `run` of a program in the folder and prints what it returned. */
const runner = `const { run } = await import(\`./\${process.argv[2]}.js\`);
console.log(JSON.stringify(await run()));
`;

export interface Installed extends Disposable {
  /** Holds `node_modules/demibun`, the programs as JavaScript and `runner.js`. */
  readonly folder: string;
}

/**
 * Builds and installs the package; `programs` are files beside this one, without `.ts`, that import
 * it by name.
 */
export async function installPackage(programs: readonly string[]): Promise<Installed> {
  const folder = mkdtempSync(join(tmpdir(), "demibun-package-"));
  const installed = {
    folder,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
  try {
    const built = join(folder, "built");
    await run(process.execPath, join(root, "build/package.ts"), built);
    const [{ filename }] = JSON.parse(
      await run("npm", "pack", built, "--json", "--pack-destination", folder),
    );
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    const quietly = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
    await run("npm", "install", "--prefix", folder, ...quietly, join(folder, filename));
    writeFileSync(join(folder, "runner.js"), runner);
    const transpiler = new Bun.Transpiler({ loader: "ts" });
    for (const program of programs) {
      const source = await Bun.file(join(root, "test/package", `${program}.ts`)).text();
      writeFileSync(join(folder, `${program}.js`), transpiler.transformSync(source));
      writeFileSync(join(folder, `${program}.ts`), source);
    }
    return installed;
  } catch (error) {
    installed[Symbol.dispose]();
    throw error;
  }
}

function run(...command: readonly string[]): Promise<string> {
  return runCommand(command, { timeoutMs: TIMEOUT_MS });
}
