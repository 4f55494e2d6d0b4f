/** Draws who talks to whom, how much, and how well their applications behave. */
import type { Random } from "../random";
import { areWide } from "./draw-hosts";
import type { DrawnNetwork } from "./draw-network";
import {
  type Ending,
  type FaultKind,
  patterns,
  type Reading,
  type ScenarioEnd,
  type ScenarioFlow,
  type ScenarioHost,
  type TcpFlow,
  type UdpFlow,
  type Writing,
} from "./scenario";

interface World {
  readonly hosts: readonly ScenarioHost[];
  readonly network: DrawnNetwork;
  readonly faultsMs: number;
}

const FIRST_PORT = 80;
const FLOWS_MAX = 4;
/** What one application sends on one connection. */
const SEND_BYTES_MAX = 1_000_000;
/** The same where windows are wide. */
const WIDE_BYTES_MAX = 2_000_000;
/** Of one application on one connection: events, not bytes, take the time. */
const WRITES_MAX = 1200;
const MESSAGES_MAX = 60;
const PAUSES_MS = 10_000;

export function drawFlows(random: Random, kinds: ReadonlySet<FaultKind>, world: World) {
  const count = random.split("count").between(1, FLOWS_MAX);
  return Array.from({ length: count }, (_, index): ScenarioFlow => {
    const own = random.split(`${index}`);
    const [client, server] = drawEnds(own.split("ends"), world.hosts);
    const place = {
      name: `flow${index + 1}`,
      client,
      server,
      port: FIRST_PORT + index,
      startMs: Math.round(own.split("start").magnitude(1, Math.min(2000, world.faultsMs)) - 1),
    };
    const isUdp = own.split("protocol").chance(0.12);
    if (isUdp) return drawUdp(own.split("udp"), place);
    const flow = drawTcp(own.split("tcp"), place, kinds);
    return areWide(world.hosts) ? widened(flow, own.split("wide")) : flow;
  });
}

/** One end sends much, as fast as it may. */
function widened(flow: TcpFlow, random: Random): TcpFlow {
  if (flow.pattern !== "stream" || flow.connections > 1) return flow;
  const side = random.pick(["clientEnd", "serverEnd"] as const);
  const sendBytes = Math.round(random.magnitude(300_000, WIDE_BYTES_MAX));
  const { sendBufferBytes: _, ...end } = flow[side];
  return { ...flow, [side]: { ...end, sendBytes, writing: { bytesMax: 65_536 } } };
}

type Place = Pick<TcpFlow, "name" | "client" | "server" | "port" | "startMs">;

function drawEnds(random: Random, hosts: readonly ScenarioHost[]): [string, string] {
  const names = hosts.map(({ name }) => name);
  const client = random.pick(names);
  return [client, random.pick(names.filter((name) => name !== client))];
}

function drawUdp(random: Random, place: Place): UdpFlow {
  return {
    protocol: "udp",
    ...place,
    datagrams: random.split("count").between(1, 40),
    datagramBytes: Math.floor(random.split("bytes").magnitude(1, 6000)),
    gapMs: round(random.split("gap").magnitude(0.01, 100)),
  };
}

/**
 * A full backlog answers by SYN cookies. What overtakes the first segment of a connection opened so is
 * refused, as its number is not the cookie's (RFC 4987 section 3.6), so such scenarios would fail rightly.
 */
function drawBacklog(random: Random, kinds: ReadonlySet<FaultKind>): number {
  return kinds.has("reordering") ? 16 : random.pick([1, 1, 2, 4, 16]);
}

function drawTcp(random: Random, place: Place, kinds: ReadonlySet<FaultKind>): TcpFlow {
  const pattern = random.split("pattern").pick(patterns);
  const isMany = random.split("many").chance(0.15);
  const connections = isMany ? random.split("connections").between(2, 12) : 1;
  const bytesMax = isMany ? 5000 : SEND_BYTES_MAX;
  const client = drawEnd(random.split("client"), bytesMax);
  const server = drawEnd(random.split("server"), bytesMax);
  const endings = drawEndings(random.split("endings"));
  const messageBytes = Math.ceil(random.split("message").magnitude(1, 20_000));
  const clientBytes =
    pattern === "ping-pong" ? wholeMessages(client.sendBytes, messageBytes) : client.sendBytes;
  const serverBytes = pattern === "stream" ? server.sendBytes : clientBytes;
  return {
    protocol: "tcp",
    ...place,
    connections,
    backlog: drawBacklog(random.split("backlog"), kinds),
    pattern,
    ...(pattern === "ping-pong" && { messageBytes }),
    interface: random.split("interface").chance(0.2) ? "handlers" : "queues",
    ...drawFastOpen(random.split("fast-open"), kinds),
    clientEnd: {
      ...client,
      sendBytes: clientBytes,
      writing: bounded(client.writing, clientBytes),
      ...endings.client,
    },
    serverEnd: {
      ...server,
      sendBytes: pattern === "stream" ? serverBytes : 0,
      writing: bounded(server.writing, serverBytes),
      ...endings.server,
    },
  };
}

