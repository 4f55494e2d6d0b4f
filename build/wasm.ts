/** One WASM module from AssemblyScript, by the target of the same name in asconfig.json. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import asc from "assemblyscript/asc";
import { REGIONS_BASE } from "../assembly/layout";
import { isFresh, stop, writeWhole } from "./output";

const settings = ["asconfig.json", "package-lock.json", "build/wasm.ts"];

/** End of the last static data segment of a module, in bytes of linear memory. */
export function staticDataEnd(module: Uint8Array): number {
  let at = 8;
  const unsigned = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < module.length) {
    const section = module[at++];
    const size = unsigned();
    if (section !== 11) {
      at += size;
      continue;
    }
    let end = 0;
    for (let count = unsigned(); count > 0; count--) {
      // An active segment of memory 0: flags 0, `i32.const address`, `end`, then its bytes. The
      // address is signed LEB128, which reads the same as unsigned below 2^31 up to sign padding.
      if (unsigned() !== 0 || module[at++] !== 0x41) throw new Error("unexpected data segment");
      const address = unsigned();
      at += 1;
      const length = unsigned();
      at += length;
      end = Math.max(end, address + length);
    }
    return end;
  }
  return 0;
}

/** asc's own dependency; run as a program, because its JavaScript interface leaves `-lmu` out. */
const OPTIMISER = "node_modules/binaryen/bin/wasm-opt";
const features = [
  "mutable-globals",
  "sign-ext",
  "nontrapping-float-to-int",
  "bulk-memory",
  "bulk-memory-opt",
  "simd",
  "threads",
].map((feature) => `--enable-${feature}`);
/**
 * Inlines across the whole module. A packet passes some forty small functions; joined into few, they
 * cost the engine a sixth less time a round trip, which asc's own optimiser, tuned for size, does not
 * do. `-lmu`: memoryBase keeps the first kilobyte free, so field offsets fold into loads and stores.
 */
const passes = ["-g", "-lmu", "-O4", "-aimfs", "400", "-fimfs", "800", "-ifwl"];

function inline(name: string, module: Uint8Array): Uint8Array {
  const beside = `build/wasm/${name}.${process.pid}`;
  const [input, output] = [`${beside}.compiled`, `${beside}.inlined`];
  writeWhole(input, module);
  const command = [process.execPath, OPTIMISER, ...features, ...passes, input, "-o", output];
  const { success, stderr } = Bun.spawnSync(command);
  if (!success) stop(`${stderr}build: wasm-opt failed for ${name}`);
  const bytes = readFileSync(output);
  rmSync(input);
  rmSync(output);
  return bytes;
}

export interface WasmBuild {
  /** Builds although nothing has changed. */
  readonly force: boolean;
  /** A tenth of the time and half the speed, for trying a change: hardly optimised. */
  readonly quick: boolean;
}

/** Says that what stands in build/wasm is a quick build, which no other build takes for its own. */
const quickMark = "build/wasm/quick";

/** Builds build/wasm/NAME.{wasm,js,d.ts} unless they are newer than every input. */
export async function buildWasm(
  name: "stack" | "probe",
  entries: readonly string[],
  { force, quick }: WasmBuild,
): Promise<void> {
  const outputs = ["wasm", "js", "d.ts"].map((extension) => `build/wasm/${name}.${extension}`);
  const inputs = [...new Bun.Glob("assembly/**/*.ts").scanSync(), ...settings];
  const isOther = !quick && existsSync(`${quickMark}.${name}`);
  if (!force && !isOther && isFresh(outputs, inputs)) return;

  if (!existsSync(entries[0] as string)) stop(`build: ${entries[0]} is missing`);
  const started = performance.now();
  const written = new Map<string, string | Uint8Array>();
  const { error, stdout, stderr } = await asc.main(
    [...entries.filter((entry) => existsSync(entry)), "--target", name, ...(quick ? ["-O1"] : [])],
    { writeFile: (path, contents) => void written.set(path, contents) },
  );
  if (error) stop(`${stdout}${stderr}build: asc failed for ${name}: ${error.message}`);

  const compiled = written.get(`build/wasm/${name}.wasm`);
  if (!(compiled instanceof Uint8Array)) stop(`build: asc wrote no module for ${name}`);
  const module = quick ? compiled : inline(name, compiled);
  written.set(`build/wasm/${name}.wasm`, module);
  const end = staticDataEnd(module);
  if (end > REGIONS_BASE) {
    stop(
      `build: static data of ${name} ends at ${end}, beyond REGIONS_BASE ${REGIONS_BASE} ` +
        "(assembly/layout.ts): the stack's regions would overwrite it; use fewer strings and tables",
    );
  }
  for (const [path, contents] of written) writeWhole(path, contents);
  if (quick) writeWhole(`${quickMark}.${name}`, "");
  else rmSync(`${quickMark}.${name}`, { force: true });
  const took = (performance.now() - started).toFixed(0);
  console.log(`build/wasm/${name}.wasm: ${module.length} bytes, data to ${end}, ${took} ms`);
}
