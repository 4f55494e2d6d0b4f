/** An HTTP/1.1 server with a fetch handler, on the stack's TCP. */
import type { DemibunError } from "../errors";
import type { Demikernel } from "../pdpix/demikernel";
import type { Endpoint } from "../pdpix/socket-address";
import type { TcpListener } from "../pdpix/tcp-listener";
import type { EventLoop, Timer } from "../runtime/event-loop";
import { HttpConnection } from "./http-connection";

export interface ServeOptions extends Endpoint {
  /** Answers a request. Bodies of both are streams with back-pressure; memory stays bounded. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Answers a request whose handler threw; 500 without it. */
  readonly error?: ((error: unknown) => Response | Promise<Response>) | undefined;
  readonly backlog?: number | undefined;
  /** All header fields of one request together; 16 KiB by default. */
  readonly headerBytesMax?: number | undefined;
  /** 128 by default. */
  readonly headerCountMax?: number | undefined;
  /** Connections on which nothing moved for this long are closed; 60 s by default, 0 never. */
  readonly idleTimeoutMs?: number | undefined;
}

const SWEEP_MS = 1000;

export class HttpServer implements AsyncDisposable {
  readonly #listener: TcpListener<HttpConnection>;
  readonly #connections = new Set<HttpConnection>();
  readonly #idleTimeoutMs: number;
  readonly #eventLoop: EventLoop;
  #sweep: Timer | undefined;
  #nowMs: number;
  #emptied: (() => void) | undefined;

  /** Errors: those of bind and listen. Use `serve`. */
  constructor(demikernel: Demikernel, options: ServeOptions) {
    const { fetch, error = internalError } = options;
    const { headerBytesMax = 16384, headerCountMax = 128, idleTimeoutMs = 60_000 } = options;
    const { eventLoop } = demikernel;
    const settings = { limits: { headerBytesMax, headerCountMax }, fetch, error, eventLoop };
    this.#eventLoop = eventLoop;
    this.#nowMs = eventLoop.nowUs() / 1000;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#listener = demikernel.tcp.listen<HttpConnection>({
      hostname: options.hostname,
      port: options.port,
      backlog: options.backlog,
      socket: {
        open: (socket) => {
          socket.data = new HttpConnection(socket, settings, this.#nowMs);
          this.#connections.add(socket.data);
        },
        receive: (socket, sga) => socket.data.receive(sga, this.#nowMs),
        drain: (socket) => socket.data.drained(this.#nowMs),
        end: (socket) => socket.data.ended(),
        close: (socket, cause) => this.#closed(socket.data, cause),
      },
    });
    this.#sweepLater();
  }

  get port(): number {
    return this.#listener.port;
  }

  get hostname(): string {
    return this.#listener.hostname;
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Takes no more connections and resolves when those there are have ended; `force` resets them. */
  async stop(force = false): Promise<void> {
    this.#listener.stop();
    this.#sweep?.cancel();
    for (const connection of [...this.#connections]) {
      if (force) connection.terminate();
      else connection.finish();
    }
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop(true);
  }

  #closed(connection: HttpConnection, cause: DemibunError | undefined): void {
    this.#connections.delete(connection);
    connection.closed(cause);
    if (this.#connections.size === 0) this.#emptied?.();
  }

  #sweepLater(): void {
    this.#sweep = this.#eventLoop.after(SWEEP_MS, () => this.#closeIdle());
    this.#sweep.unref();
  }

  #closeIdle(): void {
    this.#sweepLater();
    this.#nowMs = this.#eventLoop.nowUs() / 1000;
    if (this.#idleTimeoutMs === 0) return;
    const oldestMs = this.#nowMs - this.#idleTimeoutMs;
    for (const connection of this.#connections) {
      if (connection.activeMs < oldestMs && !connection.working) connection.terminate();
    }
  }
}

function internalError(error: unknown): Response {
  console.error(error);
  return new Response("Internal Server Error\n", { status: 500 });
}

/** Serves HTTP at an endpoint of the stack. Errors: those of bind and listen. */
export function serve(demikernel: Demikernel, options: ServeOptions): HttpServer {
  return new HttpServer(demikernel, options);
}
