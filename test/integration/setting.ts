/** The labs that the integration tests run in: every backend that this user can open. */
import { describe, expect, test } from "bun:test";
import { DemibunError } from "../../src/errors";
import { requireTools } from "../../src/lab/command";
import { canOpenTap, type Link, openTapLink, openVethLink } from "../../src/lab/link";
import { Server, type ServerOptions } from "../../src/lab/server";

export type BackendName = ServerOptions["backend"];

export const root = new URL("../../", import.meta.url).pathname;
const isRoot = process.getuid?.() === 0;

const clients = ["ab", "curl", "ping", "socat", "wrk", isRoot ? "tcpdump" : "dumpcap"];
const tools = ["ethtool", "ip", "nsenter", "setpriv", "unshare", ...clients];

/** Why these tests cannot run on this machine; undefined when they can. CI has to have the tools. */
export const obstacle = lacking();

function lacking(): string | undefined {
  try {
    requireTools(...tools);
    return undefined;
  } catch (error) {
    if (process.env.CI !== undefined || !(error instanceof DemibunError)) throw error;
    return error.hint;
  }
}

/** Only root loads XDP programs; a packet socket works in any user namespace. */
export const backendNames: readonly BackendName[] = [
  ...(canOpenTap() ? (["tap"] as const) : []),
  ...(isRoot ? (["xdp"] as const) : []),
  "packet",
];

/** Runs tests over every backend, or says what this machine lacks for them. */
export function overBackends(tests: (backend: BackendName) => void): void {
  if (obstacle === undefined) describe.each(backendNames)("%s", tests);
  else test.skip(`over every backend (cannot run: ${obstacle})`, () => {});
}

/** Real programs under load need their time; nothing here may hang the suite. */
export const TEST_TIMEOUT_MS = 120_000;
/** Longer than the lab's TIME_WAIT and ARP lifetime, so that what is idle is gone. */
const SETTLE_MS = 2500;

export function openLink(backend: BackendName): Promise<Link> {
  return backend === "tap" ? openTapLink() : openVethLink();
}

export interface ProgramOptions extends Partial<ServerOptions> {
  readonly backend: BackendName;
}

/** Starts one of our programs; its ARP entries expire quickly, so that gauges return to zero. */
export function startProgram(link: Link, path: string, options: ProgramOptions): Promise<Server> {
  return Server.start(link, root + path, {
    ...options,
    inetstack: { arp_cache_ttl: 1, ...options.inetstack },
  });
}

export function startHttp(link: Link, options: ProgramOptions): Promise<Server> {
  return startProgram(link, "examples/http.ts", {
    ...options,
    arguments: ["--port", "80", "--stats"],
  });
}

const gauges = ["framesOut", "connectionsOpen", "timersArmed", "tokensOut", "queuesOpen"] as const;

/** Lets a program's timers run out, ends it, and says that everything went back to its pool. */
export async function expectCleanStop(server: Server): Promise<void> {
  await Bun.sleep(SETTLE_MS);
  expect(await server.stop()).toBe(0);
  const { statistics } = server;
  const left = Object.fromEntries(gauges.map((name) => [name, statistics[name]]));
  expect(left).toEqual({
    framesOut: 0,
    connectionsOpen: 0,
    timersArmed: 0,
    tokensOut: 0,
    queuesOpen: 0,
  });
}
