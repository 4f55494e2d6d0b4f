/** bun run check: format, types, lint, unused code and the house rules; says which one fails. */
import { existsSync } from "node:fs";

process.chdir(new URL("..", import.meta.url).pathname);
// The types of the WASM exports are build output, so a clean clone builds before it checks.
const steps: readonly (readonly [name: string, ...command: string[]])[] = [
  ["build", "bun", "build/all.ts"],
  ["format", "bun", "fmt", "--check", "--no-script"],
  ["types", "bun", "check", "--no-script", "--no-pretty"],
  ["types of assembly", "bun", "check", "--no-script", "--no-pretty", "-p", "assembly"],
  ["lint", "biome", "lint", "--error-on-warnings"],
  ["unused code", "knip", "--no-progress"],
  ["house rules", "bun", "test", "./test/house"],
];

/** Runs one step; its output is shown only when it fails. */
function passes(name: string, command: string[]): boolean {
  const started = performance.now();
  const [program, ...rest] = command as [string, ...string[]];
  const own = `node_modules/.bin/${program}`;
  const { success, stdout, stderr } = Bun.spawnSync([existsSync(own) ? own : program, ...rest], {
    stderr: "pipe",
    timeout: 300_000,
  });
  const took = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${success ? "ok  " : "FAIL"} ${name} (${took} s)`);
  if (!success) console.log(stdout.toString() + stderr.toString());
  return success;
}

const failed = steps.filter(([name, ...command]) => !passes(name, command));
if (failed.length > 0) {
  console.log(`check: ${failed.map(([name]) => name).join(", ")} failed`);
  process.exit(1);
}
console.log("check: clean");
