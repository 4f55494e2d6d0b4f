/** `demibun config`: checks a file, prints the schema. */
import { loadConfig } from "../config/load";
import { jsonSchemaText } from "../config/schema";
import { nearest } from "../nearest";
import { type Command, exitUsage } from "./command";

const usage = [
  ["config check FILE", "check a configuration and print what it resolves to"],
  ["config schema", "print the JSON schema of configuration files"],
] as const;

function refuse(message: string): number {
  console.error(`demibun config: ${message}`);
  for (const [form] of usage) console.error(`  hint: demibun ${form}`);
  return exitUsage;
}

export const configCommand: Command = {
  name: "config",
  usage,
  async run([action, file, ...more]) {
    if (action === "schema" && file === undefined) {
      process.stdout.write(jsonSchemaText());
      return 0;
    }
    if (action === "check") {
      if (file === undefined || more.length > 0) return refuse("check takes one file");
      const config = loadConfig(file);
      console.log(JSON.stringify(config, undefined, 2));
      return 0;
    }
    if (action === undefined) return refuse("say what to do");
    const meant = nearest(action, ["check", "schema"]);
    return refuse(
      `no action "${action}"${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
    );
  },
};
