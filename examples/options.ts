/** Command line and shutdown that the examples share. */
import { parseArgs } from "node:util";
import { DemibunError, type Demikernel } from "../src/index";

export interface ExampleOptions {
  readonly port: number;
  readonly stats: boolean;
}

/** A mistake of configuration or permission is told in its own words, without this program's lines. */
function report(error: unknown): never {
  console.error(error instanceof DemibunError ? error.message : error);
  process.exit(1);
}

/** Reads `--port N` and `--stats`; ends the process with usage on a mistake. */
export function readOptions(name: string, defaultPort: number): ExampleOptions {
  process.on("uncaughtException", report);
  process.on("unhandledRejection", report);
  try {
    const { values } = parseArgs({
      options: { port: { type: "string" }, stats: { type: "boolean", default: false } },
    });
    const port = values.port === undefined ? defaultPort : Number(values.port);
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error("no such port");
    return { port, stats: values.stats };
  } catch (error) {
    console.error(
      `${(error as Error).message}\nusage: bun examples/${name}.ts [--port N] [--stats]`,
    );
    process.exit(2);
  }
}

/** Resolves at SIGINT or SIGTERM. */
export function stopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}

/** With `--stats`: the counters as one line of JSON on standard error. */
export function printStatistics(demikernel: Demikernel, { stats }: ExampleOptions): void {
  if (!stats) return;
  console.error(JSON.stringify({ ...demikernel.stats, device: demikernel.deviceStats }));
}
