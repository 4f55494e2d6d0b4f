/** Draws which stations there are, the links between them and what each direction does to frames. */
import type { DelayOptions, DirectionOptions, QueueOptions } from "../network/options";
import type { Random } from "../random";
import type { FaultKind, ScenarioLink, ScenarioNode, Topology } from "./scenario";

/** A host to be, with its place in the network. */
export interface Site {
  readonly name: string;
  readonly address: string;
  readonly gateway?: string | undefined;
}

export interface DrawnNetwork {
  readonly topology: Topology;
  readonly sites: readonly Site[];
  readonly nodes: readonly ScenarioNode[];
  readonly links: readonly ScenarioLink[];
  /** Largest IP packet of the hosts. */
  readonly mtu: number;
}

type Kinds = ReadonlySet<FaultKind>;
type Joints = readonly (readonly [a: string, b: string, isBottleneck: boolean])[];

interface Plan {
  readonly sites: readonly Site[];
  readonly nodes: readonly ScenarioNode[];
  readonly joints: Joints;
}

const mtus = [1500, 1500, 1500, 576, 1280, 1006];
const routerMtus = [1492, 1400, 1006, 576, 296];
/** Routers that pass on less than their hosts send. */
const NARROW_SHARE = 0.4;

export function drawNetwork(random: Random, kinds: Kinds): DrawnNetwork {
  const topology = drawTopology(random.split("topology"));
  const { sites, nodes, joints } = plans[topology](random.split("sites"));
  const mtu = random.split("mtu").pick(mtus);
  const links = joints.map(([a, b, isBottleneck], index): ScenarioLink => {
    const direction = (which: string) =>
      drawDirection(random.split(`link/${index}/${which}`), kinds, isBottleneck);
    return { a, b, ab: direction("ab"), ba: direction("ba") };
  });
  const routers = nodes.map((node) => drawRouterMtu(random.split(`mtu/${node.name}`), node, mtu));
  return { topology, sites, nodes: routers, links, mtu };
}

function drawTopology(random: Random): Topology {
  const share = random.float();
  if (share < 0.5) return "pair";
  if (share < 0.7) return "star";
  return share < 0.87 ? "routed" : "dumbbell";
}

function drawRouterMtu(random: Random, node: ScenarioNode, hostMtu: number): ScenarioNode {
  if (node.kind !== "router" || !random.chance(NARROW_SHARE)) return node;
  const mtu = random.pick(routerMtus);
  return mtu < hostMtu ? { ...node, mtu } : node;
}

const plans: Readonly<Record<Topology, (random: Random) => Plan>> = {
  pair: () => ({
    sites: [site("a", 1, 1), site("b", 1, 2)],
    nodes: [],
    joints: [["a", "b", true]],
  }),
  star: (random) => {
    const sites = siteNames(random.between(2, 5)).map((name, index) => site(name, 1, index + 1));
    return {
      sites,
      nodes: [{ name: "switch", kind: "switch" }],
      joints: sites.map(({ name }) => [name, "switch", true]),
    };
  },
  routed: (random) => {
    const sites = siteNames(random.between(2, 4)).map((name, index) =>
      site(name, index + 1, 2, true),
    );
    return {
      sites,
      nodes: [{ name: "router", kind: "router", addresses: gateways(sites.length) }],
      joints: sites.map(({ name }) => [name, "router", true]),
    };
  },
  /** Pairs of hosts on two switches with one narrow link between two routers. */
  dumbbell: (random) => {
    const pairs = random.between(1, 3);
    const names = siteNames(pairs * 2);
    const sites = names.map((name, index) => site(name, 1 + (index % 2), 10 + index, true));
    const joints: Joints = [
      ["left", "right", true],
      ["west", "left", false],
      ["east", "right", false],
      ...names.map((name, index) => [name, index % 2 === 0 ? "west" : "east", false] as const),
    ];
    const nodes: ScenarioNode[] = [
      {
        name: "left",
        kind: "router",
        addresses: ["10.0.9.1/30", "10.0.1.1/24"],
        routes: [{ to: "10.0.2.0/24", via: "10.0.9.2" }],
      },
      {
        name: "right",
        kind: "router",
        addresses: ["10.0.9.2/30", "10.0.2.1/24"],
        routes: [{ to: "10.0.1.0/24", via: "10.0.9.1" }],
      },
      { name: "west", kind: "switch" },
      { name: "east", kind: "switch" },
    ];
    return { sites, nodes, joints };
  },
};

