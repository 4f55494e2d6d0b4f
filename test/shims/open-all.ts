/**
 * Opens every backend on the interface that the first argument names and prints how that went; with
 * a second argument attaches the first that opens and holds it until it is killed.
 */
import { backends } from "../../shims/registry";
import { DemibunError } from "../../src/errors";
import { ownAddress } from "./frames";
import { Stack } from "./stack";

const [name = "", hold] = process.argv.slice(2);
for (const definition of backends) {
  const interfaceName = definition.name === "tap" ? "tap9" : name;
  try {
    using backend = definition.open({ interfaceName, address: ownAddress });
    if (hold !== undefined) new Stack(backend).post();
    console.log(definition.name, "opens");
    if (hold !== undefined) await Bun.sleep(30_000);
  } catch (error) {
    if (!(error instanceof DemibunError)) throw error;
    console.log(definition.name, error.code, error.hint);
  }
}
