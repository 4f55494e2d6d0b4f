/**
 * A stack with one interface and scripted peers: a test injects segments and says which ones must
 * come out, with sequence numbers relative to each side's initial one, and that nothing else does.
 */
import { afterEach, expect } from "bun:test";
import {
  COUNTER_CONNECTIONS_OPEN,
  COUNTER_QUEUES_OPEN,
  COUNTER_TIMERS_ARMED,
  COUNTER_TOKENS_OUT,
  KIND_DATAGRAM,
  KIND_STREAM,
  SOCKET_OPTION_LINGER,
} from "../../../assembly/layout";
import { parseIpv4 } from "../../../src/wasm/address";
import { type Completion, Host } from "../host";
import { isArp, peerAddress, peerMac } from "../packets";
import { option, readSegment, type Segment, segmentFrame } from "./segments";

/** A segment as a script names it. What is left out is not compared. */
export interface Script {
  /** Letters of "FSRPAU" in that order. */
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
}

const opened: Lab[] = [];

/** At quiescence nothing is out of any pool, whatever a test did. */
afterEach(() => {
  for (const lab of opened.splice(0)) lab.finish();
});

export class Lab {
  readonly host: Host;
  /** Segments sent and not yet expected. */
  pending: Segment[] = [];
  /** Takes what is sent instead of `pending`. */
  wire: ((frame: Uint8Array, segment: Segment) => void) | undefined;
  readonly #results = new Map<number, Completion>();
  readonly #descriptors = new Set<number>();

  /** Pieces of one packet that the device takes. */
  readonly #chainMax: number;

  constructor(...options: ConstructorParameters<typeof Host>) {
    this.host = new Host(...options);
    this.#chainMax = options[1]?.chainMax ?? 16;
    this.host.stack.setNeighbour(0, parseIpv4(peerAddress, "test"), peerMac);
    opened.push(this);
  }

  /** Reads what the stack has sent and completed. */
  collect(): void {
    for (const completion of this.host.completions()) {
      this.#results.set(completion.token, completion);
      if (completion.accepted !== 0) this.#descriptors.add(completion.accepted);
    }
    for (const packet of this.host.sent()) {
      expect(packet.pieces).toBeLessThanOrEqual(this.#chainMax);
      if (isArp(packet.bytes)) continue;
      const segment = readSegment(packet);
      if (this.wire === undefined) this.pending.push(segment);
      else this.wire(packet.bytes, segment);
    }
  }

  /** Leaves a completion unread, so that the stack sends nothing before the next `collect`. */
  hold(): void {
    const { exports } = this.host.stack;
    this.#start(exports.close(exports.socket(KIND_DATAGRAM)));
  }

  /** Nothing has been sent to anybody. */
  silence(): void {
    this.collect();
    expect(this.pending).toEqual([]);
  }

  advance(milliseconds: number, stepMs = 10): void {
    this.host.advance(milliseconds * 1000, stepMs * 1000);
  }

  /** Advances and says that nothing is sent meanwhile. */
  quiet(milliseconds: number): void {
    this.advance(milliseconds);
    this.silence();
  }

  counter(index: number): number {
    return this.host.counter(index);
  }

  gauge(index: number): number {
    this.host.stack.exports.measure();
    return this.host.counter(index);
  }

  socket(): number {
    const qd = this.host.stack.exports.socket(KIND_STREAM);
    expect(qd).toBeGreaterThan(0);
    this.#descriptors.add(qd);
    return qd;
  }

  /** Takes a descriptor from elsewhere among those that `finish` closes. */
  own(qd: number): void {
    this.#descriptors.add(qd);
  }

  listen(port = 80, backlog = 16): number {
    const { exports } = this.host.stack;
    const qd = this.socket();
    this.host.stack.writeAddress(0);
    expect(exports.bind(qd, port)).toBe(0);
    expect(exports.listen(qd, backlog)).toBe(0);
    return qd;
  }

  /** Starts an operation that must be accepted; its token. */
  #start(token: number): number {
    expect(token).toBeGreaterThan(0);
    return token;
  }