function siteNames(count: number): string[] {
  return [..."abcdefgh"].slice(0, count);
}

function site(name: string, network: number, host: number, isRouted = false): Site {
  const address = `10.0.${network}.${host}/24`;
  return isRouted ? { name, address, gateway: `10.0.${network}.1` } : { name, address };
}

function gateways(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `10.0.${index + 1}.1/24`);
}

/** A fault that is on is on in some directions. */
const DIRECTION_SHARE = 0.7;

function drawDirection(random: Random, kinds: Kinds, isBottleneck: boolean): DirectionOptions {
  const has = (kind: FaultKind): boolean =>
    kinds.has(kind) && random.split(`has/${kind}`).chance(DIRECTION_SHARE);
  const share = (kind: FaultKind, highest: number): number =>
    round(random.split(kind).magnitude(0.001, highest), 5);
  const delay = isBottleneck ? drawDelay(random.split("delay"), has("jitter")) : 0.01;
  const narrow = has("short queue") || has("early drop");
  const bandwidth = random.split("bandwidth");
  const isLimited = isBottleneck && (narrow || bandwidth.chance(0.6));
  const bandwidthBitsPerSecond = Math.round(bandwidth.magnitude(narrow ? 5e5 : 1e6, 1e9));
  return {
    delayMs: delay,
    ...(isLimited && { bandwidthBitsPerSecond }),
    ...(isLimited && narrow && { queue: drawQueue(random.split("queue"), has("early drop")) }),
    ...(has("loss") && { loss: share("loss", 0.2) }),
    ...(has("burst loss") && { loss: drawBurstLoss(random.split("burst loss")) }),
    ...(has("duplication") && { duplicate: share("duplication", 0.3) }),
    ...(has("reordering") && { reorder: drawReordering(random.split("reordering")) }),
    ...(has("corruption") && {
      // A burst may leave the sum as it was; a flipped byte never does.
      corrupt: {
        probability: share("corruption", 0.05),
        what: random.split("corruption/what").pick(["bit", "byte"] as const),
      },
    }),
    ...(has("truncation") && { truncate: { probability: share("truncation", 0.05) } }),
    ...(has("rate limit") && {
      rateLimit: {
        bitsPerSecond: Math.round(random.split("rate limit").magnitude(5e5, 1e8)),
        burstBytes: Math.round(random.split("rate limit/burst").magnitude(4000, 60_000)),
      },
    }),
  };
}

function drawDelay(random: Random, hasJitter: boolean): DelayOptions {
  const mean = round(random.magnitude(0.01, 120), 3);
  if (!hasJitter) return mean;
  const shape = random.pick(["uniform", "normal", "exponential"] as const);
  if (shape === "uniform") return { uniform: [0, round(mean * 2, 3)] };
  if (shape === "normal") return { normal: { mean, deviation: round(mean / 3, 3) } };
  return { exponential: { minimum: round(mean / 4, 3), mean } };
}

function drawQueue(random: Random, isEarly: boolean): QueueOptions {
  const bytesMax = Math.round(random.magnitude(3000, 60_000));
  if (!isEarly) {
    const marks = random.split("marks").chance(0.3);
    const markBytes = Math.round(bytesMax / 4);
    return { kind: "drop-tail", bytesMax, ...(marks && { markBytes }) };
  }
  const marksEcn = random.chance(0.5);
  if (random.chance(0.5)) return { kind: "codel", bytesMax: bytesMax * 4, marksEcn };
  const minimumBytes = Math.round(bytesMax / 4);
  return { kind: "red", minimumBytes, maximumBytes: bytesMax, bytesMax: bytesMax * 2, marksEcn };
}

function drawBurstLoss(random: Random) {
  const goodToBad = round(random.magnitude(0.001, 0.05), 5);
  return { gilbertElliott: { goodToBad, badToGood: round(random.magnitude(0.1, 0.8), 3) } };
}

function drawReordering(random: Random) {
  const probability = round(random.magnitude(0.001, 0.3), 5);
  if (random.chance(0.5)) return { swap: probability };
  return { probability, extraMs: round(random.magnitude(0.1, 300), 3) };
}

/** Short numbers for those who read scenarios. */
function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
