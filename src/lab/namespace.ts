/**
 * Network namespaces without names. Each is held by a process that ends when the pipe to us closes,
 * so that nothing outlives this process, not even after SIGKILL.
 */
import { readlinkSync } from "node:fs";
import { ERRNO_EPERM, ERRNO_ETIMEDOUT } from "../../assembly/layout";
import { DemibunError } from "../errors";
import { type CommandOptions, type CommandResult, runCommand, tryCommand } from "./command";

const ENTER_TIMEOUT_MS = 5000;
const POLL_MS = 2;

type Holder = Bun.Subprocess<"pipe", "ignore", "pipe">;

function networkOf(pid: number | "self"): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return "";
  }
}

export class Namespace implements AsyncDisposable {
  readonly #holder: Holder;
  /** Words of nsenter that enter the user namespace; none for root, who needs no other. */
  readonly #user: readonly string[];

  private constructor(holder: Holder, user: readonly string[]) {
    this.#holder = holder;
    this.#user = user;
  }

  /**
   * Makes a namespace with its loopback interface up. Without root it belongs to a user namespace in
   * which we are: that of `beside`, or a new one. Errors: EPERM where that is forbidden.
   */
  static async open(beside?: Namespace): Promise<Namespace> {
    const isRoot = process.getuid?.() === 0;
    const user = isRoot ? [] : ["-U", "--preserve-credentials"];
    const command = ["unshare", isRoot || beside !== undefined ? "-n" : "-Urn", "cat"];
    if (!isRoot && beside !== undefined) command.unshift("nsenter", "-t", `${beside.pid}`, ...user);
    const holder = Bun.spawn(command, {
      stdin: "pipe",
      stdout: "ignore",
      stderr: "pipe",
      // Ctrl-C must not take the namespace away before what runs in it has ended.
      detached: true,
    });
    await entered(holder);
    const namespace = new Namespace(holder, user);
    await namespace.run("ip", "link", "set", "lo", "up");
    return namespace;
  }

  /** The process that holds it. */
  get pid(): number {
    return this.#holder.pid;
  }

  /** The words before a command that make it run in here, as a person would type them. */
  get enter(): readonly string[] {
    return ["nsenter", "-t", `${this.pid}`, ...this.#user, "-n"];
  }

  /** The whole command for a process of ours in here, which the kernel ends with us. */
  command(...command: readonly string[]): string[] {
    return [...this.enter, "setpriv", "--pdeathsig", "KILL", ...command];
  }

  /** Runs a command to its end; what it printed. Errors: as `runCommand`. */
  run(...command: readonly string[]): Promise<string> {
    return runCommand(this.command(...command));
  }

  /** Runs a command to its end, whatever that is. Throws ETIMEDOUT. */
  try(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return tryCommand(this.command(...command), options);
  }

  /** Lets it go; the kernel removes it with the last process in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill("SIGKILL");
    await this.#holder.exited;
  }
}

/** Waits until the child has left our namespace and become the holder. */
async function entered(holder: Holder): Promise<void> {
  const own = networkOf("self");
  const endMs = performance.now() + ENTER_TIMEOUT_MS;
  while (performance.now() < endMs) {
    if (holder.exitCode !== null) break;
    const network = networkOf(holder.pid);
    if (network !== "" && network !== own && (await isCat(holder.pid))) return;
    await Bun.sleep(POLL_MS);
  }
  if (holder.exitCode === null) {
    holder.kill("SIGKILL");
    throw new DemibunError({ operation: "lab", errno: ERRNO_ETIMEDOUT, detail: "unshare hangs" });
  }
  throw new DemibunError({
    operation: "lab",
    errno: ERRNO_EPERM,
    detail: `no namespace can be made: ${(await new Response(holder.stderr).text()).trim()}`,
    hint:
      "run as root, or allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1 " +
      "kernel.apparmor_restrict_unprivileged_userns=0 user.max_user_namespaces=10000",
  });
}

/** True once the program has been replaced: by then the user namespace's maps are written. */
async function isCat(pid: number): Promise<boolean> {
  const file = Bun.file(`/proc/${pid}/comm`);
  return (await file.text().catch(() => "")).trim() === "cat";
}