  accept(qd: number): number {
    return this.#start(this.host.stack.exports.accept(qd));
  }

  /** Accepts a connection that waits already. */
  accepted(qd: number): number {
    return this.result(this.accept(qd)).accepted;
  }

  connect(qd: number, address = peerAddress, port = 80): number {
    this.host.stack.writeAddress(parseIpv4(address, "test"));
    return this.#start(this.host.stack.exports.connect(qd, port));
  }

  push(qd: number, contents: Uint8Array): number {
    return this.#start(this.host.stack.exports.push(qd, this.host.array(contents)));
  }

  /** The errno of a push that must be refused; its array stays ours and is released. */
  pushErrno(qd: number): number {
    const { exports } = this.host.stack;
    const array = this.host.array(new Uint8Array(1));
    const errno = -exports.push(qd, array);
    expect(errno).toBeGreaterThan(0);
    exports.release(array);
    return errno;
  }

  pop(qd: number, size = 0): number {
    return this.#start(this.host.stack.exports.pop(qd, size));
  }

  /** Pops what is there and returns its bytes. */
  read(qd: number, size = 0): Uint8Array {
    const { frame } = this.result(this.pop(qd, size));
    return frame === 0 ? new Uint8Array(0) : this.host.take(frame);
  }

  close(qd: number): number {
    const token = this.#start(this.host.stack.exports.close(qd));
    this.#descriptors.delete(qd);
    return token;
  }

  shutdown(qd: number): void {
    expect(this.host.stack.exports.shutdownWrite(qd)).toBe(0);
  }

  isDone(token: number): boolean {
    this.collect();
    return this.#results.has(token);
  }

  /** The result of an operation that has completed; an array in it is the caller's. */
  result(token: number): Completion {
    this.collect();
    const completion = this.#results.get(token);
    if (completion === undefined) throw new Error("the operation has not completed");
    this.#results.delete(token);
    return completion;
  }

  /** Closes everything, lets every timer run out and says that all pools are whole. */
  finish(): void {
    const { exports } = this.host.stack;
    this.collect();
    for (const qd of [...this.#descriptors]) {
      exports.setOption(qd, SOCKET_OPTION_LINGER, 0);
      this.close(qd);
    }
    for (let round = 0; round < 70; round++) {
      this.host.advance(20_000_000, 5_000_000);
      this.collect();
    }
    for (const { frame } of this.#results.values()) if (frame !== 0) this.host.take(frame);
    expect({
      frames: this.host.framesOut(),
      connections: this.gauge(COUNTER_CONNECTIONS_OPEN),
      timers: this.gauge(COUNTER_TIMERS_ARMED),
      tokens: this.gauge(COUNTER_TOKENS_OUT),
      queues: this.gauge(COUNTER_QUEUES_OPEN),
    }).toEqual({ frames: 0, connections: 0, timers: 0, tokens: 0, queues: 0 });
  }
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

  constructor(lab: Lab, options: PeerOptions = {}) {
    this.lab = lab;
    this.address = options.address ?? peerAddress;
    this.port = options.port ?? 4000;
    this.hostPort = options.hostPort ?? 80;
    this.initial = options.initial ?? 1_000_000;
    this.window = options.window ?? 65535;
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
    const { flags, window, options, payload } = segment;
    if (flags.includes("S")) this.hostInitial = segment.sequence;
    const seq = (segment.sequence - this.hostInitial) >>> 0;
    const ack = flags.includes("A") ? (segment.acknowledgment - this.initial) >>> 0 : 0;
    return { flags, seq, ack, window, options, length: payload.length, payload };
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
    this.inject("S", { options: this.synOptions });
    this.expect({ flags: "SA", seq: 0, ack: 1 });
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

/** Numbers from 0 to below 1 that a seed decides (the mulberry32 generator). */
export function randomness(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
