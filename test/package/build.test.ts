/** What the package's build refuses. */
import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryCommand } from "../../src/lab/command";
import { root } from "./installed";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "demibun-build-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("an entry that reads files is not bundled for browsers", () =>
  inFolder(async (folder) => {
    const entry = { subpath: "./bad", name: "bad", source: "src/wasm/module.ts", isPortable: true };
    const program = join(folder, "bundle.ts");
    writeFileSync(
      program,
      `import { bundleModules } from ${JSON.stringify(join(root, "build/package-modules.ts"))};
      process.chdir(${JSON.stringify(root)});
      await bundleModules([${JSON.stringify(entry)}], ${JSON.stringify(join(folder, "out"))});`,
    );
    const { exitCode, stderr } = await tryCommand([process.execPath, program]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("src/wasm/module.ts imports node:fs");
    expect(readdirSync(folder)).toEqual(["bundle.ts"]);
  }));

test("a folder that holds something else is left alone", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "letter.txt"), "dear reader");
    const command = [process.execPath, join(root, "build/package.ts"), folder];
    const { exitCode, stderr } = await tryCommand(command);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("remove it first");
    expect(readdirSync(folder)).toEqual(["letter.txt"]);
  }));
