/**
 * Scripted peers of a stack: a test injects segments and says which ones must come out, with sequence
 * numbers relative to each side's initial one, and that nothing else does.
 */
import { expect } from "bun:test";
import type { Host } from "../host";
import { peerAddress } from "../packets";
import { Lab } from "./lab";
import { option, type Segment, segmentFrame } from "./segments";

/** A segment as a script names it. What is left out is not compared. */
export interface Script {
  /** Letters of "FSRPAUEC" in that order. */
  readonly flags: string;
  /** Relative to its sender's initial sequence number. */
  readonly seq?: number;
  /** Relative to its receiver's initial sequence number. */
  readonly ack?: number;
  readonly window?: number;
  readonly options?: readonly number[];
  /** Bytes of payload; compared with 0 when left out. */
  readonly length?: number;
  readonly payload?: Uint8Array;
  /** The ECN field of the IP header. */
  readonly codepoint?: number;
}

export interface PeerOptions {
  readonly address?: string;
  readonly port?: number;
  readonly hostPort?: number;
  /** Its initial sequence number. */
  readonly initial?: number;
  /** MSS option of its SYN, 0 for none. */
  readonly mss?: number;
  /** Window scale option of its SYN. */
  readonly scale?: number;
  /** Window field of its segments unless told otherwise. */
  readonly window?: number;
  /** Offers ECN when it opens (RFC 3168 section 6.1.1). */
  readonly ecn?: boolean;
}

/** One scripted end of a connection with the stack. */
export class Peer {
  readonly lab: Lab;
  readonly address: string;
  port: number;
  hostPort: number;
  initial: number;
  /** The stack's initial sequence number, from its last SYN. */
  hostInitial = 0;
  readonly synOptions: readonly number[];
  window: number;
  readonly ecn: boolean;

  constructor(lab: Lab, options: PeerOptions = {}) {
    this.lab = lab;
    this.address = options.address ?? peerAddress;
    this.port = options.port ?? 4000;
    this.hostPort = options.hostPort ?? 80;
    this.initial = options.initial ?? 1_000_000;
    this.window = options.window ?? 65535;
    this.ecn = options.ecn ?? false;
    const mss = options.mss ?? 1460;
    this.synOptions = [
      ...(mss === 0 ? [] : option.mss(mss)),
      ...(options.scale === undefined ? [] : option.scale(options.scale)),
    ];
  }

  /** The frame of one segment to the stack. */
  frame(flags: string, script: Omit<Script, "flags"> = {}, lies: object = {}): Uint8Array {
    const { seq = 0, ack = 0, length = 0 } = script;
    return segmentFrame({
      source: this.address,
      sourcePort: this.port,
      destinationPort: this.hostPort,
      sequence: this.initial + seq,
      acknowledgment: flags.includes("A") ? this.hostInitial + ack : 0,
      flags,
      window: script.window ?? this.window,
      options: script.options ?? [],
      payload: script.payload ?? new Uint8Array(length).fill(0x61),
      ...(script.codepoint === undefined ? {} : { codepoint: script.codepoint }),
      ...lies,
    });
  }

  /** Sends one segment to the stack. */
  inject(flags: string, script: Omit<Script, "flags"> = {}, lies: object = {}): void {
    this.lab.host.send(this.frame(flags, script, lies));
  }

  /** Takes the segments sent to this peer, with relative numbers. */
  take(): Required<Script>[] {
    this.lab.collect();
    const { hostPort, port, address } = this;
    const isMine = (segment: Segment) =>
      segment.sourcePort === hostPort &&
      segment.destinationPort === port &&
      segment.destination === address;
    const mine = this.lab.pending.filter(isMine);
    this.lab.pending = this.lab.pending.filter((segment) => !isMine(segment));
    return mine.map((segment) => this.#relative(segment));
  }

  #relative(segment: Segment): Required<Script> {
    const { flags, window, options, payload, codepoint } = segment;
    if (flags.includes("S")) this.hostInitial = segment.sequence;
    const seq = (segment.sequence - this.hostInitial) >>> 0;
    const ack = flags.includes("A") ? (segment.acknowledgment - this.initial) >>> 0 : 0;
    return { flags, seq, ack, window, options, length: payload.length, payload, codepoint };
  }

  /** Exactly these segments have been sent to this peer, and none to anybody else. */
  expect(...scripts: readonly Script[]): void {
    const sent = this.take();
    const seen = sent.map((segment, index) => {
      const script: Script = { length: 0, ...(scripts[index] ?? { flags: "" }) };
      const names = Object.keys(script) as (keyof Script)[];
      return Object.fromEntries(names.map((name) => [name, segment[name]]));
    });
    expect(seen).toEqual(scripts.map((script) => ({ length: 0, ...script })));
    this.lab.silence();
  }

  /** Three-way handshake with a listener, the peer's acknowledgment included. */
  open(): void {
    this.inject(this.ecn ? "SEC" : "S", { options: this.synOptions });
    this.expect({ flags: this.ecn ? "SAE" : "SA", seq: 0, ack: 1 });
    this.inject("A", { seq: 1, ack: 1 });
  }

  /** Opens to a listener and accepts; the connection's descriptor. */
  establish(listener: number): number {
    this.open();
    const qd = this.lab.accepted(listener);
    this.lab.silence();
    return qd;
  }

  /** Answers a connect of the stack's that has just started. */
  answer(): void {
    this.findSyn();
    this.expect({ flags: "S", seq: 0 });
    this.inject("SA", { ack: 1, options: this.synOptions });
    this.expect({ flags: "A", seq: 1, ack: 1 });
  }

  /** Learns from its SYN which port the stack connects from. */
  findSyn(): void {
    this.lab.collect();
    const syn = this.lab.pending.find(({ flags }) => flags === "S");
    if (syn === undefined) throw new Error("the stack has sent no SYN");
    this.hostPort = syn.sourcePort;
    this.port = syn.destinationPort;
  }
}

/** A stack with one established connection that it accepted. */
export function accepted(
  options: PeerOptions = {},
  ...host: ConstructorParameters<typeof Host>
): { lab: Lab; peer: Peer; qd: number; listener: number } {
  const lab = new Lab(...host);
  const listener = lab.listen();
  const peer = new Peer(lab, options);
  return { lab, peer, qd: peer.establish(listener), listener };
}

/** A stack with one established connection that it opened. */
export function connected(
  options: PeerOptions = {},
  ...host: ConstructorParameters<typeof Host>
): { lab: Lab; peer: Peer; qd: number } {
  const lab = new Lab(...host);
  const peer = new Peer(lab, options);
  const qd = lab.socket();
  const token = lab.connect(qd);
  peer.answer();
  expect(lab.result(token).errno).toBe(0);
  return { lab, peer, qd };
}
