/** A listening TCP socket whose connections get a handler object. */
import { ERRNO_EBADF, ERRNO_EIO } from "../../assembly/layout";
import { DemibunError } from "../errors";
import type { CompletionListener } from "./completions";
import type { Demikernel } from "./demikernel";
import type { QueueDescriptor, QueueResult } from "./queue-result";
import type { Endpoint } from "./socket-address";
import { type TcpHandler, TcpSocket } from "./tcp-socket";
import { closeQuietly } from "./when-room";

export interface TcpListenOptions<Data> extends Endpoint {
  readonly backlog?: number | undefined;
  /** The socket option of that name: data of SYNs are taken (RFC 7413). */
  readonly fastOpenRequests?: number | undefined;
  readonly socket: TcpHandler<Data>;
}

export interface TcpConnectOptions<Data> extends Endpoint {
  readonly socket: TcpHandler<Data>;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  /** What `open` writes goes with the SYN once the server's cookie is known (RFC 7413). */
  readonly fastOpen?: boolean | undefined;
}

/** After an accept that failed for lack of something, the next one waits this long. */
const RETRY_MS = 10;

export class TcpListener<Data = undefined> implements CompletionListener, Disposable {
  readonly port: number;
  readonly hostname: string;
  readonly #demikernel: Demikernel;
  readonly #qd: QueueDescriptor;
  readonly #handler: TcpHandler<Data>;
  readonly #sockets = new Set<TcpSocket<Data>>();
  #held = true;
  #stopped = false;

  /** Errors: those of socket, bind and listen. */
  constructor(demikernel: Demikernel, options: TcpListenOptions<Data>) {
    const { socket: handler, backlog, fastOpenRequests } = options;
    this.#demikernel = demikernel;
    this.#handler = {
      ...bindHandler(handler),
      close: (socket, error) => {
        this.#sockets.delete(socket);
        handler.close?.(socket, error);
      },
    };
    this.#qd = demikernel.socket("stream");
    try {
      demikernel.bind(this.#qd, options);
      if (fastOpenRequests !== undefined) {
        demikernel.setOption(this.#qd, "fastOpenRequests", fastOpenRequests);
      }
      demikernel.listen(this.#qd, backlog);
      const { address, port } = demikernel.local(this.#qd);
      this.hostname = address;
      this.port = port;
    } catch (error) {
      closeQuietly(demikernel, this.#qd);
      throw error;
    }
    demikernel.ref();
    this.#accept();
  }

  /** Connections of this listener that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Takes no more connections; `closeActive` also resets those that are open. */
  stop(closeActive = false): void {
    if (!this.#stopped) {
      this.#stopped = true;
      this.unref();
      closeQuietly(this.#demikernel, this.#qd);
    }
    if (closeActive) for (const socket of [...this.#sockets]) socket.terminate();
  }

  ref(): void {
    if (!this.#held) this.#demikernel.ref();
    this.#held = true;
  }

  /** Lets the process end although the listener is open. */
  unref(): void {
    if (this.#held) this.#demikernel.unref();
    this.#held = false;
  }

  [Symbol.dispose](): void {
    this.stop(true);
  }

  completed(result: QueueResult): void {
    if (result.opcode === "accept") {
      const { accepted, peer } = result;
      const data = undefined as Data;
      const socket = new TcpSocket(this.#demikernel, accepted, peer, this.#handler, data);
      this.#sockets.add(socket);
      socket.start();
    }
    if (this.#stopped) return;
    if (result.opcode !== "failed") this.#accept();
    else this.#refused(result.error);
  }

  #accept(): void {
    if (this.#stopped) return;
    try {
      this.#demikernel.onCompleted(this.#demikernel.accept(this.#qd), this);
    } catch (error) {
      if (!(error instanceof DemibunError)) throw error;
      this.#refused(error);
    }
  }

  /** A lack passes. A stack that has failed does not, and the program would hear of it nowhere. */
  #refused(error: DemibunError): void {
    if (error.errno === ERRNO_EBADF) return;
    if (error.errno === ERRNO_EIO) {
      this.#demikernel.eventLoop.uncaught(error);
      return;
    }
    this.#demikernel.eventLoop.after(RETRY_MS, () => this.#accept());
  }
}

/** A handler's methods as plain functions that keep their `this`. */
function bindHandler<Data>(handler: TcpHandler<Data>): TcpHandler<Data> {
  const entries = (["open", "data", "receive", "drain", "end", "error"] as const).flatMap(
    (name) => {
      const method = handler[name];
      return method === undefined ? [] : [[name, method.bind(handler)] as const];
    },
  );
  return Object.fromEntries(entries);
}

/** Connects and gives the connection its handler. Rejects with the operation's error. */
export async function connectTcp<Data>(
  demikernel: Demikernel,
  options: TcpConnectOptions<Data>,
): Promise<TcpSocket<Data>> {
  const { socket: handler, signal, timeoutMs, fastOpen } = options;
  const qd = demikernel.socket("stream");
  try {
    if (fastOpen === true) demikernel.setOption(qd, "fastOpenConnect", true);
    const token = demikernel.connect(qd, options);
    const result = await demikernel.wait(token, { signal, timeoutMs });
    if (result.opcode === "failed") throw result.error;
    const remote = demikernel.peer(qd);
    const socket = new TcpSocket(demikernel, qd, remote, handler, undefined as Data);
    socket.start();
    return socket;
  } catch (error) {
    closeQuietly(demikernel, qd);
    throw error;
  }
}
