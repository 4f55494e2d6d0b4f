/** Shell commands of a script, run in the network that the script has for itself. */
import { ERRNO_EIO, ERRNO_ETIMEDOUT } from "../../../../assembly/layout";
import { DemibunError } from "../../../errors";
import { UnsupportedError } from "../target";

const TIMEOUT_MS = 5000;
/** How sysctl and a shell say that this network has no such setting. */
const missingSetting = /No such file or directory|unknown key|nonexistent/;

/**
 * Runs a command in a directory. Calls `meanwhile` about every millisecond until it has ended, so that
 * packets keep their times.
 */
export async function runCommand(
  text: string,
  directory: string,
  meanwhile: () => void,
): Promise<void> {
  const child = Bun.spawn(["sh", "-c", text], {
    cwd: directory,
    // What packetdrill tells its commands of itself.
    env: { ...process.env, PACKETDRILL_PID: `${process.pid}` },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const errors = new Response(child.stderr).text();
  while (child.exitCode === null && child.signalCode === null) {
    await Promise.race([child.exited, Bun.sleep(1)]);
    meanwhile();
  }
  if (child.exitCode === 0) return;
  const isLate = child.signalCode === "SIGKILL";
  // What the command has left running may hold the pipe open: then its words are not waited for.
  const words = (await Promise.race([errors, Bun.sleep(100)])) ?? "";
  const reason = words.trim().split("\n")[0] ?? "";
  if (/\/proc\/sys|sysctl/.test(words) && missingSetting.test(words)) {
    throw new UnsupportedError(`this kernel's networks have no such setting: ${reason}`);
  }
  throw new DemibunError({
    operation: `command \`${text}\``,
    errno: isLate ? ERRNO_ETIMEDOUT : ERRNO_EIO,
    detail: isLate ? `no end within ${TIMEOUT_MS} ms` : reason || `exit code ${child.exitCode}`,
  });
}
