/** Draws what the hosts are like: their stacks' options, buffers and pools, clocks and speed. */
import type { StackOptions } from "../../wasm/stack-options";
import type { Random } from "../random";
import type { DrawnNetwork } from "./draw-network";
import type { FaultKind, ScenarioHost } from "./scenario";

type Kinds = ReadonlySet<FaultKind>;

/** Of the hosts, those that a kind which is on applies to. */
const HOST_SHARE = 0.6;
/** Of the runs, those with windows of hundreds of segments. */
const WIDE_SHARE = 0.05;
const WIDE: Partial<StackOptions> = {
  frames: 2048,
  receiveBufferBytes: 1 << 20,
  sendBufferBytes: 1 << 20,
  // Megabytes in tiny segments would take too long.
  mssBytes: 0,
};

export function drawHosts(
  random: Random,
  kinds: Kinds,
  { sites, mtu }: DrawnNetwork,
): ScenarioHost[] {
  // A device that holds packets back is asked again often.
  const isSlow = kinds.has("small pools") || kinds.has("back-pressure");
  const isWide = !isSlow && random.split("wide").chance(WIDE_SHARE);
  return sites.map((place): ScenarioHost => {
    const own = random.split(place.name);
    const has = (kind: FaultKind): boolean =>
      kinds.has(kind) && own.split(`has/${kind}`).chance(HOST_SHARE);
    const turnUs = Math.round(own.split("turn").magnitude(1, 3000));
    return {
      ...place,
      ...(mtu !== 1500 && { mtu }),
      ...(has("clock drift") && { driftPpm: own.split("drift").between(-20_000, 20_000) }),
      ...drawClock(own.split("clock")),
      ...(has("slow host") && { turnUs }),
      ...(has("back-pressure") && {
        backPressureBytes: Math.round(own.split("back-pressure").magnitude(2000, 50_000)),
      }),
      stack: {
        ...drawOptions(own.split("options"), mtu),
        ...drawPools(own.split("pools"), has),
        ...(isWide && WIDE),
      },
    };
  });
}

/** Says whether connections of these hosts have windows worth megabytes. */
export function areWide(hosts: readonly ScenarioHost[]): boolean {
  return hosts.every(({ stack }) => stack?.sendBufferBytes === WIDE.sendBufferBytes);
}

/** Now and then a clock whose lower half, its sign or its ticks of 128 µs are about to wrap. */
function drawClock(random: Random): Pick<ScenarioHost, "clockStartUs"> {
  if (random.chance(0.6)) return {};
  const wrapUs = random.pick([2 ** 31, 2 ** 32, 2 ** 38, 2 ** 39]);
  return { clockStartUs: wrapUs - Math.round(random.magnitude(1e3, 2e7)) };
}

function drawOptions(random: Random, mtu: number): Partial<StackOptions> {
  const bufferBytes = (purpose: string) =>
    Math.round(random.split(purpose).magnitude(4096, 131_072));
  const mssBytes = Math.min(mtu - 40, random.split("mss").pick([0, 0, 0, 1400, 536, 216, 88]));
  return {
    receiveBufferBytes: bufferBytes("receive-buffer"),
    sendBufferBytes: bufferBytes("send-buffer"),
    ...drawGrowth(random.split("growth")),
    ...(random.split("quick-acks").chance(0.2) && { quickAcks: false }),
    ...(mssBytes > 0 && { mssBytes }),
    rtoMinUs: random.split("rto").pick([200_000, 200_000, 1_000_000, 50_000, 10_000]),
    delayedAckUs: random.split("delayed-ack").pick([40_000, 40_000, 200_000, 5000, 0]),
    timeWaitUs: random.split("time-wait").pick([1_000_000, 5_000_000, 30_000_000]),
    noDelay: random.split("no-delay").chance(0.6),
    ...(random.split("timestamps").chance(0.25) && { timestamps: false }),
    ...(random.split("sack").chance(0.25) && { sack: false }),
    ...drawKeepAlive(random.split("keep-alive")),
    congestionControl: random
      .split("controller")
      .pick(["cubic", "cubic", "newreno", "dctcp"] as const),
    ecn: random.split("ecn").pick(["on", "on", "passive", "off"] as const),
    ...(random.split("pacing").chance(0.25) && { pacing: true }),
    arpTtlUs: random.split("arp-ttl").pick([15_000_000, 5_000_000, 1_000_000]),
  };
}

/** Buffers that grow, if to little: pools are small. */
function drawGrowth(random: Random): Partial<StackOptions> {
  if (random.chance(0.5)) return {};
  const bytes = () => Math.round(random.magnitude(16_384, 262_144));
  return { receiveBufferMaxBytes: bytes(), sendBufferMaxBytes: bytes() };
}

/** Probes that come often and, however many are lost, end nothing. */
function drawKeepAlive(random: Random): Partial<StackOptions> {
  if (random.chance(0.75)) return {};
  const keepAliveIdleMs = random.pick([50, 300, 2000]);
  return { keepAlive: true, keepAliveIdleMs, keepAliveIntervalMs: 5000, keepAliveProbes: 127 };
}

function drawPools(random: Random, has: (kind: FaultKind) => boolean): Partial<StackOptions> {
  const isSmall = has("small pools");
  // A flow takes a listener and a connection of a host; one short of that, they wait for each other.
  const ringEntries = has("tiny ring") ? random.split("ring").pick([4, 8, 16]) : 64;
  return {
    frames: isSmall ? ringEntries + random.split("frames").between(24, 200) : 512,
    connections: isSmall ? random.split("connections").between(9, 16) : 32,
    queues: isSmall ? random.split("queues").between(9, 16) : 48,
    tokens: isSmall ? random.split("tokens").between(10, 64) : 128,
    neighbours: 16,
    datagramSockets: 8,
    ringEntries,
  };
}
