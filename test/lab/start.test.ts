/** `npm start` as root, as nobody, without its tools, and kept. */
import { expect, test } from "bun:test";
import { runCommand, tryCommand } from "../../src/lab/command";

const root = new URL("../../", import.meta.url).pathname;
const script = `${root}src/lab/start.ts`;
const start = [process.execPath, script];
const TIMEOUT_MS = 60_000;
const nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
const isRoot = process.getuid?.() === 0;
/** What the lab needs and this machine has not; CI has to have it. */
const lacking = ["curl", "ip", "nsenter", "setpriv", "unshare"].filter((tool) => !Bun.which(tool));
const unable = lacking.length > 0 && process.env.CI === undefined;

/** Whether nobody may read this checkout and run this Bun; a clone in root's home is closed. */
function nobodyCanRun(): boolean {
  if (!isRoot || unable) return false;
  const { success } = Bun.spawnSync([...nobody, process.execPath, "--print", `"${script}"`]);
  return success && Bun.spawnSync([...nobody, "test", "-r", script]).success;
}

function expectReport(text: string): void {
  expect(text).toMatch(/server: {2}demibun at 10\.77\.0\.2, backend (xdp|packet|tap), process \d+/);
  expect(text).toContain('page:    curl got "Hello from demibun"');
  expect(text).toMatch(/bytes: {3}curl got 104857600 bytes in .* MB\/s, .* Gb\/s/);
  expect(text).toMatch(/sha-256: [0-9a-f]{64} is what was sent/);
  expect(text).toMatch(/stack: .* framesOut 0, connectionsOpen 0/);
}

test.skipIf(unable)(
  "serves a page and 100 MB and ends",
  async () => {
    const { stdout, stderr, exitCode } = await tryCommand(start, { timeoutMs: TIMEOUT_MS });
    expect(stderr).toBe("");
    expectReport(stdout);
    expect(exitCode).toBe(0);
  },
  TIMEOUT_MS,
);

test.skipIf(!nobodyCanRun())(
  "does so for a user without any privilege",
  async () => {
    const command = [...nobody, ...start];
    const { stdout, stderr, exitCode } = await tryCommand(command, { timeoutMs: TIMEOUT_MS });
    expect(stderr).toBe("");
    expectReport(stdout);
    expect(stdout).toMatch(/backend (tap|packet)/);
    expect(exitCode).toBe(0);
  },
  TIMEOUT_MS,
);

test("names the command that installs what is missing", async () => {
  const { stderr, exitCode } = await tryCommand(start, { environment: { PATH: "/nowhere" } });
  expect(exitCode).toBe(1);
  expect(stderr).toBe(
    "lab: ip, nsenter, setpriv, unshare, curl: not installed (ENOENT)\n" +
      "  hint: apt-get install iproute2 util-linux curl\n",
  );
});

test.skipIf(unable)(
  "keeps the server until it is interrupted, reachable by the command it prints",
  async () => {
    const child = Bun.spawn([...start, "--keep"], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of child.stdout) {
      text += decoder.decode(chunk, { stream: true });
      if (!text.endsWith("Ctrl-C ends it.\n")) continue;
      const command = /^ {2}(nsenter .* curl .*)$/m.exec(text)?.[1] ?? "";
      expect(await runCommand(command.split(" "))).toBe("Hello from demibun\n");
      child.kill("SIGINT");
    }
    expect(await child.exited).toBe(0);
    expectReport(text);
    expect(text).toContain("tcpConnectionsAccepted 3");
  },
  TIMEOUT_MS,
);
