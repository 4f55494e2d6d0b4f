/**
 * A process of a swarm: takes a seed a line and answers each with the result as a line of JSON, until
 * its input ends.
 */
import { createInterface } from "node:readline";
import { drawScenario } from "../sim/swarm/draw";
import { executeScenario } from "../sim/swarm/swarm";

export async function serveSeeds(module: WebAssembly.Module, isTwice: boolean): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const result = await executeScenario(module, drawScenario(Number(line)), { isTwice });
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}
