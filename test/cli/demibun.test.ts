import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lackingCapabilities, machineFindings } from "../../src/cli/findings";
import { nearest } from "../../src/nearest";

const root = new URL("../../", import.meta.url).pathname;

function demibun(...words: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    [process.execPath, "src/cli/demibun.ts", ...words],
    { cwd: root, env: { ...process.env, LIBOS: "", MTU: "", MSS: "", NODELAY: "", LINGER: "" } },
  );
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

test("--help lists every command, and no command is misuse", () => {
  const { exitCode, stdout } = demibun("--help");
  expect(exitCode).toBe(0);
  for (const form of ["config check FILE", "config schema", "doctor", "--version"]) {
    expect(stdout).toContain(`demibun ${form}`);
  }
  expect(demibun()).toMatchObject({ exitCode: 2, stdout });
});

test("--version is the package's", async () => {
  const { version } = await Bun.file(`${root}package.json`).json();
  expect(demibun("--version")).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
});

test("an unknown command names the nearest", () => {
  expect(demibun("docter")).toMatchObject({
    exitCode: 2,
    stdout: "",
    stderr: 'demibun: no command "docter"; did you mean "doctor"?\n  hint: demibun --help\n',
  });
  expect(demibun("config", "chekc").stderr).toContain('did you mean "check"?');
  expect(demibun("config").exitCode).toBe(2);
  expect(demibun("config", "check").exitCode).toBe(2);
  expect(demibun("doctor", "now").exitCode).toBe(2);
});

test("config check prints what a file resolves to, or its mistake", () => {
  const folder = mkdtempSync(join(tmpdir(), "demibun-"));
  try {
    const good = demibun("config", "check", "config/tap.yaml");
    expect(good.exitCode).toBe(0);
    expect(JSON.parse(good.stdout).demikernel.localIpv4Address).toBe("10.0.0.2");
    const file = join(folder, "bad.yaml");
    writeFileSync(file, "demikernel:\n  local_ipv4_addr: here\n");
    const bad = demibun("config", "check", file);
    expect(bad).toMatchObject({ exitCode: 1, stdout: "" });
    expect(bad.stderr).toStartWith(`config: ${file}:2:20: demikernel.local_ipv4_addr: "here"`);
    expect(bad.stderr).not.toContain("    at ");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("config schema prints JSON", () => {
  const { exitCode, stdout } = demibun("config", "schema");
  expect(exitCode).toBe(0);
  expect(Object.keys(JSON.parse(stdout).properties)).toContain("demikernel");
});

test("doctor answers for every tool and backend, each lack with a command", () => {
  const { exitCode, stdout, stderr } = demibun("doctor");
  expect(stderr).toBe("");
  expect([0, 1]).toContain(exitCode);
  for (const name of ["bun", "wasm", "tun", "capabilities", "user namespaces", "io_uring"]) {
    expect(stdout).toMatch(new RegExp(`^(ok|absent|MISSING) +${name} `, "m"));
  }
  for (const name of ["tap", "xdp", "packet"]) expect(stdout).toContain(`backend ${name}`);
  const lacks = stdout.match(/^(absent|MISSING) /gm) ?? [];
  expect((stdout.match(/ mend: \S/g) ?? []).length).toBe(lacks.length);
});

test("every finding that is not ok has a hint", () => {
  for (const { state, hint, name } of machineFindings()) {
    expect(hint === undefined, name).toBe(state === "ok");
  }
});

test("capabilities are read from the mask of /proc/self/status", () => {
  expect(lackingCapabilities("000001ffffffffff")).toEqual([]);
  expect(lackingCapabilities("0000000000003000")).toEqual(["CAP_BPF"]);
  expect(lackingCapabilities("0")).toEqual(["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_BPF"]);
});

test("nearest finds typing mistakes and nothing far", () => {
  expect(nearest("mtuu", ["mss", "mtu"])).toBe("mtu");
  expect(nearest("otken", ["tokens", "frames"])).toBe("tokens");
  expect(nearest("BACKEND", ["backend"])).toBe("backend");
  expect(nearest("something", ["mtu", "mss"])).toBeUndefined();
});
