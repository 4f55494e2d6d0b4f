/** The kernel's clients against the stack: real programs in the lab's other namespace. */
import { expect } from "bun:test";
import { randomBlock } from "../../examples/random-bytes";
import { type Link, stackAddress } from "../../src/lab/link";

const TRANSFER_TIMEOUT_SECONDS = 60;

export interface Transfer {
  readonly sha256: string;
  readonly bytes: number;
  readonly megabytesPerSecond: number;
}

/** The first `bytes` bytes of the sequence that /bytes/N serves. */
export function randomBytes(bytes: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes);
  for (let at = 0, index = 0; at < bytes; index++) {
    const block = randomBlock(index).subarray(0, bytes - at);
    result.set(block, at);
    at += block.length;
  }
  return result;
}

export function sha256(bytes: Uint8Array<ArrayBuffer>): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

function curl(link: Link, ...options: string[]): string[] {
  const limit = ["-m", `${TRANSFER_TIMEOUT_SECONDS}`];
  return link.kernelSide.command("curl", "-sS", ...limit, ...options);
}

/** Fetches a path and hashes what comes. Fails the test when curl fails. */
export async function get(link: Link, path: string): Promise<Transfer> {
  const startedMs = performance.now();
  const child = Bun.spawn(curl(link, `http://${stackAddress}${path}`), {
    stdout: "pipe",
    stderr: "pipe",
  });
  const hash = new Bun.CryptoHasher("sha256");
  let bytes = 0;
  for await (const chunk of child.stdout) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  const megabytesPerSecond = bytes / (performance.now() - startedMs) / 1000;
  expect(await new Response(child.stderr).text()).toBe("");
  expect(await child.exited).toBe(0);
  return { sha256: hash.digest("hex"), bytes, megabytesPerSecond };
}

/** Sends `body` by PUT; what the server says it received. Fails the test when curl fails. */
export async function put(link: Link, body: Uint8Array<ArrayBuffer>): Promise<Transfer> {
  const startedMs = performance.now();
  const child = Bun.spawn(curl(link, "-T", "-", "-f", `http://${stackAddress}/upload`), {
    stdin: new Blob([body]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const answer = await new Response(child.stdout).text();
  const megabytesPerSecond = body.length / (performance.now() - startedMs) / 1000;
  expect(await new Response(child.stderr).text()).toBe("");
  expect(await child.exited).toBe(0);
  const [sha256 = "", bytes = ""] = answer.trim().split(" ");
  return { sha256, bytes: Number(bytes), megabytesPerSecond };
}

/** Pings and returns how many of `count` echoes came back. */
export async function ping(link: Link, count: number, payloadBytes: number): Promise<number> {
  const options = ["-c", `${count}`, "-i", "0.05", "-W", "2", "-w", "8", "-s", `${payloadBytes}`];
  const { stdout } = await link.kernelSide.try(["ping", ...options, stackAddress]);
  return Number(/(\d+) received/.exec(stdout)?.[1] ?? 0);
}

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Failed requests and socket errors of any kind. */
  readonly failures: number;
  /** What the program printed, for a failed test's message. */
  readonly text: string;
}

function number(pattern: RegExp, text: string): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

/** 256 kept connections for `seconds`. */
export async function wrk(link: Link, seconds: number): Promise<LoadResult> {
  const command = ["wrk", "-c", "256", "-t", "2", "-d", `${seconds}s`, `http://${stackAddress}/`];
  const timeoutMs = (seconds + 20) * 1000;
  const { stdout, stderr, exitCode } = await link.kernelSide.try(command, { timeoutMs });
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
    stdout,
  );
  const counts = (errors ?? []).slice(1).map(Number);
  const failures = counts.reduce((sum, count) => sum + count, 0);
  return {
    requests: number(/(\d+) requests in/, stdout),
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/, stdout),
    failures: failures + number(/Non-2xx or 3xx responses: (\d+)/, stdout) + exitCode,
    text: stdout + stderr,
  };
}

/** `count` requests on a new connection each, 50 at once. */
export async function ab(link: Link, count: number): Promise<LoadResult> {
  const command = ["ab", "-q", "-s", "20", "-n", `${count}`, "-c", "50", `http://${stackAddress}/`];
  const result = await link.kernelSide.try(command, { timeoutMs: 60_000 });
  const text = result.stdout + result.stderr;
  return {
    requests: number(/Complete requests:\s+(\d+)/, text),
    requestsPerSecond: number(/Requests per second:\s+([\d.]+)/, text),
    failures:
      number(/Failed requests:\s+(\d+)/, text) +
      number(/Non-2xx responses:\s+(\d+)/, text) +
      result.exitCode,
    text,
  };
}
