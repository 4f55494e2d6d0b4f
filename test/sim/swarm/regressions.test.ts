/** Scenarios that once failed, kept as data: what a seed draws changes with the drawing. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { runScenario } from "../../../src/sim/swarm/run";
import type { Scenario } from "../../../src/sim/swarm/scenario";
import { stackModule } from "../../../src/wasm/module";

const folder = new URL("regressions/", import.meta.url).pathname;
const files = [...new Bun.Glob("*.json").scanSync({ cwd: folder })].sort();

test.each(files)("%s", async (file) => {
  const scenario = JSON.parse(readFileSync(folder + file, "utf8")) as Scenario;
  const { failure, verdict } = await runScenario(stackModule(), scenario);
  expect(failure).toBeUndefined();
  expect(verdict).toBe("passed");
});
