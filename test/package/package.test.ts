/** The built package works where it says it does, and a run is the same run in every engine. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { entries } from "../../build/package-entries";
import { runCommand } from "../../src/lab/command";
import type { CaptureResult } from "./capture";
import { obstacle, runInChromium } from "./chromium";
import { type Installed, installPackage, root } from "./installed";
import type { TransferResult } from "./transfer";

const TIMEOUT_MS = 300_000;
const programs = ["transfer", "capture"] as const;
let installed: Installed;

beforeAll(async () => {
  installed = await installPackage(programs);
}, TIMEOUT_MS);
afterAll(() => (installed as Installed | undefined)?.[Symbol.dispose]());

async function runBy(engine: string, program: string): Promise<unknown> {
  const command = [engine, join(installed.folder, "runner.js"), program];
  return JSON.parse(await runCommand(command, { timeoutMs: 60_000 }));
}

const engines = {
  "Node.js": (program: string) => runBy("node", program),
  Bun: (program: string) => runBy(process.execPath, program),
  Chromium: (program: string) => runInChromium(installed.folder, program),
};
const missing = obstacle === undefined ? undefined : `Chromium (cannot run: ${obstacle})`;

describe("an engine", () => {
  const runs = new Map<string, TransferResult>();

  for (const [name, run] of Object.entries(engines)) {
    const cannotRun = name === "Chromium" && missing !== undefined;
    test.skipIf(cannotRun)(
      `${cannotRun ? missing : name} simulates a transfer`,
      async () => {
        const result = (await run("transfer")) as TransferResult;
        expect(result.bytes).toBe(1_000_000);
        expect(result.received).toBe(result.sent);
        runs.set(name, result);
      },
      TIMEOUT_MS,
    );

    test.skipIf(cannotRun)(
      `${cannotRun ? missing : name} writes and reads captures`,
      async () => {
        const { length, read } = (await run("capture")) as CaptureResult;
        expect(length).toBeGreaterThan(4 * 60);
        expect(read).toEqual([60, 61, 62, 63].map((size) => `packet ${size}: ${size} of ${size}`));
      },
      TIMEOUT_MS,
    );
  }

  test("runs as every other does", () => {
    expect(runs.size).toBeGreaterThan(1);
    expect(new Set([...runs.values()].map((result) => JSON.stringify(result))).size).toBe(1);
  });
});

test(
  "declarations stand by themselves, with TypeScript's strictest looks",
  async () => {
    const { folder } = installed;
    const all = entries.map(({ subpath }, index) => {
      const specifier = `demibun${subpath.slice(1)}`;
      return `import * as entry${index} from "${specifier}";\nexport { entry${index} };`;
    });
    writeFileSync(join(folder, "all.ts"), all.join("\n"));
    const compilerOptions = {
      ...{ strict: true, noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true },
      ...{ module: "nodenext", target: "esnext", lib: ["esnext", "dom"], types: [] },
    };
    const files = ["all.ts", ...programs.map((program) => `${program}.ts`)];
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    await runCommand(["node", tsc, "-p", folder, "--pretty", "false"], { timeoutMs: 60_000 });
  },
  TIMEOUT_MS,
);

test("Bun runs every entry and the command from the package's sources", async () => {
  const { folder } = installed;
  const names = entries.map(({ subpath }) => `demibun${subpath.slice(1)}`);
  writeFileSync(
    join(folder, "all.js"),
    `for (const name of ${JSON.stringify(names)}) {
      if (!import.meta.resolve(name).endsWith(".ts")) throw new Error(name);
      console.log(name, Object.keys(await import(name)).length > 0);
    }`,
  );
  expect(await runCommand([process.execPath, join(folder, "all.js")])).toBe(
    names.map((name) => `${name} true\n`).join(""),
  );
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const command = join(folder, "node_modules/.bin/demibun");
  expect(await runCommand([process.execPath, command, "--version"])).toContain(version);
});

test("a device asked for outside Bun is refused with advice", async () => {
  const { folder } = installed;
  writeFileSync(
    join(folder, "open.js"),
    `import { loadStackModule, Simulation } from "demibun/sim";
    const sim = new Simulation({ seed: 1, module: await loadStackModule() });
    const { demikernel } = sim.host("host", { address: "10.0.0.1/24" });
    await demikernel.constructor.open().catch(({ code, hint }) => console.log(code, hint));`,
  );
  const told = await runCommand(["node", join(folder, "open.js")]);
  expect(told).toStartWith("ENOSYS ");
  expect(told).toContain("bun");
});

test("the package holds what its manifest names", () => {
  const place = join(installed.folder, "node_modules/demibun");
  const { exports, bin } = JSON.parse(readFileSync(join(place, "package.json"), "utf8"));
  const named = [
    ...Object.values<string | Record<string, string>>(exports).flatMap((target) =>
      typeof target === "string" ? [target] : Object.values(target),
    ),
    ...Object.values<string>(bin),
  ];
  expect(named.length).toBeGreaterThan(6);
  expect(named.filter((path) => !existsSync(join(place, path)))).toEqual([]);
  expect(existsSync(join(place, "LICENSE"))).toBe(true);
});
