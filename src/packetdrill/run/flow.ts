/**
 * Conversations under test, and what is called differently in the script and on the wire: the ports
 * that the system chose, its initial sequence number, its timestamps. The remote side is the script
 * itself, so its numbers go to the wire as they are written.
 */
import { TCP_ACK, TCP_SYN } from "../../packet/types";
import type { PacketAction } from "../language/script";
import type { RunOptions } from "./options";

export type FlowProtocol = "tcp" | "udp";

/** Remote ports for conversations whose script names none. */
const FIRST_REMOTE_PORT = 33_000;

export class Flow {
  readonly protocol: FlowProtocol;
  /** On the wire. */
  readonly localPort: number;
  /** The same on the wire and in the script. */
  readonly remotePort: number;
  /** What the script calls the local port, once it named it. */
  scriptLocalPort: number | undefined;
  /** Wire minus script, of sequence numbers that the system sends; undefined before its first. */
  offset: number | undefined;
  #remoteSyn: number | undefined;
  #learnsAgain = false;
  /** Timestamp values that the system sent: by the script's, the wire's. */
  readonly #timestamps = new Map<number, number>();
  #firstTimestamp: { readonly script: number; readonly wire: number } | undefined;

  constructor(protocol: FlowProtocol, localPort: number, remotePort: number) {
    this.protocol = protocol;
    this.localPort = localPort;
    this.remotePort = remotePort;
  }

  /** A packet of the script goes out: a SYN of another number begins another connection. */
  noticeInbound(flags: number, sequence: number): void {
    if ((flags & (TCP_SYN | TCP_ACK)) !== TCP_SYN) return;
    if (this.#remoteSyn !== undefined && this.#remoteSyn !== sequence) this.#learnsAgain = true;
    this.#remoteSyn = sequence;
  }

  /** The system's first segment, or the first SYN of another connection, fixes the offset. */
  learn(flags: number, wire: number, script: number | undefined): void {
    const isSyn = (flags & TCP_SYN) !== 0;
    if (this.offset !== undefined && !(isSyn && this.#learnsAgain)) return;
    // What is no SYN echoes a number that the script itself sent.
    this.offset = isSyn ? (wire - (script ?? 0)) >>> 0 : 0;
    this.#learnsAgain = false;
  }

  toWire(sequence: number): number {
    return (sequence + (this.offset ?? 0)) >>> 0;
  }

  toScript(sequence: number): number {
    return (sequence - (this.offset ?? 0)) >>> 0;
  }

  /** A timestamp value that the system sent, in the script's numbers. */
  timestampToScript(wire: number): number {
    const first = this.#firstTimestamp;
    return first === undefined ? wire : (wire - first.wire + first.script) >>> 0;
  }

  /** An expected packet came with this timestamp. */
  noteTimestamp(script: number, wire: number): void {
    this.#firstTimestamp ??= { script, wire };
    this.#timestamps.set(script, wire);
  }

  get knowsTimestamps(): boolean {
    return this.#firstTimestamp !== undefined;
  }

  /** What an echo of the script's value is on the wire; undefined when it was never sent. */
  timestampToWire(script: number): number | undefined {
    return this.#timestamps.get(script);
  }
}

export class Flows {
  readonly #options: RunOptions;
  readonly #flows: Flow[] = [];
  #remotePort = FIRST_REMOTE_PORT;
  /** The conversation that packets without ports belong to. */
  current: Flow | undefined;
  /** Of the socket under test. */
  #boundPort: number | undefined;
  #connectedPort: number | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  /** A new socket is under test. */
  socketMade(): void {
    this.current = undefined;
    this.#boundPort = undefined;
    this.#connectedPort = undefined;
  }

  bound(port: number): void {
    this.#boundPort = port;
  }

  connected(port: number): void {
    this.#connectedPort = port;
    this.current = undefined;
  }

  /** The conversation that a packet of the script belongs to; a new one if need be. */
  ofScript(action: PacketAction): Flow {
    const protocol = protocolOf(action) ?? this.current?.protocol ?? "tcp";
    const { ports } = action;
    if (ports === undefined) {
      if (this.current?.protocol === protocol) return this.current;
      const remote = this.#connectedPort ?? this.#remotePort++;
      return this.#add(new Flow(protocol, this.#boundPort ?? this.#options.bindPort, remote));
    }
    const isInbound = action.direction === "inbound";
    const remote = isInbound ? ports.source : ports.destination;
    const local = isInbound ? ports.destination : ports.source;
    const known = this.#flows.find(
      (flow) =>
        flow.protocol === protocol &&
        flow.remotePort === remote &&
        (flow.scriptLocalPort ?? flow.localPort) === local,
    );
    return known ?? this.#add(new Flow(protocol, local, remote));
  }

  /** The conversation of a packet that the system sent; a new one if need be. */
  ofWire(protocol: FlowProtocol, localPort: number, remotePort: number): Flow {
    const known = this.#flows.find(
      (flow) =>
        flow.protocol === protocol &&
        flow.localPort === localPort &&
        flow.remotePort === remotePort,
    );
    return known ?? this.#add(new Flow(protocol, localPort, remotePort));
  }

  #add(flow: Flow): Flow {
    this.#flows.push(flow);
    this.current ??= flow;
    return flow;
  }
}

function protocolOf(action: PacketAction): FlowProtocol | undefined {
  if (action.body.kind !== "icmp") return action.body.kind;
  const echoed = action.body.echoed?.kind;
  return echoed === "tcp" || echoed === "udp" ? echoed : undefined;
}
