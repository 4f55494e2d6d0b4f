/** A program of ours that runs on the stack inside a lab, as a child process bounded in time. */
import { ERRNO_EIO, ERRNO_ETIMEDOUT } from "../../assembly/layout";
import { DemibunError } from "../errors";
import { type Link, prefix, stackAddress } from "./link";

const READY_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 10_000;
const LIFETIME_MS = 10 * 60_000;

export interface ServerOptions {
  readonly backend: "tap" | "xdp" | "packet";
  /** Keys that replace or join those of inetstack_config. */
  readonly inetstack?: Readonly<Record<string, unknown>> | undefined;
  readonly arguments?: readonly string[] | undefined;
  /** A module that runs before the script. */
  readonly preload?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** The configuration of a stack at the lab's address, as the object that YAML or JSON says. */
export function labConfig(link: Link, options: ServerOptions): object {
  return {
    demikernel: { local_ipv4_addr: stackAddress, local_ipv4_prefix: prefix },
    raw_socket: { backend: options.backend, linux_interface_name: link.stackInterface },
    inetstack_config: { time_wait_ms: 200, ...options.inetstack },
  };
}

export class Server implements AsyncDisposable {
  readonly #child: Bun.Subprocess<Blob, "pipe", "pipe">;
  readonly #output: Promise<void>;
  readonly #errors: Promise<void>;
  #ready!: (line: string) => void;
  readonly #firstLine: Promise<string>;
  stdout = "";
  stderr = "";

  private constructor(child: Bun.Subprocess<Blob, "pipe", "pipe">) {
    this.#child = child;
    this.#firstLine = new Promise((resolve) => {
      this.#ready = resolve;
    });
    this.#output = this.#read(child.stdout, (text) => {
      this.stdout += text;
      if (this.stdout.includes("\n")) this.#ready(this.stdout);
    });
    this.#errors = this.#read(child.stderr, (text) => {
      this.stderr += text;
    });
  }

  /** Starts a script in the link's stack side and waits for the first line that it prints. */
  static async start(link: Link, script: string, options: ServerOptions): Promise<Server> {
    // JSON is YAML; standard input leaves no file behind, whatever ends us.
    const config = new Blob([JSON.stringify(labConfig(link, options))]);
    const preload = options.preload === undefined ? [] : ["--preload", options.preload];
    const program = [process.execPath, ...preload, script, ...(options.arguments ?? [])];
    const child = Bun.spawn(link.stackSide.command(...program), {
      env: {
        ...process.env,
        LIBOS: "catpowder",
        CONFIG_PATH: "/dev/stdin",
        ...options.environment,
      },
      stdin: config,
      stdout: "pipe",
      stderr: "pipe",
      timeout: LIFETIME_MS,
      killSignal: "SIGKILL",
      // Ctrl-C is ours to answer, in our order.
      detached: true,
    });
    const server = new Server(child);
    try {
      await server.#waitReady(script);
      return server;
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Asks the program to end and waits for that; its exit code. */
  async stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    return this.ended();
  }

  /** Ends the program as a crash would. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended();
  }

  /** The last line of the error output that is JSON: what `--stats` prints at the end. */
  get statistics(): Readonly<Record<string, number>> {
    const line = this.stderr.split("\n").findLast((text) => text.startsWith("{"));
    return line === undefined ? {} : JSON.parse(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
  }

  async #waitReady(script: string): Promise<void> {
    const ended = this.#child.exited.then(() => "ended");
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, READY_TIMEOUT_MS, "late");
    });
    const first = await Promise.race([this.#firstLine, ended, late]);
    clearTimeout(timer);
    if (first !== "ended" && first !== "late") return;
    await (first === "ended" ? this.#errors : undefined);
    throw new DemibunError({
      operation: "lab",
      errno: first === "late" ? ERRNO_ETIMEDOUT : ERRNO_EIO,
      detail: `${script} did not start\n${this.stdout}${this.stderr}`.trim(),
    });
  }

  /** Waits for the end of a program that is about to end; kills it when it does not. */
  async ended(): Promise<number> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    const code = await this.#child.exited;
    clearTimeout(timer);
    await Promise.all([this.#output, this.#errors]);
    return code;
  }

  async #read(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
  }
}
