/** package.json, the registry of backends and the compiled layout say what the files say. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import * as layout from "../../assembly/layout";
import { layoutHeader } from "../../build/layout-header";
import { staticDataEnd } from "../../build/wasm";
import { backendNames } from "../../src/config/schema";
import { read, root } from "./sources";

const manifest = JSON.parse(read("package.json"));

test("every dependency is pinned exactly", () => {
  const ranges = Object.values<string>({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(ranges.filter((range) => !/^\d+\.\d+\.\d+(-nightly\.\d+)?$/.test(range))).toEqual([]);
  expect(ranges.length).toBeGreaterThan(5);
});

test("every file that package.json exports or runs exists", () => {
  const scripts = Object.values<string>(manifest.scripts).flatMap(
    (script) => script.match(/\b(?:build|src|test)\/[\w./-]+\.ts\b/g) ?? [],
  );
  const named = [
    ...Object.values<string>(manifest.bin),
    ...Object.values<string>(manifest.exports ?? {}),
    ...scripts,
  ];
  expect(named.filter((path) => !existsSync(root + path))).toEqual([]);
});

test("this is the Bun that package.json pins", () => {
  expect(Bun.version).toBe(manifest.dependencies.bun);
  expect(Bun.version).toBe(manifest.engines.bun);
});

/** Folders of shims/ that are not backends but help them. */
const helpers = new Set(["include", "sleep", "sockets", "tun"]);

test("every backend folder is in the registry and in the configuration's choices", async () => {
  const { backends } = await import("../../shims/registry");
  const names: string[] = backends.map((backend: { name: string }) => backend.name);
  const folders = readdirSync(`${root}shims`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !helpers.has(entry.name))
    .map((entry) => entry.name);
  // The loopback is a pair inside one process: a program makes it, no file can name it.
  const chosen = folders.filter((name) => name !== "loopback");
  expect(chosen.filter((name) => !names.includes(name))).toEqual([]);
  expect([...backendNames].sort()).toEqual(chosen.sort() as never);
});

test("the C header has every number of the layout", () => {
  const header = read(layoutHeader);
  const missing = Object.entries(layout)
    .filter(([, value]) => typeof value === "number")
    .filter(([name]) => !new RegExp(`#define DEMI_${name} `).test(header));
  expect(missing).toEqual([]);
  expect(header).toContain("#define DEMI_ERRNO_EINVAL 22\n");
  expect(header).toContain(`#define DEMI_FRAME_SIZE ${layout.FRAME_SIZE}u\n`);
});

test("static data ends below the stack's regions", async () => {
  for (const name of ["stack", "probe"]) {
    const module = await Bun.file(`${root}build/wasm/${name}.wasm`).bytes();
    const end = staticDataEnd(module);
    expect(end).toBeGreaterThanOrEqual(0);
    expect(end).toBeLessThanOrEqual(layout.REGIONS_BASE);
  }
});

test("the end of static data is read from the data section", () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  // Two segments: i32.const 1024 with 3 bytes, i32.const 2048 with 2 bytes.
  const segments = [2, 0, 0x41, 0x80, 0x08, 0x0b, 3, 1, 2, 3, 0, 0x41, 0x80, 0x10, 0x0b, 2, 4, 5];
  expect(staticDataEnd(new Uint8Array([...header, 11, segments.length, ...segments]))).toBe(2050);
  expect(staticDataEnd(new Uint8Array(header))).toBe(0);
});
