import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { loadConfig } from "../../src/config/load";
import { jsonSchemaText } from "../../src/config/schema";

const folder = new URL("../../config/", import.meta.url).pathname;
const examples = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

test("config/schema.json is what the schema prints; mend: bun build/schema.ts", async () => {
  expect(await Bun.file(`${folder}schema.json`).json()).toEqual(JSON.parse(jsonSchemaText()));
});

test("the schema says types, limits, defaults and that unknown keys are wrong", () => {
  const schema = JSON.parse(jsonSchemaText());
  expect(schema.additionalProperties).toBe(false);
  const { frames } = schema.properties.inetstack_config.properties;
  expect(frames).toMatchObject({ type: "integer", minimum: 64, maximum: 1048576, default: 16384 });
  expect(schema.properties.raw_socket.properties.backend.enum).toEqual(["tap", "xdp", "packet"]);
  expect(schema.required ?? []).toEqual([]);
});

test("there are example files", () => expect(examples.length).toBeGreaterThan(2));

test.each(examples)("config/%s loads and names its schema", async (name) => {
  expect(loadConfig(folder + name, { environment: {} }).libos).toBe("catpowder");
  expect(await Bun.file(folder + name).text()).toStartWith(
    "# yaml-language-server: $schema=./schema.json\n",
  );
});

test("config/catpowder.yaml shows the defaults as they are", () => {
  const shown = loadConfig(`${folder}catpowder.yaml`, { environment: {} });
  const { mtu, mss, arpTable, ...sizes } = shown.inetstack;
  const plain = loadConfig(`${folder}tap.yaml`, { environment: {} });
  const { mtu: _mtu, mss: _mss, arpTable: _table, ...defaults } = plain.inetstack;
  expect(sizes).toEqual(defaults);
  expect(shown.tcpSocketOptions).toEqual(plain.tcpSocketOptions);
  expect(shown.runtime).toEqual(plain.runtime);
  expect([mtu, mss, arpTable.length]).toEqual([1500, 1460, 1]);
});
