/**
 * What a run of the swarm is made of: plain data, which a seed draws, JSON prints, the shrinker takes
 * pieces out of, and `demibun sim --scenario FILE` runs again.
 */
import type { StackOptions } from "../../wasm/stack-options";
import type { DirectionOptions } from "../network/options";

/** The classes of adversity of which a seed draws a subset. */
export const faultKinds = [
  "loss",
  "burst loss",
  "jitter",
  "reordering",
  "duplication",
  "corruption",
  "truncation",
  "short queue",
  "early drop",
  "rate limit",
  "partition",
  "link down",
  "pause",
  "crash",
  "tiny ring",
  "back-pressure",
  "clock drift",
  "slow host",
  "small pools",
  "option stripping",
  "MSS clamping",
  "sequence rewriting",
  "address translation",
  "ECN bleaching",
  "ACK thinning",
  "segment splitting",
  "segment merging",
  "blind resets",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** What a box on a link does, for as long as the run lasts. `way`: of one direction. */
export type Middlebox =
  /** Of these kinds (RFC 9293 section 3.1). */
  | { readonly kind: "option stripping"; readonly options: readonly number[] }
  | { readonly kind: "MSS clamping"; readonly mss: number }
  /** Of what a sends. */
  | {
      readonly kind: "sequence rewriting";
      readonly offset: number;
      readonly rewritesSack: boolean;
    }
  /** Everybody on its side `inside` appears as `outside`. */
  | {
      readonly kind: "address translation";
      readonly outside: string;
      readonly inside: "a" | "b";
    }
  | { readonly kind: "ECN bleaching"; readonly where: "ip" | "syn" }
  | { readonly kind: "ACK thinning"; readonly way: "ab" | "ba"; readonly intervalMs: number }
  | { readonly kind: "segment splitting"; readonly way: "ab" | "ba"; readonly pieces: number }
  | {
      readonly kind: "segment merging";
      readonly way: "ab" | "ba";
      readonly mtu: number;
      readonly holdMs: number;
    }
  | {
      readonly kind: "blind resets";
      readonly way: "ab" | "ba";
      readonly probability: number;
      readonly beyondBytes: number;
    };

export const topologies = ["pair", "star", "routed", "dumbbell"] as const;

export type Topology = (typeof topologies)[number];

export interface ScenarioHost {
  readonly name: string;
  /** Address and prefix length, `"10.0.1.2/24"`. */
  readonly address: string;
  readonly gateway?: string | undefined;
  readonly mtu?: number | undefined;
  readonly driftPpm?: number | undefined;
  /** What its clock shows at the start. */
  readonly clockStartUs?: number | undefined;
  readonly turnUs?: number | undefined;
  readonly backPressureBytes?: number | undefined;
  /** What differs from the usual options of a simulated stack. */
  readonly stack?: Partial<Omit<StackOptions, "seed">> | undefined;
}

/** A station that forwards. A router has an address in the network of each of its links. */
export interface ScenarioNode {
  readonly name: string;
  readonly kind: "switch" | "router";
  /** A router's, one for each link it is in, in the order of `links`: `"10.0.1.1/24"`. */
  readonly addresses?: readonly string[] | undefined;
  /** A router's: largest IP packet that it sends anywhere; without it the hosts'. */
  readonly mtu?: number | undefined;
  /** A router's, beyond its own networks: to `"10.0.2.0/24"` via the router at `"10.0.9.2"`. */
  readonly routes?: readonly { readonly to: string; readonly via: string }[] | undefined;
}

export interface ScenarioLink {
  /** Names of hosts or nodes. */
  readonly a: string;
  readonly b: string;
  readonly ab: DirectionOptions;
  readonly ba: DirectionOptions;
  /** In the order in which they see what the link's ends send. */
  readonly boxes?: readonly Middlebox[] | undefined;
}

/** How an application hands over what it has to send. */
export interface Writing {
  /** Bytes of one push; drawn anew up to this for each push where `isRandom`. */
  readonly bytesMax: number;
  readonly isRandom?: boolean | undefined;
  /** Pause between a push that was taken and the next. */
  readonly gapMs?: number | undefined;
}

/** How an application takes what arrives. */
export interface Reading {
  /** For `pop(qd, sizeMax)`; all there is when left out. */
  readonly sizeMax?: number | undefined;
  /** Once it has read this many bytes, it does not read for `stallMs`. */
  readonly stallAfterBytes?: number | undefined;
  readonly stallMs?: number | undefined;
}

/**
 * How an end finishes. `half-close`: ends its sending direction, reads on to the end, then closes.
 * `close`: closes outright once everything is sent and everything expected has come. `last`: waits
 * for the peer's end before it ends its own. `abort`: resets after `abortAfterBytes` sent or
 * received. `unread`: closes with data unread after as many received bytes, which resets as well.
 */
export type Ending = "half-close" | "close" | "last" | "abort" | "unread";

export interface ScenarioEnd {
  /** Bytes to send on each connection; nothing to draw for the server of an echo. */
  readonly sendBytes: number;
  readonly writing: Writing;
  readonly reading: Reading;
  readonly ending: Ending;
  readonly abortAfterBytes?: number | undefined;
  readonly noDelay?: boolean | undefined;
  readonly sendBufferBytes?: number | undefined;
  readonly receiveBufferBytes?: number | undefined;
}

export const patterns = ["stream", "echo", "ping-pong"] as const;

export interface TcpFlow {
  readonly protocol: "tcp";
  readonly name: string;
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly startMs: number;
  /** Connections one after another. */
  readonly connections: number;
  readonly backlog: number;
  /**
   * `stream`: both ends send when they like. `echo`: the server sends back what comes. `ping-pong`:
   * requests and replies of `messageBytes`, as often as `sendBytes` of the client allows.
   */
  readonly pattern: (typeof patterns)[number];
  readonly messageBytes?: number | undefined;
  /** The calls on queues, or the handler objects of `tcp.listen` and `tcp.connect`. */
  readonly interface: "queues" | "handlers";
  /** Fast Open (RFC 7413): whether both ends use it, and without cookies. */
  readonly fastOpen?: "cookies" | "without cookies" | undefined;
  readonly clientEnd: ScenarioEnd;
  readonly serverEnd: ScenarioEnd;
}

export interface UdpFlow {
  readonly protocol: "udp";
  readonly name: string;
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly startMs: number;
  /** The server sends each one back. */
  readonly datagrams: number;
  readonly datagramBytes: number;
  readonly gapMs: number;
}

export type ScenarioFlow = TcpFlow | UdpFlow;

/** What happens to a link or host from `atMs` until `untilMs`, at the latest until the healing. */
export type TimedFault =
  | {
      readonly kind: "partition";
      /** Index in `links`. */
      readonly link: number;
      readonly which: "ab" | "ba" | "both";
      readonly atMs: number;
      readonly untilMs: number;
    }
  | {
      readonly kind: "down";
      readonly link: number;
      readonly atMs: number;
      readonly untilMs: number;
    }
  | {
      readonly kind: "pause" | "crash";
      readonly host: string;
      readonly atMs: number;
      readonly untilMs: number;
    };

export interface Scenario {
  readonly version: 1;
  /** Seeds the streams of hosts, links and applications. */
  readonly seed: number;
  readonly topology: Topology;
  /** What the draw switched on: for tables of what was covered. */
  readonly kinds: readonly FaultKind[];
  readonly hosts: readonly ScenarioHost[];
  readonly nodes: readonly ScenarioNode[];
  readonly links: readonly ScenarioLink[];
  readonly flows: readonly ScenarioFlow[];
  readonly faults: readonly TimedFault[];
  /** When everything heals; from then on all flows must complete. */
  readonly faultsMs: number;
}
