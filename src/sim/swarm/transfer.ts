/**
 * One end of a connection as its application sees it: what it may send now, whether what came is what
 * was sent, and what to do next. Knows nothing of sockets.
 */
import { InvariantError } from "../invariants/invariant-error";
import type { Random } from "../random";
import { Content } from "./content";
import type { ScenarioEnd, TcpFlow } from "./scenario";

export type Role = "client" | "server";

/** What the application does next beside sending and reading. */
export type Step = "go on" | "end sending" | "close" | "abort" | "leave unread";

/** A flow whose applications break connections off: what arrives is then only a prefix. */
export function isRude(flow: TcpFlow): boolean {
  const rude = (end: ScenarioEnd) => end.ending === "abort" || end.ending === "unread";
  return rude(flow.clientEnd) || rude(flow.serverEnd);
}

export class Transfer {
  readonly flow: TcpFlow;
  readonly role: Role;
  readonly end: ScenarioEnd;
  readonly sendBytes: number;
  readonly expectedBytes: number;
  sent = 0;
  received = 0;
  peerEnded = false;
  sendingEnded = false;
  readonly #where: { readonly host: string; readonly nowNs: () => number };
  readonly #random: Random;
  readonly #outgoing: Content;
  readonly #incoming: Content;
  #stalled = false;

  constructor(
    flow: TcpFlow,
    role: Role,
    random: Random,
    where: { readonly host: string; readonly nowNs: () => number },
  ) {
    const isClient = role === "client";
    this.flow = flow;
    this.role = role;
    this.end = isClient ? flow.clientEnd : flow.serverEnd;
    this.#where = where;
    this.#random = random;
    this.#outgoing = new Content(`${flow.name}/${role}`);
    this.#incoming = new Content(`${flow.name}/${isClient ? "server" : "client"}`);
    const { clientEnd, serverEnd, pattern } = flow;
    const fromServer = pattern === "stream" ? serverEnd.sendBytes : clientEnd.sendBytes;
    this.sendBytes = isClient ? clientEnd.sendBytes : fromServer;
    this.expectedBytes = isClient ? fromServer : clientEnd.sendBytes;
  }

  get isAllSent(): boolean {
    return this.sent === this.sendBytes;
  }

  /** Bytes to send next; empty when there is nothing to send now. */
  next(sizeMax = Number.POSITIVE_INFINITY): Uint8Array {
    const room = Math.min(this.#limit() - this.sent, sizeMax);
    if (room <= 0) return new Uint8Array(0);
    const { bytesMax, isRandom = false } = this.end.writing;
    const size = isRandom ? this.#random.between(1, bytesMax) : bytesMax;
    return this.#outgoing.piece(this.sent, Math.min(size, room));
  }

  /** Checks bytes that arrived. Throws InvariantError. */
  take(bytes: Uint8Array): void {
    const wrong = this.#incoming.mismatch(this.received, bytes);
    if (wrong !== undefined) {
      const at = this.received + wrong;
      this.#fail(`byte ${at} of ${this.expectedBytes} is ${bytes[wrong]}, not what was sent`);
    }
    this.received += bytes.length;
    if (this.received > this.expectedBytes) {
      this.#fail(`${this.received} bytes came, ${this.expectedBytes} were sent`);
    }
  }

  /** The peer has ended its direction in order. Throws InvariantError. */
  takeEnd(): void {
    this.peerEnded = true;
    if (this.received === this.expectedBytes || isRude(this.flow)) return;
    this.#fail(`the end came after ${this.received} of ${this.expectedBytes} bytes`);
  }

  /** How long not to read now, once. */
  takeStallMs(): number {
    const { stallAfterBytes, stallMs = 0 } = this.end.reading;
    if (this.#stalled || stallAfterBytes === undefined || this.received < stallAfterBytes) return 0;
    this.#stalled = true;
    return stallMs;
  }

  /** `settled`: the send buffer has taken everything sent so far. */
  step(settled: boolean): Step {
    const { ending, abortAfterBytes = 0 } = this.end;
    const isDue = Math.max(this.sent, this.received) >= abortAfterBytes;
    if (ending === "abort" && isDue) return "abort";
    if (ending === "unread" && isDue) return "leave unread";
    if (!this.isAllSent || !settled) return "go on";
    if (ending === "close") return this.received === this.expectedBytes ? "close" : "go on";
    if (this.peerEnded) return "close";
    return ending === "last" || this.sendingEnded ? "go on" : "end sending";
  }

  toString(): string {
    const ended = this.peerEnded ? ", the peer's end" : "";
    return (
      `${this.role} of ${this.flow.name}: ${this.sent} of ${this.sendBytes} bytes sent, ` +
      `${this.received} of ${this.expectedBytes} received${ended}`
    );
  }

  /** How many bytes may have been sent by now. */
  #limit(): number {
    const { pattern, messageBytes = 1 } = this.flow;
    if (pattern === "stream") return this.sendBytes;
    const isClient = this.role === "client";
    if (pattern === "echo") return isClient ? this.sendBytes : this.received;
    const answered = Math.floor(this.received / messageBytes);
    return Math.min(this.sendBytes, (isClient ? answered + 1 : answered) * messageBytes);
  }

  #fail(detail: string): never {
    const { host, nowNs } = this.#where;
    throw new InvariantError(
      "delivery",
      host,
      nowNs(),
      `${this.role} of ${this.flow.name}: ${detail}`,
    );
  }
}
