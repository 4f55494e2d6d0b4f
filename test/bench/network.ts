/** The network benchmarks' stage: a link, one server on our stack or the kernel's, pinned to a CPU. */
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireTools, runCommand } from "../../src/lab/command";
import { type Link, openTapLink, openVethLink, prefix, stackAddress } from "../../src/lab/link";
import { labConfig, Server } from "../../src/lab/server";
import { buildClient, type Target } from "./client/client";
import type { Service } from "./server/service";

export const backends = ["tap", "packet", "xdp"] as const;
export type BackendName = (typeof backends)[number];
/** The kernel's own stack at the server's end of a veth, for comparison. */
const bunListenAddress = "10.77.0.3";

export type Placement = "same-cpu" | "cross-cpu";
const CLIENT_CPU = 0;
const SERVER_CPU: Readonly<Record<Placement, number>> = { "same-cpu": 0, "cross-cpu": 1 };

const PORT = 7;
const TAP_DEVICE = "/dev/net/tun";
/** On one CPU a polling server would only keep the client from running. */
const SPIN_US: Readonly<Record<Placement, number>> = { "same-cpu": 0, "cross-cpu": 1000 };

const scripts = {
  stack: new URL("./server/stack-server.ts", import.meta.url).pathname,
  kernel: new URL("./server/kernel-server.ts", import.meta.url).pathname,
};

export const placementConditions: Readonly<Record<Placement, string>> = {
  "same-cpu": "client and server share one CPU, our server sleeps as soon as it is idle",
  "cross-cpu": "client and server on a CPU each, our server polls for 1 ms before it sleeps",
};

/** Which links the two servers were measured on. */
export function pairConditions(backend: BackendName): string {
  const link = backend === "tap" ? "a TAP" : "a veth pair between two namespaces";
  return (
    `our server: blocking waits over ${link}; Bun.listen: the kernel's stack over a veth pair ` +
    "between two namespaces; measured in turns, Reno, MTU 1500"
  );
}

function mayOpenTap(): boolean {
  try {
    accessSync(TAP_DEVICE, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why the network benchmarks over a backend cannot run here. */
export function networkObstacle(backend: BackendName): string | undefined {
  try {
    requireTools("gcc", "ip", "nsenter", "setpriv", "sysctl", "taskset", "unshare");
  } catch (error) {
    return (error as Error).message;
  }
  if (backend === "xdp" && process.getuid?.() !== 0) return "AF_XDP needs root";
  if (backend === "tap" && !mayOpenTap()) return `${TAP_DEVICE} may not be opened by this user`;
  if (navigator.hardwareConcurrency < 2) return "the client and the server need a CPU each";
  return undefined;
}

/** The link of a backend, with an address for the kernel's own stack beside ours on a veth. */
async function openLink(backend: BackendName | "kernel"): Promise<Link> {
  const link = backend === "tap" ? await openTapLink() : await openVethLink();
  if (link.kind === "veth") {
    const address = `${bunListenAddress}/${prefix}`;
    await link.stackSide.run("ip", "address", "add", address, "dev", link.stackInterface);
  }
  // BBR, some hosts' default, paces by its own estimates and would measure those; of the others only
  // Reno may be chosen in a namespace on every host.
  for (const side of new Set([link.stackSide, link.kernelSide])) {
    await side.run("sysctl", "-qw", "net.ipv4.tcp_congestion_control=reno");
  }
  return link;
}

/** Starts a server on its CPU; disposing it ends it. */
async function start(
  link: Link,
  script: string,
  service: Service,
  placement: Placement,
  config: object,
): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "demibun-bench-"));
  const path = join(folder, "config.yaml");
  writeFileSync(path, JSON.stringify(config));
  try {
    const server = await Server.start(link, script, {
      backend: "tap",
      arguments: [service, `${PORT}`],
      environment: { CONFIG_PATH: path },
    });
    await runCommand(["taskset", "-apc", `${SERVER_CPU[placement]}`, `${server.pid}`]);
    return server;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function target(link: Link, address: string): Target {
  return { namespace: link.kernelSide, address, port: PORT, cpu: CLIENT_CPU };
}

/**
 * Measures the service on our stack and with Bun.listen in turns, `rounds` times each, so that what
 * else the machine does meets both. Each has a link of its own: a filter or program of ours on the
 * kernel's would slow it down. Both servers sleep while the other is measured.
 */
export async function betweenServers<T>(
  backend: BackendName,
  service: Service,
  placement: Placement,
  rounds: number,
  measure: (target: Target) => Promise<T>,
): Promise<{ readonly ours: T[]; readonly peers: T[] }> {
  await buildClient();
  await using link = await openLink(backend);
  await using peerLink = await openLink("kernel");
  const runtime = { spin_us: SPIN_US[placement] };
  const config = { ...labConfig(link, { backend }), runtime };
  await using ourServer = await start(link, scripts.stack, service, placement, config);
  await using peerServer = await start(peerLink, scripts.kernel, service, placement, {});
  const ours: T[] = [];
  const peers: T[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await told(ourServer, measure(target(link, stackAddress))));
    peers.push(await told(peerServer, measure(target(peerLink, bunListenAddress))));
  }
  return { ours, peers };
}

/** Adds what the server said to the client's failure: a server that died is its cause. */
async function told<T>(server: Server, measured: Promise<T>): Promise<T> {
  try {
    return await measured;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${server.stderr}`.trim(), { cause: error });
  }
}
