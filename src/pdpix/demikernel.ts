/**
 * The PDPIX calls over one stack. Calls that begin an operation return a token at once; a wait gives
 * its result. Misuse throws `DemibunError`; an operation that fails later is a result.
 *
 * `wait…Sync` block the thread and give the lowest latency; `wait…` leave the event loop running.
 */
import {
  ERRNO_EAGAIN,
  ERRNO_EBADF,
  ERRNO_EINVAL,
  ERRNO_ENOBUFS,
  ERRNO_ENOTSUP,
  KIND_DATAGRAM,
  KIND_STREAM,
  LINGER_OFF,
  OPCODE_ACCEPT,
  OPCODE_CLOSE,
  OPCODE_CONNECT,
  OPCODE_POP,
  OPCODE_PUSH,
  PUSH_MORE,
  PUSH_RECORD_END,
  SOMAXCONN,
} from "../../assembly/layout";
import { DemibunError, fail } from "../errors";
import type { LibOs } from "../libos/libos";
import type { EventLoop } from "../runtime/event-loop";
import { Connections } from "../wasm/connections";
import type { Stack } from "../wasm/stack";
import type { CompletionListener } from "./completions";
import { type ConnectionInfo, readConnectionInfo } from "./connection-info";
import { hintFor } from "./hints";
import { Instance, type InstanceOptions } from "./instance";
import type { OpenOptions } from "./open";
import type { QueueDescriptor, QueueResult, QueueToken, SocketKind } from "./queue-result";
import { fillFrames, ScatterGatherArray } from "./scatter-gather-array";
import { type Endpoint, endpointAddress, SocketAddress } from "./socket-address";
import { decodeOption, encodeOption, type SocketOptions } from "./socket-options";
import { readStatistics, type Statistics } from "./statistics";
import {
  connectTcp,
  type TcpConnectOptions,
  TcpListener,
  type TcpListenOptions,
} from "./tcp-listener";
import type { TcpSocket } from "./tcp-socket";
import { type UdpOptions, UdpSocket } from "./udp-socket";
import type { IndexedResult, WaitOptions } from "./waiting";

/** How long disposal lets connections finish before it drops them. */
const CLOSE_TIMEOUT_MS = 250;

export interface PushOptions {
  /** The application is about to push more (MSG_MORE). */
  readonly more?: boolean | undefined;
  /** The array ends a record: what follows shares no segment with it (MSG_EOR). */
  readonly endsRecord?: boolean | undefined;
}

export class Demikernel implements AsyncDisposable {
  readonly #instance: Instance;
  readonly #stack: Stack;
  readonly #connections: Connections;
  readonly #lingerSeconds: number | undefined;
  #disposed = false;

  /** Takes the libOS over: disposing the instance disposes it. Use `Demikernel.open`. */
  constructor(libos: LibOs, options: InstanceOptions & { lingerSeconds?: number | undefined }) {
    this.#instance = new Instance(libos, options);
    this.#stack = libos.stack;
    this.#connections = new Connections(libos.stack);
    this.#lingerSeconds = options.lingerSeconds;
  }

  /**
   * Opens the libOS that `options` or LIBOS names, configured by `options.config` or the file that
   * CONFIG_PATH names. Errors: EINVAL with file, line and column of a mistake; the device's.
   */
  static async open(options: OpenOptions = {}): Promise<Demikernel> {
    const { openInstance } = await import("./open");
    return openInstance(options);
  }

  /** Connections with handler objects, in the shape of Bun.listen and Bun.connect. */
  readonly tcp = {
    /** Errors: those of bind and listen. */
    listen: <Data = undefined>(options: TcpListenOptions<Data>): TcpListener<Data> =>
      new TcpListener(this, options),
    /** Rejects with ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, … */
    connect: <Data = undefined>(options: TcpConnectOptions<Data>): Promise<TcpSocket<Data>> =>
      connectTcp(this, options),
  };

  /** A UDP socket with a handler object, in the shape of Bun.udpSocket. Errors: those of bind. */
  udp(options: UdpOptions): UdpSocket {
    return new UdpSocket(this, options);
  }

  /** Name of the libOS behind this instance. */
  get libos(): string {
    return this.#instance.libos.name;
  }

  /** Time as this instance knows it: the host's, or a simulation's. */
  get eventLoop(): EventLoop {
    return this.#instance.eventLoop;
  }

