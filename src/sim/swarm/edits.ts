/**
 * Small changes that make a scenario simpler. Each answers the changed scenario, or undefined when
 * there is nothing left to change in its place.
 */
import type { DirectionOptions } from "../network/options";
import type {
  Scenario,
  ScenarioEnd,
  ScenarioFlow,
  ScenarioHost,
  TcpFlow,
  TimedFault,
} from "./scenario";

export type Edit = (scenario: Scenario) => Scenario | undefined;

/** Changes of one element: undefined for one that is simple already. */
type Change<T> = (element: T) => T | undefined;

/** All edits that may apply to this scenario, those that take most away first. */
export function simplifications(scenario: Scenario): Edit[] {
  const { flows, hosts, links, faults } = scenario;
  return [
    ...flows.flatMap((_, index) => flowChanges.map((change) => inFlow(index, change))),
    ...links.flatMap(({ boxes = [] }, index) => boxes.map((_, box) => withoutBox(index, box))),
    ...links.flatMap((_, index) =>
      (["ab", "ba"] as const).flatMap((way) =>
        directionChanges.map((change) => inDirection(index, way, change)),
      ),
    ),
    ...hosts.flatMap((_, index) => hostChanges.map((change) => inHost(index, change))),
    sameMtu,
    wideRouters,
    ...faults.map((_, index) => inFault(index, shorterFault)),
    shorterPhase,
  ];
}

function replaced<T>(list: readonly T[], at: number, change: Change<T>): T[] | undefined {
  const element = list[at];
  const changed = element === undefined ? undefined : change(element);
  return changed === undefined
    ? undefined
    : list.map((one, index) => (index === at ? changed : one));
}

function inFlow(index: number, change: Change<ScenarioFlow>): Edit {
  return (scenario) => {
    const flows = replaced(scenario.flows, index, change);
    return flows && { ...scenario, flows };
  };
}

function inHost(index: number, change: Change<ScenarioHost>): Edit {
  return (scenario) => {
    const hosts = replaced(scenario.hosts, index, change);
    return hosts && { ...scenario, hosts };
  };
}

function inFault(index: number, change: Change<TimedFault>): Edit {
  return (scenario) => {
    const faults = replaced(scenario.faults, index, change);
    return faults && { ...scenario, faults };
  };
}

function inDirection(index: number, way: "ab" | "ba", change: Change<DirectionOptions>): Edit {
  return (scenario) => {
    const links = replaced(scenario.links, index, (link) => {
      const changed = change(link[way]);
      return changed && { ...link, [way]: changed };
    });
    return links && { ...scenario, links };
  };
}

function withoutBox(index: number, at: number): Edit {
  return (scenario) => {
    const links = replaced(scenario.links, index, ({ boxes = [], ...link }) => {
      if (boxes[at] === undefined) return undefined;
      const rest = boxes.filter((_, place) => place !== at);
      return rest.length === 0 ? link : { ...link, boxes: rest };
    });
    return links && { ...scenario, links };
  };
}

/** The element without a key. */
function without<T extends object>(key: keyof T): Change<T> {
  return (element) => {
    if (!(key in element)) return undefined;
    const { [key]: _, ...rest } = element;
    return rest as T;
  };
}

function halved(value: number): number | undefined {
  return value <= 1 ? undefined : Math.floor(value / 2);
}

const directionChanges: readonly Change<DirectionOptions>[] = [
  ...(
    [
      "truncate",
      "corrupt",
      "duplicate",
      "reorder",
      "rateLimit",
      "loss",
      "queue",
      "bandwidthBitsPerSecond",
    ] as const
  ).map((key) => without<DirectionOptions>(key)),
  (direction) => (direction.delayMs === 1 ? undefined : { ...direction, delayMs: 1 }),
];

const stackKeys = [
  "delayedAckUs",
  "rtoMinUs",
  "noDelay",
  "timestamps",
  "sack",
  "keepAlive",
  "mssBytes",
  "congestionControl",
  "ecn",
  "pacing",
  "arpTtlUs",
  "frames",
  "connections",
  "queues",
  "tokens",
  "ringEntries",
  "quickAcks",
  "receiveBufferMaxBytes",
  "sendBufferMaxBytes",
  "receiveBufferBytes",
  "sendBufferBytes",
] as const;

