/** A UDP socket with a handler object, in the shape of Bun's. */
import { ERRNO_EAGAIN, ERRNO_EBADF, ERRNO_ENOBUFS } from "../../assembly/layout";
import { DemibunError } from "../errors";
import type { CompletionListener } from "./completions";
import type { Demikernel } from "./demikernel";
import type { QueueDescriptor, QueueResult } from "./queue-result";
import type { SocketAddress } from "./socket-address";
import { closeQuietly, whenRoom } from "./when-room";

export interface UdpHandler {
  /** A datagram arrived; its bytes are a copy and the handler's to keep. */
  data?(socket: UdpSocket, bytes: Uint8Array, port: number, address: string): void;
  /** An operation failed, for example with ECONNREFUSED; the socket stays open. */
  error?(socket: UdpSocket, error: unknown): void;
}

export interface UdpOptions {
  readonly hostname?: string | undefined;
  /** 0 or undefined: any free one. */
  readonly port?: number | undefined;
  readonly socket: UdpHandler;
}

export class UdpSocket implements CompletionListener, Disposable {
  readonly port: number;
  readonly hostname: string;
  readonly #demikernel: Demikernel;
  readonly #qd: QueueDescriptor;
  readonly #handler: UdpHandler;
  #closed = false;

  /** Errors: those of socket and bind. */
  constructor(demikernel: Demikernel, { hostname, port = 0, socket }: UdpOptions) {
    this.#demikernel = demikernel;
    this.#handler = socket;
    this.#qd = demikernel.socket("datagram");
    try {
      demikernel.bind(this.#qd, { hostname, port });
      const local = demikernel.local(this.#qd);
      this.port = local.port;
      this.hostname = local.address;
    } catch (error) {
      closeQuietly(demikernel, this.#qd);
      throw error;
    }
    demikernel.ref();
    this.#receive();
  }

  /**
   * Sends one datagram; false when frames or tokens are short just now and it was not sent.
   * Errors: EMSGSIZE, EINVAL (address), ENETUNREACH, EBADF (closed).
   */
  send(bytes: Uint8Array, port: number, address: string): boolean {
    try {
      const token = this.#demikernel.pushTo(this.#qd, bytes, { hostname: address, port });
      this.#demikernel.onCompleted(token, this);
      return true;
    } catch (error) {
      if (!(error instanceof DemibunError)) throw error;
      if (error.errno === ERRNO_ENOBUFS || error.errno === ERRNO_EAGAIN) return false;
      throw error;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#demikernel.unref();
    closeQuietly(this.#demikernel, this.#qd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  completed(result: QueueResult): void {
    if (result.opcode === "pop") {
      const from = result.sga.from as SocketAddress;
      const bytes = result.sga.copy();
      result.sga.free();
      if (this.#closed) return;
      this.#call(() => this.#handler.data?.(this, bytes, from.port, from.address));
      this.#receive();
    } else if (result.opcode === "failed" && !this.#closed && result.error.errno !== ERRNO_EBADF) {
      this.#call(() => this.#handler.error?.(this, result.error));
      if (result.error.operation === "pop") this.#receive();
    }
  }

  #receive(): void {
    const start = () => {
      if (!this.#closed) this.#demikernel.onCompleted(this.#demikernel.pop(this.#qd), this);
    };
    whenRoom(this.#demikernel.eventLoop, start, (error) => {
      this.#call(() => this.#handler.error?.(this, error));
    });
  }

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
