/**
 * The process in which scripts run against the machine's kernel: one at a time, each in a network of
 * its own. It takes a file's name a line and answers with the result as a line of JSON.
 */
import { createInterface } from "node:readline";
import { runScript } from "../packetdrill/run/run";
import { LiveTarget } from "../packetdrill/targets/live";
import { encodeResult } from "./live-result";
import { type ScriptWishes, scriptSource } from "./script-source";

/** Works until nobody asks any more. Throws DemibunError where this user may not do it. */
export async function serveScripts(wishes: ScriptWishes): Promise<void> {
  for await (const file of createInterface({ input: process.stdin })) {
    const result = await runScript(
      scriptSource(file, wishes),
      (options) => new LiveTarget(options),
    );
    process.stdout.write(`${encodeResult(result)}\n`);
  }
}
