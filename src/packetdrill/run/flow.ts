/**
 * Conversations under test, and what is called differently in the script and on the wire: the ports
 * that the system chose, its initial sequence number, its timestamps. The remote side is the script
 * itself, so its initial number goes to the wire as it is written.
 */
import { TCP_ACK, TCP_RST, TCP_SYN } from "../../packet/types";
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
  /** Its socket is under test no more: another one has been made. */
  isFormer = false;
  /** The system's ISN on the wire and in the script; undefined before its first segment. */
  #localIsn: { readonly wire: number; readonly script: number } | undefined;
  /** The script's own ISN, which goes to the wire as it is written. */
  #remoteIsn = 0;
  /** Of the script's last SYN, which may turn out to begin a connection. */
  #remoteSyn: number | undefined;
  #learnsAgain = false;
  /** Both ends' numbers are known: a SYN-ACK of the script changes nothing any more. */
  #isSettled = false;
  /** Timestamp values that the system sent: by the script's, the wire's. */
  readonly #timestamps = new Map<number, number>();
  #firstTimestamp: { readonly script: number; readonly wire: number } | undefined;

  constructor(protocol: FlowProtocol, localPort: number, remotePort: number) {
    this.protocol = protocol;
    this.localPort = localPort;
    this.remotePort = remotePort;
  }

  get knowsNumbers(): boolean {
    return this.#localIsn !== undefined;
  }

  /**
   * A packet of the script goes out: a SYN of another number begins another connection, a SYN-ACK tells
   * the script's ISN of the one that the system is opening.
   */
  noticeInbound(flags: number, sequence: number): void {
    if ((flags & TCP_SYN) === 0) return;
    if ((flags & TCP_ACK) !== 0) {
      if (!this.#isSettled) this.#remoteIsn = sequence;
      return;
    }
    if (this.#remoteSyn !== undefined && this.#remoteSyn !== sequence) this.#learnsAgain = true;
    this.#remoteSyn = sequence;
  }

  /** The system's first segment, or the first SYN of another connection, tells its ISN. */
  learn(flags: number, wire: number, script: number | undefined): void {
    const isSyn = (flags & TCP_SYN) !== 0;
    if (!isSyn && (flags & TCP_RST) === 0) this.#isSettled = true;
    if (this.#localIsn !== undefined && !(isSyn && this.#learnsAgain)) return;
    this.#learnsAgain = false;
    // What is no SYN echoes a number that the script itself sent.
    this.#localIsn = isSyn ? { wire, script: script ?? 0 } : { wire: 0, script: 0 };
    if (!isSyn) return;
    this.#isSettled = (flags & TCP_ACK) !== 0;
    this.#remoteIsn = this.#remoteSyn ?? 0;
  }

  /**
   * A number of the system's in a packet of these flags. As in the original interpreter numbers are
   * those of the connection in packets with SYN, and count from the ISN in all others.
   */
  toWire(sequence: number, flags = 0): number {
    return (sequence + this.#localBase(flags)) >>> 0;
  }

  toScript(sequence: number, flags = 0): number {
    return (sequence - this.#localBase(flags)) >>> 0;
  }

  #localBase(flags: number): number {
    const isn = this.#localIsn;
    if (isn === undefined) return 0;
    return (flags & TCP_SYN) === 0 ? isn.wire : isn.wire - isn.script;
  }

  /** A number of the script's own. */
  remoteToWire(sequence: number, flags: number): number {
    return (flags & TCP_SYN) === 0 ? (sequence + this.#remoteIsn) >>> 0 : sequence;
  }

  remoteToScript(sequence: number, flags: number): number {
    return (flags & TCP_SYN) === 0 ? (sequence - this.#remoteIsn) >>> 0 : sequence;
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
    if (this.current !== undefined) this.current.isFormer = true;
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
