/**
 * The C shims: every folder of shims/ that holds C becomes build/native/FOLDER.so. A folder whose C
 * needs a library says so in a line `pkg-config: NAME …`. Without gcc or the library the shim is
 * left out, everything else runs, and `demibun doctor` names the package to install.
 */
import { isFresh, stop, writeWhole } from "./output";
import { layoutHeader } from "./layout-header";

const flags = "-O2 -g -shared -fPIC -std=gnu11 -Wall -Wextra -Werror -Ishims/include -Ishims".split(
  " ",
);

function run(...command: string[]): { ok: boolean; output: string } {
  const { success, stdout, stderr } = Bun.spawnSync(command, { stderr: "pipe" });
  return { ok: success, output: stdout.toString() + stderr.toString() };
}

/** Compiler flags of the libraries the sources ask for, or the names that are not installed. */
function libraryFlags(sources: string): { flags: string[] } | { missing: string } {
  const names = [...sources.matchAll(/pkg-config: ([\w .+-]+)/g)].flatMap((match) =>
    (match[1] as string).trim().split(/\s+/),
  );
  if (names.length === 0) return { flags: [] };
  if (Bun.which("pkg-config") === null) return { missing: "pkg-config" };
  const { ok, output } = run("pkg-config", "--cflags", "--libs", ...names);
  return ok ? { flags: output.trim().split(/\s+/) } : { missing: names.join(" ") };
}

async function buildFolder(folder: string, sources: string[], force: boolean): Promise<void> {
  const output = `build/native/${folder}.so`;
  const headers = [...new Bun.Glob("shims/**/*.h").scanSync()];
  if (!force && isFresh([output], [...sources, ...headers, layoutHeader, "build/native.ts"]))
    return;

  const texts = await Promise.all(sources.map((path) => Bun.file(path).text()));
  const libraries = libraryFlags(texts.join("\n"));
  if ("missing" in libraries) {
    console.log(`${output}: left out, ${libraries.missing} is not installed`);
    return;
  }
  const partial = `${output}.${process.pid}.o`;
  const { ok, output: text } = run("gcc", ...flags, ...sources, "-o", partial, ...libraries.flags);
  if (!ok) stop(`${text}build: gcc failed for shims/${folder}`);
  writeWhole(output, await Bun.file(partial).bytes());
  await Bun.file(partial).delete();
  console.log(`${output}: ${sources.length} file(s)`);
}

/** Builds what this machine can build; never fails for a tool or library that is missing. */
export async function buildNative(force: boolean): Promise<void> {
  const folders = new Map<string, string[]>();
  for (const path of [...new Bun.Glob("shims/*/**/*.c").scanSync()].sort()) {
    const folder = path.split("/")[1] as string;
    folders.set(folder, [...(folders.get(folder) ?? []), path]);
  }
  if (folders.size === 0) return;
  if (Bun.which("gcc") === null) {
    console.log(`build/native: left out (${[...folders.keys()].join(", ")}), gcc is not installed`);
    return;
  }
  for (const [folder, sources] of folders) await buildFolder(folder, sources, force);
}
