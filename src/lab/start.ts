/**
 * `npm start`: serves HTTP on the stack in a lab of its own and lets the kernel's curl fetch from it.
 * `--keep` leaves the server up until Ctrl-C. Nothing is left behind.
 */
import { parseArgs } from "node:util";
import { randomBlock } from "../../examples/random-bytes";
import { DemibunError } from "../errors";
import { requireTools } from "./command";
import { canOpenTap, type Link, openTapLink, openVethLink, stackAddress } from "./link";
import { Server } from "./server";

const BYTES = 100 * 1024 * 1024;
const FETCH_TIMEOUT_SECONDS = "60";
const script = new URL("../../examples/http.ts", import.meta.url).pathname;

type BackendName = "tap" | "xdp" | "packet";

interface Lab extends AsyncDisposable {
  readonly backend: BackendName;
  readonly link: Link;
  readonly server: Server;
}

/** What this user can run here, best first. */
function candidates(): readonly BackendName[] {
  if (process.getuid?.() === 0) return ["xdp", "packet", "tap"];
  return canOpenTap() ? ["tap", "packet"] : ["packet"];
}

async function openWith(backend: BackendName): Promise<Lab> {
  const link = await (backend === "tap" ? openTapLink() : openVethLink());
  try {
    const server = await Server.start(link, script, {
      backend,
      arguments: ["--port", "80", "--stats"],
    });
    return {
      backend,
      link,
      server,
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await link[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await link[Symbol.asyncDispose]();
    throw error;
  }
}

/** Opens the first candidate that works, and says why the ones before did not. */
async function openLab(): Promise<Lab> {
  let last: unknown;
  for (const backend of candidates()) {
    try {
      return await openWith(backend);
    } catch (error) {
      if (!(error instanceof DemibunError)) throw error;
      console.log(`${backend} does not work here: ${error.message.replaceAll("\n", " ")}`);
      last = error;
    }
  }
  throw last;
}

function describe({ backend, link, server }: Lab): void {
  const where =
    link.kind === "tap"
      ? `a TAP device in a ${process.getuid?.() === 0 ? "" : "user and "}network namespace`
      : "a veth pair between two network namespaces";
  console.log(`lab:     ${where}`);
  console.log(`server:  demibun at ${stackAddress}, backend ${backend}, process ${server.pid}`);
  console.log(`client:  the kernel's TCP on ${link.kernelInterface}`);
}

/** SHA-256 of the bytes that /bytes/N serves. */
function expectedDigest(bytes: number): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (let index = 0, left = bytes; left > 0; index++) {
    const block = randomBlock(index);
    hash.update(left < block.length ? block.subarray(0, left) : block);
    left -= block.length;
  }
  return hash.digest("hex");
}

async function fetchPage({ link }: Lab): Promise<void> {
  const text = await link.kernelSide.run("curl", "-sS", "-m", "10", `http://${stackAddress}/`);
  console.log(`page:    curl got ${JSON.stringify(text.trim())}`);
}

/** Lets curl fetch `bytes`, hashes them as they come; says whether they are the right ones. */
async function fetchBytes({ link }: Lab, bytes: number): Promise<boolean> {
  const url = `http://${stackAddress}/bytes/${bytes}`;
  const command = ["curl", "-sS", "-m", FETCH_TIMEOUT_SECONDS, url];
  const startedMs = performance.now();
  const curl = Bun.spawn(link.kernelSide.command(...command), { stdout: "pipe", stderr: "pipe" });
  const hash = new Bun.CryptoHasher("sha256");
  let received = 0;
  for await (const chunk of curl.stdout) {
    hash.update(chunk);
    received += chunk.length;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const gigabits = (received * 8) / seconds / 1e9;
  console.log(
    `bytes:   curl got ${received} bytes in ${seconds.toFixed(2)} s: ` +
      `${(received / seconds / 1e6).toFixed(0)} MB/s, ${gigabits.toFixed(2)} Gb/s`,
  );
  if ((await curl.exited) !== 0)
    console.log(`curl:    ${(await new Response(curl.stderr).text()).trim()}`);
  const digest = hash.digest("hex");
  const equal = digest === expectedDigest(bytes);
  console.log(`sha-256: ${digest} ${equal ? "is what was sent" : "IS NOT what was sent"}`);
  return equal;
}

const shown = [
  "rxFrames",
  "txFrames",
  "tcpConnectionsAccepted",
  "tcpSegmentsReceived",
  "tcpSegmentsSent",
  "tcpRetransmissions",
  "icmpEchoReplies",
  "framesOut",
  "connectionsOpen",
] as const;

function report({ server }: Lab): void {
  const counters = shown.map((name) => `${name} ${server.statistics[name]}`);
  console.log(`stack:   ${counters.join(", ")}`);
}

/** Leaves the server up until Ctrl-C. */
async function keep({ link }: Lab): Promise<void> {
  const command = [...link.kernelSide.enter, "curl", `http://${stackAddress}/`].join(" ");
  console.log(`\nThe server stays up. From a second terminal of the same user:\n\n  ${command}\n`);
  console.log("Ctrl-C ends it.");
  const idle = setInterval(() => {}, 60_000);
  await interrupted;
  clearInterval(idle);
}

const interrupted = new Promise<void>((resolve) => {
  process.once("SIGINT", () => resolve());
  process.once("SIGTERM", () => resolve());
});

async function run(isKept: boolean): Promise<boolean> {
  requireTools("ip", "nsenter", "setpriv", "unshare", "curl");
  await using lab = await openLab();
  describe(lab);
  await fetchPage(lab);
  const equal = await fetchBytes(lab, BYTES);
  if (isKept) await keep(lab);
  const exitCode = await lab.server.stop();
  report(lab);
  return equal && exitCode === 0;
}

try {
  const { values } = parseArgs({ options: { keep: { type: "boolean", default: false } } });
  process.exitCode = (await run(values.keep)) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
