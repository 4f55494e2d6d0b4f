/** Commands of the machine: run to their end, bounded in time, failures told in one clear line. */
import { ERRNO_EIO, ERRNO_ENOENT, ERRNO_EPERM, ERRNO_ETIMEDOUT } from "../../assembly/layout";
import { DemibunError } from "../errors";

const TIMEOUT_MS = 10_000;

/** Debian's package of each tool that the lab or its clients run. */
const packages: Readonly<Record<string, string>> = {
  ab: "apache2-utils",
  curl: "curl",
  dumpcap: "wireshark-common",
  ethtool: "ethtool",
  ip: "iproute2",
  nsenter: "util-linux",
  ping: "iputils-ping",
  setpriv: "util-linux",
  socat: "socat",
  tcpdump: "tcpdump",
  unshare: "util-linux",
  wrk: "wrk",
};

/** Throws ENOENT that names the command to install the first tool which is missing. */
export function requireTools(...tools: string[]): void {
  const missing = tools.filter((tool) => Bun.which(tool) === null);
  if (missing.length === 0) return;
  const wanted = [...new Set(missing.map((tool) => packages[tool] ?? tool))];
  throw new DemibunError({
    operation: "lab",
    errno: ERRNO_ENOENT,
    detail: `${missing.join(", ")}: not installed`,
    hint: `apt-get install ${wanted.join(" ")}`,
  });
}

export interface CommandOptions {
  readonly timeoutMs?: number | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly input?: Blob | undefined;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. Throws ETIMEDOUT; a failed command is a result. */
export async function tryCommand(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { timeoutMs = TIMEOUT_MS, environment, input } = options;
  const child = Bun.spawn([...command], {
    env: { ...process.env, ...environment },
    stdin: input ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (child.signalCode === "SIGKILL") {
    throw new DemibunError({
      operation: "lab",
      errno: ERRNO_ETIMEDOUT,
      detail: `no end within ${timeoutMs} ms: ${command.join(" ")}\n${stdout}${stderr}`,
    });
  }
  return { exitCode, stdout, stderr };
}

/** Runs a command and returns what it printed. Throws EPERM or EIO with its words when it fails. */
export async function runCommand(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await tryCommand(command, options);
  if (exitCode === 0) return stdout;
  const words = (stderr.trim() || stdout.trim()).split("\n")[0] ?? "";
  throw new DemibunError({
    operation: "lab",
    errno: /not permitted|denied/.test(words) ? ERRNO_EPERM : ERRNO_EIO,
    detail: `${command.join(" ")}: ${words || `exit code ${exitCode}`}`,
  });
}
