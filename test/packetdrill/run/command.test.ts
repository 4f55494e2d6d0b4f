/** `demibun packetdrill` as people call it: exit status, summary, JSON, capture. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPcapng } from "../../../src/pcapng";
import { accepted } from "./run-text";

const directory = mkdtempSync(join(tmpdir(), "demibun-packetdrill-"));
afterAll(() => rmSync(directory, { recursive: true }));

const program = Bun.fileURLToPath(new URL("../../../src/cli/demibun.ts", import.meta.url));

function script(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function run(...words: string[]) {
  const { stdout, stderr, exitCode } = Bun.spawnSync(
    [process.execPath, program, "packetdrill", ...words],
    { stdout: "pipe", stderr: "pipe", timeout: 30_000 },
  );
  return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
}

const passing = script("passes.pkt", accepted);
const failing = script("fails.pkt", `${accepted}+0 > . 1:1(0) ack 1\n`);
const unsupported = script("unsupported.pkt", "--ip_version=ipv6\n0 %{ assert True }%\n");

test("what passes is only counted, and the exit status is 0", () => {
  const { stdout, exitCode } = run(passing);
  expect(stdout).toMatch(/^1 passed, 0 failed, 0 unsupported in \d+ ms\n$/);
  expect(exitCode).toBe(0);
});

test("a failure is told and makes the exit status 1", () => {
  const { stdout, exitCode } = run(directory);
  expect(stdout).toContain(`${failing}:8: the packet was not sent within 2.004 s\n`);
  expect(stdout).toContain("unsupported.pkt: this stack has no IPv6 yet\n");
  expect(stdout).toMatch(/\n1 passed, 1 failed, 1 unsupported in \d+ ms\n$/);
  expect(exitCode).toBe(1);
});

test("what is not supported is no failure", () => {
  expect(run(unsupported).exitCode).toBe(0);
});

test("JSON holds every result", () => {
  const { stdout } = run("--json", passing, failing);
  expect(JSON.parse(stdout)).toMatchObject([
    { file: passing, status: "passed" },
    { file: failing, status: "failed", line: 8 },
  ]);
});

test("a capture holds every packet with its line of the language", () => {
  const path = join(directory, "packets.pcapng");
  expect(run("--pcapng", path, passing).exitCode).toBe(0);
  const capture = readPcapng(new Uint8Array(readFileSync(path)));
  expect(capture.packets.map(({ comments }) => comments)).toEqual([
    ["< S 0:0(0) win 60000 <mss 1000>"],
    ["> S. 0:0(0) ack 1 win 65535 <mss 1460>"],
    ["< . 1:1(0) ack 1 win 60000"],
  ]);
});

test("--verbose shows the packets", () => {
  expect(run("--verbose", passing).stdout).toContain("0.100000 < . 1:1(0) ack 1 win 60000\n");
});

test("the profile decides how long an acknowledgment may wait", () => {
  const delayed = (seconds: string) =>
    `${accepted}+0 setsockopt(4, SOL_TCP, TCP_QUICKACK, [0], 4) = 0
+0 < P. 1:101(100) ack 1 win 60000\n+${seconds} > . 1:1(0) ack 101\n`;
  const linux = script("linux.pkt", delayed("0.04"));
  const rfc = script("rfc.pkt", delayed("0.2"));
  const own = script("own.pkt", `// profile freebsd\n${delayed("0.1")}`);
  expect(run("--profile", "linux", linux).exitCode).toBe(0);
  expect(run("--profile=rfc", rfc).exitCode).toBe(0);
  expect(run("--profile=rfc", linux).exitCode).toBe(1);
  expect(run(own).exitCode).toBe(0);
  for (const path of [linux, rfc, own]) rmSync(path);
});

test("misuse has the exit status 2 and a hint", () => {
  const { stderr, exitCode } = run("--profiles", "rfc", passing);
  expect(stderr).toBe(
    "demibun packetdrill: no option --profiles; did you mean --profile?\n  hint: demibun --help\n",
  );
  expect(exitCode).toBe(2);
  expect(run().exitCode).toBe(2);
  expect(run("--profile", "windows", passing).exitCode).toBe(2);
  expect(run(join(directory, "absent.pkt")).exitCode).toBe(2);
});
