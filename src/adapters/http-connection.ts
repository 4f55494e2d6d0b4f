/** One HTTP/1.x connection: requests in, one response at a time out, in order. */
import type { ScatterGatherArray } from "../pdpix/scatter-gather-array";
import type { TcpSocket } from "../pdpix/tcp-socket";
import { type HttpLimits, HttpRequestParser, type RequestMessage } from "./http-parser";
import { makeRequest } from "./make-request";
import { statusText } from "./response-head";
import type { EventLoop, Timer } from "../runtime/event-loop";
import { type ResponseSink, writeResponse } from "./response-writer";

export interface ConnectionOptions {
  readonly limits: HttpLimits;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Makes the answer to a request whose handler threw. */
  readonly error: (error: unknown) => Response | Promise<Response>;
  readonly eventLoop: EventLoop;
}

/** Requests of one connection that may wait for their turn before reading stops. */
const PIPELINE_MAX = 32;
/** How long a refused or unread request may go on after our end of the connection was sent. */
const LINGER_MS = 2000;
const encoder = new TextEncoder();
const continueHead = encoder.encode("HTTP/1.1 100 Continue\r\n\r\n");

export class HttpConnection implements ResponseSink {
  readonly #socket: TcpSocket<HttpConnection>;
  readonly #options: ConnectionOptions;
  readonly #parser: HttpRequestParser;
  readonly #queue: RequestMessage[] = [];
  /** Bytes that the socket had no room for, in order. */
  #leftover: Uint8Array[] = [];
  #flushWaiter: ((alive: boolean) => void) | undefined;
  #busy = false;
  #paused = false;
  #bodyFull = false;
  #lost = false;
  /** No further request is served. */
  #last = false;
  #peerEnded = false;
  #linger: Timer | undefined;
  /** Milliseconds of the server's clock when bytes last moved. */
  activeMs: number;

  constructor(socket: TcpSocket<HttpConnection>, options: ConnectionOptions, nowMs: number) {
    this.#socket = socket;
    this.#options = options;
    this.#parser = new HttpRequestParser(options.limits, (message) => this.#queue.push(message));
    this.activeMs = nowMs;
  }

  /** True while the handler works: neither the client nor the network is what is waited for. */
  get working(): boolean {
    return this.#busy && this.#leftover.length === 0;
  }

  receive(sga: ScatterGatherArray, nowMs: number): void {
    this.activeMs = nowMs;
    for (const segment of sga.segments) this.#parser.execute(segment);
    sga.free();
    if (!this.#busy) this.#next();
    if (this.#shouldPause()) {
      this.#paused = true;
      this.#socket.pause();
    }
  }

  /** The peer sends no more: what was asked is still answered. */
  ended(): void {
    this.#peerEnded = true;
    this.#parser.finish(new Error("the client ended its request early"));
    if (this.#last || !this.#busy) this.#socket.close();
  }

  drained(nowMs: number): void {
    this.activeMs = nowMs;
    const waiting = this.#leftover;
    this.#leftover = [];
    for (const bytes of waiting) this.#send(bytes);
    if (this.#leftover.length === 0) this.#settle(true);
  }

  closed(error: Error | undefined): void {
    this.#lost = true;
    this.#leftover = [];
    this.#linger?.cancel();
    this.#parser.finish(error ?? new Error("the connection was closed"));
    this.#settle(false);
  }

  /** Serves what is being served, then closes. */
  finish(): void {
    this.#last = true;
    if (!this.#busy) this.#socket.close();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  write(bytes: Uint8Array): boolean {
    this.#send(bytes);
    return this.#leftover.length === 0 && !this.#lost;
  }

  flushed(): Promise<boolean> {
    if (this.#leftover.length === 0 || this.#lost) return Promise.resolve(!this.#lost);
    return new Promise((resolve) => {
      this.#flushWaiter = resolve;
    });
  }

  #send(bytes: Uint8Array): void {
    if (this.#lost) return;
    const taken = this.#leftover.length > 0 ? 0 : this.#socket.write(bytes);
    // The rest is copied: the caller may reuse its buffer as soon as this returns.
    if (taken < bytes.length) this.#leftover.push(bytes.slice(taken));
  }

  #settle(alive: boolean): void {
    const waiter = this.#flushWaiter;
    this.#flushWaiter = undefined;
    waiter?.(alive);
  }

  #shouldPause(): boolean {
    return this.#queue.length >= PIPELINE_MAX || this.#bodyFull;
  }

  #resume(): void {
    this.#bodyFull = false;
    if (!this.#paused || this.#shouldPause() || this.#lost) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #next(): void {
    const message = this.#queue.shift();
    if (message === undefined || this.#lost) {
      if (this.#peerEnded) this.#socket.close();
      return;
    }
    this.#busy = true;
    this.#serve(message).then(
      (reusable) => this.#served(message, reusable),
      () => this.#socket.terminate(),
    );
  }

  #served(message: RequestMessage, reusable: boolean): void {
    this.#busy = false;
    if (this.#lost) return;
    if (!message.body.complete) message.body.discard();
    if (reusable && !this.#last) {
      this.#next();
      if (this.#paused) this.#resume();
      return;
    }
    this.#last = true;
    // A close while the client still sends would reset the connection under our answer.
    if (message.refusal === undefined && message.body.complete && !this.#parser.inBody) {
      this.#socket.close();
      return;
    }
    this.#socket.end();
    this.#paused = false;
    this.#socket.resume();
    this.#linger = this.#options.eventLoop.after(LINGER_MS, () => this.#socket.terminate());
  }

  async #serve(message: RequestMessage): Promise<boolean> {
    const { refusal, body } = message;
    const response = await (refusal === undefined
      ? this.#answer(message)
      : new Response(`${statusText(refusal)}\n`, { status: refusal }));
    // An unread body that was announced by Expect will not come; another request cannot follow.
    const complete = !body.refused && !body.failed;
    const keepAlive = refusal === undefined && message.keepAlive && !this.#last && complete;
    return writeResponse(this, response, {
      method: message.method,
      minorVersion: message.minorVersion,
      keepAlive,
      dateMs: this.#options.eventLoop.dateMs(),
    });
  }

  async #answer(message: RequestMessage): Promise<Response> {
    const { body } = message;
    const request = makeRequest(message);
    if (request === undefined) return new Response("Bad Request\n", { status: 400 });
    if (request.headers.get("expect")?.toLowerCase() === "100-continue" && !body.complete) {
      body.onRead = () => void this.write(continueHead);
    }
    body.onFull = () => {
      this.#bodyFull = true;
    };
    body.onRoom = () => this.#resume();
    try {
      return await this.#options.fetch(request);
    } catch (error) {
      // The handler could not read the request: that is not its fault.
      if (body.failed) return new Response("Bad Request\n", { status: 400 });
      return this.#options.error(error);
    }
  }
}
