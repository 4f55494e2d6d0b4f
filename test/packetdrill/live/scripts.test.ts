/** The scripts whose behaviour Linux shares, by their line `// live`: this machine's kernel vouches. */
import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunResult } from "../../../src/packetdrill/run/report";
import { obstacle } from "../../shims/own-network";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folders = ["test/packetdrill/scripts", "test/packetdrill/live/scripts"];
const MARKER = /^\/\/ live$/m;
const MARKER_LINES = 10;
const TIMEOUT_MS = 120_000;

function isLive(path: string): boolean {
  const lines = readFileSync(root + path, "utf8").split("\n", MARKER_LINES);
  return MARKER.test(lines.join("\n"));
}

const files = folders
  .flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: "utf8" }).map((file) =>
      join(folder, file),
    ),
  )
  .filter((path) => path.endsWith(".pkt") && isLive(path))
  .sort();

type Outcome = Pick<RunResult, "file" | "status" | "message">;

async function runLive(paths: readonly string[]): Promise<Map<string, Outcome>> {
  if (paths.length === 0) return new Map();
  const cli = join(root, "src/cli/demibun.ts");
  const child = Bun.spawn([process.execPath, cli, "packetdrill", "--live", "--json", ...paths], {
    cwd: root,
    stdout: "pipe",
    stderr: "inherit",
    timeout: TIMEOUT_MS,
  });
  const results: Outcome[] = JSON.parse(await new Response(child.stdout).text());
  return new Map(results.map((result) => [result.file, result]));
}

test("there are scripts for the kernel", () => {
  expect(files.length).toBeGreaterThan(8);
});

if (obstacle !== undefined) {
  test.skip(`scripts against the kernel (cannot run: ${obstacle})`, () => {});
} else {
  describe("the kernel passes", () => {
    let results: Map<string, Outcome>;

    beforeAll(async () => {
      results = await runLive(files);
      // A machine under load may be late once; what is wrong is wrong twice.
      const failed = files.filter((file) => results.get(file)?.status !== "passed");
      for (const [file, result] of await runLive(failed)) results.set(file, result);
    }, 2 * TIMEOUT_MS);

    for (const file of files) {
      test(file, () => {
        const result = results.get(file);
        expect(result?.message).toBeUndefined();
        expect(result?.status).toBe("passed");
      });
    }
  });
}
