/** Draws the boxes in the middle: on which links, and what they do to segments. */
import type { Random } from "../random";
import type { DrawnNetwork } from "./draw-network";
import type { FaultKind, Middlebox, ScenarioFlow, ScenarioLink } from "./scenario";

interface World {
  readonly network: DrawnNetwork;
  readonly flows: readonly ScenarioFlow[];
}

const MSS = 2;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const SACK = 5;
const TIMESTAMPS = 8;
const FAST_OPEN = 34;
const EXPERIMENT = 254;
const stripped = [
  [TIMESTAMPS],
  [SACK_PERMITTED],
  [SACK],
  [WINDOW_SCALE],
  [MSS],
  [FAST_OPEN, EXPERIMENT],
  [MSS, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS, FAST_OPEN, EXPERIMENT],
];

/** In the order in which they stand on a link: those that make segments come last. */
export const boxKinds = [
  "address translation",
  "sequence rewriting",
  "option stripping",
  "MSS clamping",
  "ECN bleaching",
  "ACK thinning",
  "blind resets",
  "segment splitting",
  "segment merging",
] as const;

/** Of each kind that is on one, on one of the links: several that cut segments would leave crumbs. */
export function drawBoxes(
  random: Random,
  kinds: ReadonlySet<FaultKind>,
  world: World,
): readonly ScenarioLink[] {
  const { links } = world.network;
  const placed = boxKinds
    .filter((kind) => kinds.has(kind))
    .map((kind) => {
      const own = random.split(kind);
      const link = own.split("link").pick(links);
      return { link, box: drawBox(own, kind, link, kinds, world) };
    });
  return links.map((link) => {
    const boxes = placed.flatMap((place) => (place.link === link && place.box ? [place.box] : []));
    return boxes.length === 0 ? link : { ...link, boxes };
  });
}

function drawBox(
  random: Random,
  kind: (typeof boxKinds)[number],
  link: ScenarioLink,
  kinds: ReadonlySet<FaultKind>,
  world: World,
): Middlebox | undefined {
  const way = random.split("way").pick(["ab", "ba"] as const);
  switch (kind) {
    case "option stripping":
      return { kind, options: random.pick(stripped) };
    case "MSS clamping":
      return { kind, mss: random.between(200, 1400) };
    case "sequence rewriting":
      if (!isWide(world)) return undefined;
      return { kind, offset: random.u32(), rewritesSack: random.split("sack").chance(0.7) };
    case "address translation":
      return drawTranslation(link, world);
    case "ECN bleaching":
      return { kind, where: random.pick(["ip", "syn"] as const) };
    case "ACK thinning":
      return { kind, way, intervalMs: round(random.magnitude(0.05, 50)) };
    case "segment splitting":
      // A ring that takes no segment whole takes none without a timeout.
      if (kinds.has("tiny ring")) return undefined;
      return { kind, way, pieces: random.between(2, 5) };
    case "segment merging":
      return { kind, way, mtu: narrowest(world), holdMs: round(random.magnitude(0.01, 5)) };
    case "blind resets":
      return drawBlindResets(random, way, kinds);
  }
}

/**
 * A reset that segments overtake might come when the number is right after all: it has to arrive in its
 * turn, and once.
 */
function drawBlindResets(
  random: Random,
  way: "ab" | "ba",
  kinds: ReadonlySet<FaultKind>,
): Middlebox | undefined {
  if (kinds.has("reordering") || kinds.has("duplication")) return undefined;
  return {
    kind: "blind resets",
    way,
    probability: round(random.magnitude(0.002, 0.2)),
    beyondBytes: Math.ceil(random.magnitude(1, 100_000)),
  };
}

/** Nothing comes in fragments, of which boxes see numbers and ports in the first at most. */
function isWide({ network }: World): boolean {
  return network.nodes.every(({ mtu }) => mtu === undefined);
}

/** On the link from a router to a host that only serves: to this one everybody appears as the router. */
function drawTranslation({ a, b }: ScenarioLink, world: World): Middlebox | undefined {
  const { network, flows } = world;
  const router = network.nodes.find(({ name }) => name === b);
  if (network.topology !== "routed" || router?.addresses === undefined) return undefined;
  if (!isWide(world)) return undefined;
  if (flows.some(({ client, protocol }) => client === a || protocol === "udp")) return undefined;
  const index = network.links.findIndex((link) => link.a === a);
  const outside = (router.addresses[index] as string).split("/")[0] as string;
  return { kind: "address translation", outside, inside: "b" };
}

/** What all stations take. */
function narrowest({ network }: World): number {
  return Math.min(network.mtu, ...network.nodes.map(({ mtu = network.mtu }) => mtu));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
