/** Which folder may import which: the layers of the design, top to bottom. */
import { expect, test } from "bun:test";
import { importsOf, sourceFiles, target } from "./sources";

/** Known to all of src: they stand below every layer and import only each other. */
const leaves = ["src/errors", "src/nearest", "src/config", "assembly/layout"];
const wasm = [
  "src/wasm",
  "build/wasm",
  "assembly/memory/plan",
  "assembly/transport/tcp/record",
  ...leaves,
];
const runtime = ["src/runtime", "shims/sleep", "shims/contract", ...wasm];
const libos = ["src/libos", "shims", ...runtime];
const pdpix = ["src/pdpix", ...libos];
/** No shim that is native: the simulator runs in a browser. */
const sim = [
  "src/sim",
  "src/packet",
  "src/pcapng",
  "src/adapters",
  "shims/packet-rings",
  "shims/ring",
  ...pdpix.filter((path) => !path.startsWith("shims")),
];

/** The longest matching folder decides; a folder that is missing here may import anything. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "assembly/layout": [],
  "assembly/wire": ["assembly/wire", "assembly/layout"],
  "assembly/memory": ["assembly/memory", "assembly/wire", "assembly/counters", "assembly/layout"],
  assembly: ["assembly"],
  "shims/contract": ["assembly/layout"],
  shims: ["shims", "assembly/layout", "assembly/memory/plan", "src/errors"],
  "src/errors": ["assembly/layout"],
  "src/nearest": [],
  "src/config": leaves,
  "src/wasm": wasm,
  "src/sim/network": ["src/sim", "src/packet", "src/pcapng", ...leaves],
  "src/runtime": runtime,
  "src/libos": libos,
  "src/pdpix": pdpix,
  "src/packet": ["src/packet", "src/errors", "assembly/layout"],
  "src/pcapng": ["src/pcapng", "src/errors", "assembly/layout"],
  "src/sim": sim,
  "src/packetdrill/language": [
    "src/packetdrill/language",
    "src/packet",
    "src/nearest",
    "src/errors",
  ],
  "src/packetdrill/run": [
    "src/packetdrill/run",
    "src/packetdrill/language",
    "src/packetdrill/targets/target",
    "src/packet",
    "src/nearest",
    "src/errors",
  ],
  "src/packetdrill/targets": [
    "src/packetdrill/targets",
    "src/wasm",
    "shims/packet-rings",
    "shims/ring",
    "assembly/layout",
    "assembly/transport/tcp/record",
  ],
  "src/packetdrill/targets/live": [
    "src/packetdrill/targets",
    "shims/libc",
    "shims/sockets",
    "shims/tun",
    "src/errors",
    "assembly/layout",
  ],
  "src/adapters": [
    "src/adapters",
    "src/pdpix",
    "src/runtime/event-loop",
    "src/index",
    "src/errors",
  ],
};

/** Beyond the folders: the device's rings are the link layer's matter, TCP only queues chains. */
const mayNotImport: Readonly<Record<string, readonly string[]>> = {
  "assembly/transport/tcp": ["assembly/memory/ring"],
  "assembly/transport/udp": ["assembly/memory/ring"],
};

function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`) || path === `${folder}.ts`;
}

function rule<Value>(table: Readonly<Record<string, Value>>, path: string): Value | undefined {
  const folders = Object.keys(table).filter((folder) => within(path, folder));
  folders.sort((left, right) => right.length - left.length);
  return folders[0] === undefined ? undefined : table[folders[0]];
}

const files = sourceFiles("ts").filter((path) => !path.endsWith(".d.ts"));

test("there are files to look at", () => {
  expect(files.length).toBeGreaterThan(10);
});

test("every folder imports downward only", () => {
  const wrong: string[] = [];
  for (const path of files) {
    const allowed = rule(mayImport, path);
    const forbidden = rule(mayNotImport, path) ?? [];
    for (const imported of importsOf(path)) {
      const to = target(path, imported);
      if (to === undefined) continue;
      const refused =
        (allowed !== undefined && !allowed.some((folder) => within(to, folder))) ||
        forbidden.some((folder) => within(to, folder));
      if (refused) wrong.push(`${path} imports ${to}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("only shims import bun:ffi", () => {
  const foreign = files.filter((path) => !path.startsWith("shims/"));
  expect(foreign.filter((path) => importsOf(path).includes("bun:ffi"))).toEqual([]);
});

test("assembly imports no package", () => {
  const wrong = files
    .filter((path) => path.startsWith("assembly/"))
    .filter((path) => importsOf(path).some((imported) => !imported.startsWith(".")));
  expect(wrong).toEqual([]);
});
