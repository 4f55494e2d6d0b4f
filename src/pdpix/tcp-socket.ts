/**
 * A TCP connection with a handler object, in the shape of Bun's sockets. Built on tokens and
 * `onCompleted`, so no promise is made for an event.
 */
import { ERRNO_EPIPE } from "../../assembly/layout";
import { DemibunError } from "../errors";
import type { Timer } from "../runtime/event-loop";
import type { CompletionListener } from "./completions";
import type { ConnectionInfo } from "./connection-info";
import type { Demikernel } from "./demikernel";
import type { QueueDescriptor, QueueResult, QueueToken } from "./queue-result";
import type { ScatterGatherArray } from "./scatter-gather-array";
import type { SocketAddress } from "./socket-address";
import { whenRoom } from "./when-room";

export interface TcpHandler<Data> {
  /** The connection is established. */
  open?(socket: TcpSocket<Data>): void;
  /** Bytes arrived; they are a copy and the handler's to keep. */
  data?(socket: TcpSocket<Data>, bytes: Uint8Array): void;
  /** Instead of `data`, without a copy: the array is the handler's, who pushes or frees it. */
  receive?(socket: TcpSocket<Data>, sga: ScatterGatherArray): void;
  /** There is room again after `write` took less than it was given. */
  drain?(socket: TcpSocket<Data>): void;
  /** The peer ended its direction. Without this handler the socket ends its own and closes. */
  end?(socket: TcpSocket<Data>): void;
  /** The connection is gone, by `error` where there was one. The last event. */
  close?(socket: TcpSocket<Data>, error?: DemibunError): void;
  /** A handler threw. Without this handler the error becomes an uncaught one. */
  error?(socket: TcpSocket<Data>, error: unknown): void;
}

/** Bytes pushed and not yet taken by the send buffer, above which `write` takes no more. */
const UNSENT_MAX_BYTES = 256 * 1024;
/** One push at most, so that a large write does not need its frames all at once. */
const PUSH_MAX_BYTES = 64 * 1024;
/** When frames are short and nothing of ours is on its way, the pool is asked again after this. */
const RETRY_MS = 2;

const encoder = new TextEncoder();

export class TcpSocket<Data = undefined> implements CompletionListener {
  data: Data;
  readonly remote: SocketAddress;
  readonly #demikernel: Demikernel;
  readonly #qd: QueueDescriptor;
  readonly #handler: TcpHandler<Data>;
  /** Sizes of pushes that have not completed, oldest first, and their sum. */
  readonly #pushes: number[] = [];
  #unsentBytes = 0;
  #wantsDrain = false;
  #retry: Timer | undefined;
  #pop: QueueToken | undefined;
  #close: QueueToken | undefined;
  #paused = false;
  #peerEnded = false;
  #ended = false;
  #closing = false;
  #error: DemibunError | undefined;

  /** Takes a connected descriptor over; `start` begins to read. */
  constructor(
    demikernel: Demikernel,
    qd: QueueDescriptor,
    remote: SocketAddress,
    handler: TcpHandler<Data>,
    data: Data,
  ) {
    this.#demikernel = demikernel;
    this.#qd = qd;
    this.#handler = handler;
    this.remote = remote;
    this.data = data;
  }

  /** Announces the connection to its handler and reads until it ends. */
  start(): void {
    this.#demikernel.ref();
    this.#call(() => this.#handler.open?.(this));
    this.#read();
  }

  /** True until `end`, `close` or `terminate`, or an error. */
  get writable(): boolean {
    return !this.#ended && !this.#closing;
  }

  /** Bytes written that the stack's send buffer has not taken yet. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** The connection as the stack sees it now. Errors: EBADF once it is closed, ENOTCONN once lost. */
  get info(): ConnectionInfo {
    return this.#demikernel.info(this.#qd);
  }