/**
 * Data of a SYN that comes twice, or after the connection that its repetition has opened, are delivered
 * twice (RFC 7413 section 2), which no flow here expects.
 */
function drawFastOpen(random: Random, kinds: ReadonlySet<FaultKind>): Pick<TcpFlow, "fastOpen"> {
  if (kinds.has("duplication") || kinds.has("reordering") || !random.chance(0.3)) return {};
  return { fastOpen: random.chance(0.5) ? "cookies" : "without cookies" };
}

/** No more than WRITES_MAX writes for `bytes`, and ten seconds of pauses between them. */
function bounded(writing: Writing, bytes: number): Writing {
  const bytesMax = Math.max(writing.bytesMax, Math.ceil(bytes / WRITES_MAX));
  if (writing.gapMs === undefined) return { ...writing, bytesMax };
  const writes = Math.max(1, (2 * bytes) / bytesMax);
  return { ...writing, bytesMax, gapMs: round(Math.min(writing.gapMs, PAUSES_MS / writes)) };
}

/** Not too many: each costs a round trip. */
function wholeMessages(bytes: number, messageBytes: number): number {
  return Math.min(MESSAGES_MAX, Math.max(1, Math.round(bytes / messageBytes))) * messageBytes;
}

function drawEnd(random: Random, bytesMax: number): Omit<ScenarioEnd, "ending"> {
  const bytes = random.split("bytes");
  const isNothing = bytes.chance(0.08);
  const isLarge = bytes.chance(0.15);
  const size = Math.floor(bytes.magnitude(1, isLarge ? bytesMax : Math.min(60_000, bytesMax)));
  const writing = drawWriting(random.split("writing"));
  const options = random.split("options");
  // Small writes are for small transfers.
  const sendBytes = Math.min(size, writing.bytesMax * WRITES_MAX);
  return {
    sendBytes: isNothing ? 0 : sendBytes,
    writing,
    reading: drawReading(random.split("reading"), sendBytes),
    ...(options.chance(0.2) && { noDelay: options.chance(0.5) }),
    ...(options.chance(0.15) && { sendBufferBytes: Math.round(options.magnitude(4096, 65_536)) }),
    ...(options.chance(0.15) && {
      receiveBufferBytes: Math.round(options.magnitude(4096, 65_536)),
    }),
  };
}

function drawWriting(random: Random): Writing {
  const kind = random.below(4);
  if (kind === 0) return { bytesMax: 65_536 };
  if (kind === 1) return { bytesMax: Math.ceil(random.magnitude(1, 20)) };
  const bytesMax = Math.ceil(random.magnitude(20, 20_000));
  if (kind === 2) return { bytesMax, isRandom: true };
  return { bytesMax, isRandom: true, gapMs: round(random.magnitude(0.01, 50)) };
}

function drawReading(random: Random, bytes: number): Reading {
  const kind = random.below(4);
  const sizeMax = Math.ceil(random.magnitude(50, 20_000));
  const stallAfterBytes = random.below(bytes + 1);
  const stallMs = Math.round(random.magnitude(10, 8000));
  if (kind === 0) return { sizeMax };
  if (kind === 1) return { stallAfterBytes, stallMs };
  return kind === 2 && random.chance(0.5) ? { sizeMax, stallAfterBytes, stallMs } : {};
}

/** Endings that fit together: a close outright needs a peer that does not wait for more. */
function drawEndings(random: Random): Record<"client" | "server", Pick<ScenarioEnd, "ending">> {
  const share = random.float();
  const rude = (): Pick<ScenarioEnd, "ending" | "abortAfterBytes"> => ({
    ending: random.pick(["abort", "unread"] as const),
    abortAfterBytes: Math.floor(random.magnitude(1, 50_000)) - 1,
  });
  const orderly = (): { ending: Ending } => ({
    ending: random.pick(["half-close", "half-close", "close"] as const),
  });
  const client = orderly();
  const server = share < 0.3 ? { ending: "last" as const } : orderly();
  if (share > 0.94) return { client: rude(), server };
  if (share > 0.88) return { client, server: rude() };
  if (share > 0.75) return { client: { ending: "last" }, server: { ending: "half-close" } };
  return { client, server };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
