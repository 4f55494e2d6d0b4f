/** A bug of each invariant's kind is caught by the swarm, and the command it prints catches it again. */
import { describe, expect, test } from "bun:test";
import { root } from "../../house/sources";
import { plantedBugs } from "./bugs";
import { plantedModule } from "./build";

interface Outcome {
  readonly code: number;
  readonly words: string;
}

async function run(command: readonly string[]): Promise<Outcome> {
  const child = Bun.spawn([...command], { cwd: root, stdout: "pipe", stderr: "pipe" });
  const [words, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, words: words + errors };
}

/** The command line of a report. */
function replayOf(words: string): string[] {
  const line = /^ *again +bunx (.+)$/m.exec(words)?.[1];
  if (line === undefined) throw new Error(`no command that runs it again in:\n${words}`);
  return ["node_modules/.bin/bunx", ...line.split(" ")];
}

test("the bugs are of at least twelve kinds, no two alike", () => {
  const kinds = new Set(plantedBugs.map(({ invariant }) => invariant));
  expect(kinds.size).toBe(plantedBugs.length);
  expect(kinds.size).toBeGreaterThanOrEqual(12);
});

describe.each(plantedBugs.map((bug) => [bug.invariant, bug] as const))("%s", (invariant, bug) => {
  test(bug.about, async () => {
    const module = await plantedModule(bug);
    const out = `build/sim/planted-${invariant}`;
    const command = [process.execPath, "src/cli/demibun.ts", "sim", "--module", module];
    const swarm = await run([...command, "--runs", "40", "--no-shrink", "--out", out]);
    expect(swarm.words).toContain(`invariant     ${invariant}\n`);
    expect(swarm.code).toBe(1);
    const again = await run([...replayOf(swarm.words), "--no-shrink", "--out", out]);
    expect(again.words).toContain(`invariant     ${invariant}\n`);
    expect(again.code).toBe(1);
  });
});
