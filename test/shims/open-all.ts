/** Opens every backend on the interface that the first argument names and prints how that went. */
import { backends } from "../../shims/registry";
import { DemibunError } from "../../src/errors";
import { ownAddress } from "./frames";

const [name = ""] = process.argv.slice(2);
for (const definition of backends) {
  const interfaceName = definition.name === "tap" ? "tap9" : name;
  try {
    using _backend = definition.open({ interfaceName, address: ownAddress });
    console.log(definition.name, "opens");
  } catch (error) {
    if (!(error instanceof DemibunError)) throw error;
    console.log(definition.name, error.code, error.hint);
  }
}