  /** The stack's counters now. */
  get stats(): Statistics {
    return readStatistics(this.#stack);
  }

  /** The device's own counters now; their names depend on the backend. */
  get deviceStats(): Readonly<Record<string, number>> {
    return this.#instance.libos.deviceStatistics;
  }

  /** Makes a socket. Errors: EINVAL (kind), EMFILE. */
  socket(kind: SocketKind): QueueDescriptor {
    this.#instance.assertUsable("socket");
    if (kind !== "stream" && kind !== "datagram") {
      fail("socket", ERRNO_ENOTSUP, 'kinds are "stream" and "datagram"');
    }
    const number = kind === "stream" ? KIND_STREAM : KIND_DATAGRAM;
    const qd = this.#instance.check(
      "socket",
      this.#stack.exports.socket(number),
    ) as QueueDescriptor;
    this.#instance.completions.opened(qd, kind);
    if (kind === "stream" && this.#lingerSeconds !== undefined) {
      this.setOption(qd, "linger", { seconds: this.#lingerSeconds });
    }
    return qd;
  }

  /**
   * Binds to an address of the stack (none or 0.0.0.0: all) and a port (0: any free one).
   * Errors: EBADF, EINVAL (bound already), EISCONN, EADDRINUSE, EADDRNOTAVAIL.
   */
  bind(qd: QueueDescriptor, local: Endpoint): void {
    this.#instance.assertUsable("bind");
    this.#stack.writeAddress(endpointAddress(local, "bind"));
    this.#instance.check("bind", this.#stack.exports.bind(qd, local.port));
  }

  /**
   * Starts to take connections, at most `backlog` of which wait for `accept`.
   * Errors: EBADF, EINVAL (backlog), EDESTADDRREQ (unbound), EADDRINUSE (listening), EISCONN.
   */
  listen(qd: QueueDescriptor, backlog: number = SOMAXCONN): void {
    this.#instance.assertUsable("listen");
    if (!Number.isInteger(backlog)) fail("listen", ERRNO_EINVAL);
    this.#instance.check("listen", this.#stack.exports.listen(qd, clampInt(backlog)));
  }

  /** Takes the next connection: result `accept`. Errors: EBADF, EINVAL (not listening), EAGAIN. */
  accept(qd: QueueDescriptor): QueueToken {
    this.#instance.assertRoom("accept");
    return this.#instance.started("accept", OPCODE_ACCEPT, this.#stack.exports.accept(qd));
  }

  /**
   * Connects: result `connect`, or `failed` with ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, …; a datagram
   * socket only notes its peer. Errors: EBADF, EOPNOTSUPP (listening), EINPROGRESS, EISCONN,
   * EADDRINUSE, ENETUNREACH, EAGAIN.
   */
  connect(qd: QueueDescriptor, remote: Endpoint): QueueToken {
    this.#instance.assertRoom("connect");
    this.#stack.writeAddress(endpointAddress(remote, "connect"));
    const result = this.#stack.exports.connect(qd, remote.port);
    return this.#instance.started("connect", OPCODE_CONNECT, result);
  }

  /**
   * Sends an array: result `push` once the send buffer has taken it all. The frames of a
   * `ScatterGatherArray` become the stack's with this call, unless it throws; other bytes are copied.
   * With `more` a segment that it does not fill waits for the next push, 200 ms at most; after
   * `endsRecord` the next push begins a segment of its own.
   * Errors: EBADF, EINVAL (no bytes), ENOTCONN, EPIPE, ENOBUFS, EAGAIN.
   */
  push(
    qd: QueueDescriptor,
    data: ScatterGatherArray | Uint8Array,
    { more = false, endsRecord = false }: PushOptions = {},
  ): QueueToken {
    this.#instance.assertRoom("push");
    const frame = this.#frameOf(data, "push");
    const manner = (more ? PUSH_MORE : 0) | (endsRecord ? PUSH_RECORD_END : 0);
    return this.#pushed("push", data, frame, this.#stack.exports.push(qd, frame, manner));
  }

  /**
   * Sends a datagram of 0…65,507 bytes to `remote`: result `push` once it is on its way.
   * Errors: those of push, EMSGSIZE, ENETUNREACH.
   */
  pushTo(qd: QueueDescriptor, data: ScatterGatherArray | Uint8Array, remote: Endpoint): QueueToken {
    this.#instance.assertRoom("pushTo");
    const address = endpointAddress(remote, "pushTo");
    const frame = this.#frameOf(data, "pushTo");
    this.#stack.writeAddress(address);
    return this.#pushed("pushTo", data, frame, this.#stack.exports.pushTo(qd, frame, remote.port));
  }

  /**
   * Receives: result `pop` with an array that the caller owns, of at most `sizeMax` bytes where
   * given; the rest stays for the next pop. An empty array of a stream is its end.
   * Errors: EBADF, EINVAL, ENOTCONN, EDESTADDRREQ (datagram socket not bound), EAGAIN.
   */
  pop(qd: QueueDescriptor, sizeMax?: number): QueueToken {
    this.#instance.assertRoom("pop");
    if (sizeMax !== undefined && !(Number.isInteger(sizeMax) && sizeMax > 0)) {
      fail("pop", ERRNO_EINVAL, "leave the size out to take all there is");
    }
    const result = this.#stack.exports.pop(qd, sizeMax === undefined ? 0 : clampInt(sizeMax));
    return this.#instance.started("pop", OPCODE_POP, result);
  }

  /**
   * Closes the descriptor: its pending operations fail with EBADF, data already pushed is still
   * delivered unless `linger` is 0 seconds. Result `close` when it is gone. Errors: EBADF, EAGAIN.
   */
  close(qd: QueueDescriptor): QueueToken {
    this.#instance.assertUsable("close");
    const token = this.#instance.started("close", OPCODE_CLOSE, this.#stack.exports.close(qd));
    this.#instance.completions.closed(qd);
    return token;
  }

  /** Ends the sending direction after what was pushed. Errors: EBADF, ENOTCONN, EPIPE. */
  shutdownWrite(qd: QueueDescriptor): void {
    this.#instance.assertUsable("shutdownWrite");
    this.#instance.check("shutdownWrite", this.#stack.exports.shutdownWrite(qd));
    this.#instance.reactor.kick();
  }

  /**
   * Ends the receiving direction for this end: pops end at once instead of waiting. The peer does not
   * hear of it; what still arrives can be popped, but resets the connection once `shutdownWrite` has
   * been called too. Errors: EBADF, ENOTCONN.
   */
  shutdownRead(qd: QueueDescriptor): void {
    this.#instance.assertUsable("shutdownRead");
    this.#instance.check("shutdownRead", this.#stack.exports.shutdownRead(qd));
    this.#instance.reactor.kick();
  }

  /** The result of one operation. Rejects with EINVAL for an unknown token, ETIMEDOUT, EALREADY. */
  wait(qt: QueueToken, options: WaitOptions = {}): Promise<QueueResult> {
    return this.#instance.waitTokens([qt], "wait", options).then(({ result }) => result);
  }

  /** The first of some operations to complete and its place in the list. Errors: as `wait`. */
  waitAny(qts: readonly QueueToken[], options: WaitOptions = {}): Promise<IndexedResult> {
    return this.#instance.waitTokens(qts, "waitAny", options);
  }

  /** One to `countMax` results that no other wait asks for, oldest first. Errors: ETIMEDOUT. */
  waitNext(countMax: number, options: WaitOptions = {}): Promise<QueueResult[]> {
    return this.#instance.waitNext(countMax, "waitNext", options);
  }

  /** `wait` that blocks the thread. */
  waitSync(qt: QueueToken, timeoutMs?: number): QueueResult {
    return this.#instance.waitTokensSync([qt], "waitSync", timeoutMs).result;
  }

  /** `waitAny` that blocks the thread. */
  waitAnySync(qts: readonly QueueToken[], timeoutMs?: number): IndexedResult {
    return this.#instance.waitTokensSync(qts, "waitAnySync", timeoutMs);
  }

  /** `waitNext` that blocks the thread. */
  waitNextSync(countMax: number, timeoutMs?: number): QueueResult[] {
    return this.#instance.waitNextSync(countMax, "waitNextSync", timeoutMs);
  }

  /** Frames for `size` bytes, to be filled and pushed. Errors: EINVAL (size), ENOBUFS. */
  allocate(size: number): ScatterGatherArray {
    this.#instance.assertUsable("allocate");
    if (!Number.isInteger(size) || size <= 0) fail("allocate", ERRNO_EINVAL);
    return new ScatterGatherArray(this.#stack, this.#allocate(size, "allocate"), size);
  }

  /** Errors: EBADF, ENOPROTOOPT (name), EINVAL (value). */
  setOption<Name extends keyof SocketOptions>(
    qd: QueueDescriptor,
    name: Name,
    value: SocketOptions[Name],
  ): void {
    this.#instance.assertUsable("setOption");
    for (const [option, number] of encodeOption(name, value)) {
      this.#instance.check("setOption", this.#stack.exports.setOption(qd, option, number));
    }
    // Some let something go that was held back.
    this.#instance.reactor.kick();
  }

  /** Errors: EBADF, ENOPROTOOPT. */
  getOption<Name extends keyof SocketOptions>(
    qd: QueueDescriptor,
    name: Name,
  ): SocketOptions[Name] {
    this.#instance.assertUsable("getOption");
    const read = (option: number) => {
      const value = this.#stack.exports.getOption(qd, option);
      if (value < LINGER_OFF) this.#instance.check("getOption", value);
      return value;
    };
    return decodeOption(name, read) as SocketOptions[Name];
  }

  /** The other end of a connection. Errors: EBADF, ENOTCONN. */
  peer(qd: QueueDescriptor): SocketAddress {
    this.#instance.assertUsable("peer");
    this.#instance.check("peer", this.#stack.exports.remoteAddress(qd));
    return new SocketAddress(this.#stack.readAddress(), this.#stack.readPort());
  }

  /**
   * A connection as the stack sees it now: state, round trips, windows, bytes under way. Also of one
   * whose handshake is not over. Errors: EBADF, ENOTCONN (not a connection, or one that is gone).
   */
  info(qd: QueueDescriptor): ConnectionInfo {
    this.#instance.assertUsable("info");
    if (!this.#instance.completions.open.has(qd)) fail("info", ERRNO_EBADF);
    return readConnectionInfo(this.#connections, qd);
  }

  /** The address this socket is bound to. Errors: EBADF, EDESTADDRREQ (not bound). */
  local(qd: QueueDescriptor): SocketAddress {
    this.#instance.assertUsable("local");
    this.#instance.check("local", this.#stack.exports.localAddress(qd));
    return new SocketAddress(this.#stack.readAddress(), this.#stack.readPort());
  }

  /**
   * Calls `listener` once with the operation's result, without a promise: what handlers and
   * adapters are built on. Errors: EINVAL (unknown token), EALREADY (somebody waits for it).
   */
  onCompleted(qt: QueueToken, listener: CompletionListener): void {
    const { completions } = this.#instance;
    completions.assertKnown(qt, "onCompleted");
    const kept = completions.take(qt);
    if (kept === undefined) completions.listen(qt, listener, "onCompleted");
    else queueMicrotask(() => listener.completed(kept));
  }

  /**
   * Pushes a copy of `bytes` unless frames or tokens are short just now: then undefined. For those
   * who can try again later and must not pay for an exception. Errors: EBADF, ENOTCONN, EPIPE.
   */
  tryPush(qd: QueueDescriptor, bytes: Uint8Array): QueueToken | undefined {
    this.#instance.assertUsable("push");
    const frame = this.#stack.exports.allocate(bytes.length) >>> 0;
    if (frame === 0) return undefined;
    fillFrames(this.#stack, frame, bytes);
    const result = this.#stack.exports.push(qd, frame, 0);
    if (result < 0) this.#stack.exports.release(frame);
    if (result === -ERRNO_EAGAIN || result === -ERRNO_ENOBUFS) return undefined;
    return this.#instance.started("push", OPCODE_PUSH, result);
  }

  /** Keeps the process alive until as many `unref` follow; waits do so by themselves. */
  ref(): void {
    this.#instance.reactor.hold();
  }

  unref(): void {
    this.#instance.reactor.letGo();
  }

  /**
   * Closes every socket, lets connections finish for a moment, resets those that have not, then
   * disposes of the device.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#instance.usable) await this.#closeAll();
    this.#instance[Symbol.dispose]();
  }

  async #closeAll(): Promise<void> {
    const closing: Promise<unknown>[] = [];
    for (const qd of [...this.#instance.completions.open.keys()]) {
      try {
        closing.push(this.wait(this.close(qd), { timeoutMs: CLOSE_TIMEOUT_MS }));
      } catch (error) {
        if (!(error instanceof DemibunError)) throw error;
      }
    }
    await Promise.allSettled(closing);
    if (!this.#instance.usable) return;
    // Who has not acknowledged everything by now learns that nobody will send it again.
    this.#stack.exports.abortAll();
    this.#instance.libos.flush();
  }

  #allocate(size: number, operation: string): number {
    const frame = this.#stack.exports.allocate(size);
    if (frame === 0) fail(operation, ERRNO_ENOBUFS, hintFor(ERRNO_ENOBUFS));
    return frame >>> 0;
  }

  #frameOf(data: ScatterGatherArray | Uint8Array, operation: string): number {
    if (operation === "push" && data.byteLength === 0) {
      fail(operation, ERRNO_EINVAL, "a push needs bytes; shutdownWrite ends the sending direction");
    }
    if (data instanceof ScatterGatherArray) {
      const frame = data.frameOf(this.#stack, operation);
      return frame === 0 ? this.#allocate(0, operation) : frame;
    }
    const frame = this.#allocate(data.length, operation);
    fillFrames(this.#stack, frame, data);
    return frame;
  }

  #pushed(
    operation: string,
    data: ScatterGatherArray | Uint8Array,
    frame: number,
    result: number,
  ): QueueToken {
    if (data instanceof ScatterGatherArray) {
      if (result >= 0) data.surrender();
    } else if (result < 0) {
      this.#stack.exports.release(frame);
    }
    return this.#instance.started(operation, OPCODE_PUSH, result);
  }
}

function clampInt(value: number): number {
  return Math.min(Math.max(value, -(2 ** 31)), 2 ** 31 - 1);
}
