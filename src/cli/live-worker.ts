/**
 * The process in which scripts run against the machine's kernel: one at a time, each in a network of
 * its own. It takes a file's name a line and answers with the result as a line of JSON.
 */
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { runScript } from "../packetdrill/run/run";
import { LiveTarget } from "../packetdrill/targets/live";
import { encodeResult } from "./live-result";
import { type ScriptWishes, scriptSource } from "./script-source";

/** Works until nobody asks any more. Throws DemibunError where this user may not do it. */
export async function serveScripts(wishes: ScriptWishes): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const file of lines) {
      const source = scriptSource(file, wishes);
      const result = await runScript(source, (options) => new LiveTarget(options, dirname(file)));
      process.stdout.write(`${encodeResult(result)}\n`);
    }
  } finally {
    // An open input would keep a process alive that has nothing to do any more.
    process.stdin.destroy();
  }
}