  /**
   * Sends as many of the bytes as there is room for and returns how many; when that is not all,
   * `drain` tells when to go on. Throws EPIPE after `end`. 0 after the connection was lost.
   */
  write(bytes: Uint8Array | string): number {
    const source = typeof bytes === "string" ? encoder.encode(bytes) : bytes;
    if (this.#closing) return 0;
    if (this.#ended) throw new DemibunError({ operation: "write", errno: ERRNO_EPIPE });
    let at = 0;
    while (at < source.length && this.#unsentBytes < UNSENT_MAX_BYTES) {
      const piece =
        at === 0 && source.length <= PUSH_MAX_BYTES
          ? source
          : source.subarray(at, at + PUSH_MAX_BYTES);
      if (!this.#push(piece)) break;
      at += piece.length;
    }
    if (at < source.length) this.#drainLater();
    return at;
  }

  /** Ends the sending direction after what was written; reading goes on. */
  end(): void {
    if (this.#ended || this.#closing) return;
    this.#ended = true;
    if (this.#peerEnded) this.close();
    else {
      try {
        this.#demikernel.shutdownWrite(this.#qd);
      } catch (error) {
        this.#refused(error);
      }
    }
  }

  /** Closes in order: what was written is still delivered, nothing more is read. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#retry?.cancel();
    const start = () => {
      this.#close = this.#demikernel.close(this.#qd);
      this.#demikernel.onCompleted(this.#close, this);
    };
    whenRoom(this.#demikernel.eventLoop, start, () => this.#gone());
  }

  /** Drops the connection with a reset. */
  terminate(): void {
    if (this.#closing) return;
    try {
      this.#demikernel.setOption(this.#qd, "linger", { seconds: 0 });
    } catch (error) {
      this.#refused(error);
    }
    this.close();
  }

  /** Stops reading after what has already been asked for. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#read();
  }

  /** For the completion of this socket's operations. */
  completed(result: QueueResult): void {
    if (result.qt === this.#pop) this.#pop = undefined;
    // A reset may overtake the end of an orderly close; the descriptor is gone then too.
    if (result.qt === this.#close) {
      if (result.opcode === "failed") this.#error ??= result.error;
      this.#gone();
      return;
    }
    switch (result.opcode) {
      case "pop":
        this.#received(result.sga);
        break;
      case "push":
        this.#pushed();
        break;
      case "failed":
        this.#failed(result.error);
        break;
    }
  }

  #read(): void {
    const start = () => {
      if (this.#pop !== undefined || this.#paused || this.#peerEnded || this.#closing) return;
      this.#pop = this.#demikernel.pop(this.#qd);
      this.#demikernel.onCompleted(this.#pop, this);
    };
    whenRoom(this.#demikernel.eventLoop, start, (error) => this.#failed(error));
  }

  #received(sga: ScatterGatherArray): void {
    if (this.#closing) {
      sga.free();
      return;
    }
    if (sga.byteLength === 0) {
      sga.free();
      this.#peerEnded = true;
      if (this.#handler.end !== undefined) this.#call(() => this.#handler.end?.(this));
      else this.close();
      if (this.#ended) this.close();
      return;
    }
    if (this.#handler.receive !== undefined) {
      this.#call(() => this.#handler.receive?.(this, sga));
    } else {
      const bytes = sga.copy();
      sga.free();
      this.#call(() => this.#handler.data?.(this, bytes));
    }
    this.#read();
  }

  #push(piece: Uint8Array): boolean {
    try {
      const token = this.#demikernel.tryPush(this.#qd, piece);
      if (token === undefined) return false;
      this.#demikernel.onCompleted(token, this);
    } catch (error) {
      this.#refused(error);
      return false;
    }
    this.#pushes.push(piece.length);
    this.#unsentBytes += piece.length;
    return true;
  }

  #pushed(): void {
    this.#unsentBytes -= this.#pushes.shift() ?? 0;
    if (this.#wantsDrain && this.#unsentBytes <= UNSENT_MAX_BYTES / 2) this.#drain();
  }

  #drainLater(): void {
    this.#wantsDrain = true;
    if (this.#pushes.length > 0 || this.#closing) return;
    this.#retry ??= this.#demikernel.eventLoop.after(RETRY_MS, () => this.#drain());
  }

  #drain(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#wantsDrain = false;
    if (!this.#closing) this.#call(() => this.#handler.drain?.(this));
  }

  #failed(error: DemibunError): void {
    if (this.#closing) return;
    this.#error = error;
    this.close();
  }

  #gone(): void {
    this.#retry?.cancel();
    this.#demikernel.unref();
    this.#call(() => this.#handler.close?.(this, this.#error));
  }

  /** What the stack refuses ends the connection with that error. */
  #refused(error: unknown): void {
    if (!(error instanceof DemibunError)) throw error;
    this.#failed(error);
  }

  /** Runs a handler; what it throws must not stop the delivery of other sockets' events. */
  #call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      const { error: onError } = this.#handler;
      if (onError !== undefined) onError(this, error);
      else this.#demikernel.eventLoop.uncaught(error);
    }
  }
}