const hostChanges: readonly Change<ScenarioHost>[] = [
  without<ScenarioHost>("driftPpm"),
  without<ScenarioHost>("turnUs"),
  without<ScenarioHost>("clockStartUs"),
  without<ScenarioHost>("backPressureBytes"),
  ...stackKeys.map((key): Change<ScenarioHost> => (host) => {
    const stack = host.stack && without<NonNullable<ScenarioHost["stack"]>>(key)(host.stack);
    return stack && { ...host, stack };
  }),
];

/** One of all hosts, or routers and hosts would not agree. */
function sameMtu(scenario: Scenario): Scenario | undefined {
  if (scenario.hosts.every(({ mtu }) => mtu === undefined)) return undefined;
  return { ...scenario, hosts: scenario.hosts.map(({ mtu: _, ...host }) => host) };
}

/** Routers that pass on all that the hosts send. */
function wideRouters(scenario: Scenario): Scenario | undefined {
  if (scenario.nodes.every(({ mtu }) => mtu === undefined)) return undefined;
  return { ...scenario, nodes: scenario.nodes.map(({ mtu: _, ...node }) => node) };
}

function shorterFault(fault: TimedFault): TimedFault | undefined {
  const lastsMs = halved(fault.untilMs - fault.atMs);
  return lastsMs === undefined ? undefined : { ...fault, untilMs: fault.atMs + lastsMs };
}

function shorterPhase(scenario: Scenario): Scenario | undefined {
  const faultsMs = halved(scenario.faultsMs);
  return faultsMs === undefined ? undefined : { ...scenario, faultsMs };
}

const endChanges: readonly Change<ScenarioEnd>[] = [
  (end) => (end.sendBytes === 0 ? undefined : { ...end, sendBytes: 0 }),
  ({ sendBytes, ...end }) => {
    const half = halved(sendBytes);
    return half === undefined ? undefined : { ...end, sendBytes: half };
  },
  (end) => (Object.keys(end.reading).length === 0 ? undefined : { ...end, reading: {} }),
  (end) => {
    const { bytesMax, ...rest } = end.writing;
    const isPlain = bytesMax === 65_536 && Object.keys(rest).length === 0;
    return isPlain ? undefined : { ...end, writing: { bytesMax: 65_536 } };
  },
  without<ScenarioEnd>("noDelay"),
  without<ScenarioEnd>("sendBufferBytes"),
  without<ScenarioEnd>("receiveBufferBytes"),
];

const tcpChanges: readonly Change<TcpFlow>[] = [
  (flow) => (flow.connections === 1 ? undefined : { ...flow, connections: 1 }),
  (flow) => (flow.interface === "queues" ? undefined : { ...flow, interface: "queues" }),
  (flow) => (flow.pattern === "stream" ? undefined : { ...flow, pattern: "stream" }),
  (flow) => {
    const { clientEnd, serverEnd } = flow;
    if (clientEnd.ending === "half-close" && serverEnd.ending === "half-close") return undefined;
    const orderly = ({ abortAfterBytes: _, ...end }: ScenarioEnd): ScenarioEnd => ({
      ...end,
      ending: "half-close",
    });
    return { ...flow, clientEnd: orderly(clientEnd), serverEnd: orderly(serverEnd) };
  },
  (flow) => {
    const connections = halved(flow.connections);
    return connections === undefined ? undefined : { ...flow, connections };
  },
  ...(["clientEnd", "serverEnd"] as const).flatMap((side) =>
    endChanges.map((change): Change<TcpFlow> => (flow) => {
      const end = change(flow[side]);
      return end && { ...flow, [side]: end };
    }),
  ),
];

const flowChanges: readonly Change<ScenarioFlow>[] = [
  ...tcpChanges.map(
    (change): Change<ScenarioFlow> =>
      (flow) =>
        flow.protocol === "tcp" ? change(flow) : undefined,
  ),
  (flow) => {
    if (flow.protocol !== "udp") return undefined;
    const datagrams = halved(flow.datagrams);
    return datagrams === undefined ? undefined : { ...flow, datagrams };
  },
  (flow) => (flow.startMs === 0 ? undefined : { ...flow, startMs: 0 }),
];
