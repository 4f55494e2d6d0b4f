/** `demibun packetdrill --live` as a person meets it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { currentNetwork } from "../../../shims/tun/namespace";
import { obstacle } from "../../shims/own-network";

const cli = new URL("../../../src/cli/demibun.ts", import.meta.url).pathname;
const PATIENCE_MS = 5000;

const listening = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 1000 <mss 1000>
`;
const scripts = {
  "good.pkt": `${listening}+0 > S. 0:0(0) ack 1 <mss 1460>\n`,
  "wrong.pkt": `${listening}+0 > S. 0:0(0) ack 1 <mss 1000>\n`,
  "surplus.pkt": `${listening.trim()}\n`,
  "command.pkt": `\`echo broken >&2; false\`\n${listening}`,
  "setting.pkt": `\`sysctl -q net.ipv4.tcp_nonsense=1\`\n${listening}`,
  "network.pkt": `--mtu=10\n${listening}`,
  "lingering.pkt":
    "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n" +
    "+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, 8) = 0\n" +
    "+0 close(3) = 0\n",
  "long.pkt": "0 `sleep 4`\n+4 `sleep 4`\n",
} as const;

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "live-"));
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(directory, name), text);
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function run(name: keyof typeof scripts) {
  const { stdout, stderr, exitCode } = Bun.spawnSync({
    cmd: [process.execPath, cli, "packetdrill", "--live", join(directory, name)],
    timeout: 30_000,
  });
  const text = (stdout.toString() + stderr.toString()).replaceAll(`${directory}/`, "");
  return { text, exitCode };
}

function tests(): void {
  test("a script that the kernel passes, in a network of its own", () => {
    const before = currentNetwork();
    const { text, exitCode } = run("good.pkt");
    expect(text).toMatch(/^1 passed, 0 failed, 0 unsupported in \d+ ms\n$/);
    expect(exitCode).toBe(0);
    expect(currentNetwork()).toBe(before);
  });

  test.each([
    ["wrong.pkt", 1, "wrong.pkt:5: TCP options are <mss 1460>, should be <mss 1000>"],
    ["surplus.pkt", 1, "surplus.pkt:4: a packet that nothing expects was sent"],
    ["command.pkt", 1, "command.pkt:1: the init command failed: command `echo broken"],
    ["setting.pkt", 0, "this kernel's networks have no such setting"],
    ["network.pkt", 0, "network.pkt: this kernel takes no such network"],
    ["lingering.pkt", 0, "lingering.pkt:3: live close() with a time of SO_LINGER"],
  ] as const)("%s is told", (name, code, words) => {
    const { text, exitCode } = run(name);
    expect(text).toContain(words);
    expect(exitCode).toBe(code);
  });

  test("no worker outlives a command that is killed in the midst of a script", async () => {
    const command = [process.execPath, cli, "packetdrill", "--live", join(directory, "long.pkt")];
    const child = Bun.spawn(command, { stdout: "ignore", stderr: "ignore" });
    const children = Bun.file(`/proc/${child.pid}/task/${child.pid}/children`);
    const worker = await until(async () => Number((await children.text()).trim()) || undefined);
    const sleeping = Bun.file(`/proc/${worker}/task/${worker}/children`);
    await until(async () => (await sleeping.text()).trim() || undefined);
    child.kill("SIGKILL");
    await until(async () => ((await isRunning(worker)) ? undefined : true));
    expect(await isRunning(worker)).toBe(false);
  });
}

async function isRunning(pid: number): Promise<boolean> {
  const status = await Bun.file(`/proc/${pid}/stat`)
    .text()
    .catch(() => "");
  return status !== "" && !/\) [ZX] /.test(status);
}

/** Asks until there is an answer. */
async function until<Value>(ask: () => Promise<Value | undefined>): Promise<Value> {
  const endMs = performance.now() + PATIENCE_MS;
  while (performance.now() < endMs) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await Bun.sleep(5);
  }
  throw new Error("it does not happen");
}

if (obstacle === undefined) describe("demibun packetdrill --live", tests);
else test.skip(`demibun packetdrill --live (cannot run: ${obstacle})`, () => {});
