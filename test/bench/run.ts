/** bun run bench [--only PREFIX] [--json FILE] [--brief]: the benchmarks, as a table and as JSON. */
import { parseArgs } from "node:util";
import { benchmarks } from "./benchmarks";
import { type Figure, table } from "./figure";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    json: { type: "string" },
    brief: { type: "boolean", default: false },
  },
});

const wanted = (name: string) => name.startsWith(values.only);
const figures: Figure[] = [];
const failures: string[] = [];
const chosen = benchmarks.filter(({ names }) => names.some(wanted));
for (const benchmark of chosen) {
  const obstacle = benchmark.obstacle?.();
  if (obstacle !== undefined) {
    console.error(`${benchmark.names.join(", ")}: left out, ${obstacle}`);
    continue;
  }
  try {
    figures.push(...(await benchmark.run(values)).filter(({ name }) => wanted(name)));
  } catch (error) {
    failures.push(
      `${benchmark.names.join(", ")}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

if (figures.length > 0) console.log(table(figures));
if (values.json !== undefined) {
  await Bun.write(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
}
for (const failure of failures) console.error(failure);
if (chosen.length === 0) {
  console.error(`no benchmark begins with ${JSON.stringify(values.only)}`);
}
process.exit(failures.length === 0 && figures.length > 0 ? 0 : 1);
