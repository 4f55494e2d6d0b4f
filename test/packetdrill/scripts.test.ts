/** Every script, against the stack in virtual time; afterwards nothing is out of any pool. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runScript } from "../../src/packetdrill/run/run";
import { StackTarget } from "../../src/packetdrill/targets/stack";
import { profileIn } from "../../src/packetdrill/targets/stack-profiles";
import { stackModule } from "../../src/wasm/module";

const directory = fileURLToPath(new URL("scripts/", import.meta.url));
const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".pkt"))
  .sort();

test("there are scripts", () => {
  expect(files.length).toBeGreaterThan(5);
});

for (const file of files) {
  test(file, async () => {
    const text = readFileSync(`${directory}${file}`, "utf8");
    const profile = profileIn(text) ?? "linux";
    let target: StackTarget | undefined;
    const result = await runScript({ file, text }, (options) => {
      target = new StackTarget(stackModule(), profile, options);
      return target;
    });
    expect(result.message).toBeUndefined();
    expect(result.status).toBe("passed");
    expect(target?.leftovers).toEqual([]);
  });
}
