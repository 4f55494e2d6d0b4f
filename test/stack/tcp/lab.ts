/** A stack with one interface, the calls an application makes, and what all tests have to check. */
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
import { readSegment, type Segment } from "./segments";

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
      this.host.advance(30_000_000, 10_000_000);
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
