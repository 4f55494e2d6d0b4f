/** Builds the kernel's client (client.c) once and runs it in a namespace. */
import { mkdirSync } from "node:fs";
import { build } from "hdr-histogram-js";
import { isFresh } from "../../../build/output";
import { runCommand } from "../../../src/lab/command";
import type { Namespace } from "../../../src/lab/namespace";

const source = new URL("./client.c", import.meta.url).pathname;
const folder = new URL("../../../build/native/", import.meta.url).pathname;
const program = `${folder}bench-client`;
const TIMEOUT_MS = 30_000;
/** Times are recorded in units of 10 ns: finer than any clock here, and in the histogram's range. */
const UNIT_NS = 10;
const HIGHEST = 1e9 / UNIT_NS;

export interface Target {
  readonly namespace: Namespace;
  readonly address: string;
  readonly port: number;
  /** The processor the client runs on. */
  readonly cpu: number;
}

export interface RoundTrips {
  readonly p50Us: number;
  readonly p99Us: number;
}

export async function buildClient(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  if (isFresh([program], [source])) return;
  const partial = `${program}.${process.pid}`;
  await runCommand(["gcc", "-O2", "-std=gnu11", source, "-o", partial]);
  await runCommand(["mv", partial, program]);
}

async function run(target: Target, mode: string, ...words: string[]): Promise<Uint8Array> {
  const { namespace, address, port, cpu } = target;
  const child = Bun.spawn(
    namespace.command(program, mode, address, `${port}`, `${cpu}`, ...words),
    { stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: TIMEOUT_MS, killSignal: "SIGKILL" },
  );
  const [output, errors, code] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(errors.trim() || `the client ended with ${code}`);
  return output;
}

/** `count` round trips of 64 bytes; `poll`: the client never sleeps. */
export async function echo(target: Target, count: number, poll: boolean): Promise<RoundTrips> {
  const output = await run(target, "echo", `${count}`, ...(poll ? ["poll"] : []));
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST,
    numberOfSignificantValueDigits: 3,
  });
  const samples = new Uint32Array(output.slice().buffer);
  if (samples.length !== count) throw new Error(`${samples.length} of ${count} round trips`);
  for (const sample of samples) histogram.recordValue(Math.round(sample / UNIT_NS));
  const microseconds = (percentile: number) =>
    (histogram.getValueAtPercentile(percentile) * UNIT_NS) / 1000;
  return { p50Us: microseconds(50), p99Us: microseconds(99) };
}

/** Gb/s of payload in one direction, seen from the client. */
export async function bulk(
  target: Target,
  direction: "send" | "receive",
  durationMs: number,
): Promise<number> {
  const output = await run(target, direction, `${durationMs}`);
  const [bytes, tookNs] = new BigUint64Array(output.slice().buffer);
  if (bytes === undefined || tookNs === undefined) throw new Error("the client told nothing");
  return (Number(bytes) * 8) / Number(tookNs);
}
