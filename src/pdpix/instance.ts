/**
 * One running stack: its libOS, its reactor and its completions, the waits in both manners, and the
 * end. `Demikernel` puts the PDPIX calls on top.
 */
import { ERRNO_EAGAIN, ERRNO_EBADF, ERRNO_EINVAL, ERRNO_EIO } from "../../assembly/layout";
import { DemibunError, fail } from "../errors";
import type { LibOs } from "../libos/libos";
import { type EventLoop, hostEventLoop } from "../runtime/event-loop";
import { Reactor } from "../runtime/reactor";
import { Completions } from "./completions";
import { hintFor } from "./hints";
import type { QueueResult, QueueToken } from "./queue-result";
import {
  checkTimeout,
  type IndexedResult,
  NextWait,
  TokenWait,
  timedOut,
  type WaitContext,
  type WaitOptions,
} from "./waiting";

export interface InstanceOptions {
  /** Polling without work before the event loop sleeps, in microseconds. */
  readonly spinUs: number;
  /** The JavaScript host's when left out; a simulation gives its own. */
  readonly eventLoop?: EventLoop | undefined;
}

export class Instance implements Disposable {
  readonly libos: LibOs;
  readonly completions: Completions;
  readonly reactor: Reactor;
  readonly eventLoop: EventLoop;
  readonly #spinUs: number;
  #broken: DemibunError | undefined;

  constructor(libos: LibOs, { spinUs, eventLoop = hostEventLoop }: InstanceOptions) {
    const completions = new Completions(libos.stack);
    this.libos = libos;
    this.completions = completions;
    this.eventLoop = eventLoop;
    this.#spinUs = spinUs;
    const source = {
      poll: (nowUs: number) => libos.poll(nowUs),
      collect: () => completions.collect(),
      flush: () => libos.flush(),
      arm: (wake: () => void) => libos.arm(wake),
      failed: (cause: unknown) => void this.#fail(cause),
      get deadlineUs() {
        return libos.stack.deadlineUs;
      },
    };
    this.reactor = new Reactor(source, { eventLoop, spinUs });
    this.reactor.kick();
  }

  get usable(): boolean {
    return this.#broken === undefined;
  }

  assertUsable(operation: string): void {
    if (this.#broken === undefined) return;
    const { errno, message, cause } = this.#broken;
    throw new DemibunError({ operation, errno, detail: message, cause });
  }

  /** Results that nobody collects must not grow without bound: at the limit nothing new starts. */
  assertRoom(operation: string): void {
    this.assertUsable(operation);
    if (this.completions.uncollected < this.libos.stack.options.tokens) return;
    fail(operation, ERRNO_EAGAIN, hintFor(ERRNO_EAGAIN));
  }

  /** Returns a result of the stack that is no error; throws the one it is. */
  check(operation: string, result: number): number {
    if (result < 0) fail(operation, -result, hintFor(result));
    return result;
  }

  /** Notes the operation that the stack began, and makes the reactor carry it out. */
  started(operation: string, opcode: number, result: number): QueueToken {
    this.check(operation, result);
    this.completions.started(result as QueueToken, opcode);
    this.reactor.kick();
    return result as QueueToken;
  }

  async waitTokens(
    qts: readonly QueueToken[],
    operation: string,
    options: WaitOptions,
  ): Promise<IndexedResult> {
    this.#checkWait(operation, options);
    const kept = this.#takeAny(qts, operation);
    if (kept !== undefined) return kept;
    this.#hold();
    return new TokenWait(this.completions, qts, this.#waitContext(operation, options)).promise;
  }

  async waitNext(
    countMax: number,
    operation: string,
    options: WaitOptions,
  ): Promise<QueueResult[]> {
    this.#checkWait(operation, options);
    const kept = this.#takeNext(countMax, operation);
    if (kept !== undefined) return kept;
    this.#hold();
    return new NextWait(this.completions, countMax, this.#waitContext(operation, options)).promise;
  }

  waitTokensSync(
    qts: readonly QueueToken[],
    operation: string,
    timeoutMs: number | undefined,
  ): IndexedResult {
    return this.#block(operation, timeoutMs, () => this.#takeAny(qts, operation));
  }

  waitNextSync(countMax: number, operation: string, timeoutMs: number | undefined): QueueResult[] {
    return this.#block(operation, timeoutMs, () => this.#takeNext(countMax, operation));
  }

  /** Fails what is pending and lets the device go. */
  [Symbol.dispose](): void {
    this.reactor[Symbol.dispose]();
    this.#broken = new DemibunError({
      operation: "wait",
      errno: ERRNO_EBADF,
      detail: "the instance is closed",
    });
    this.completions.failAll(this.#broken);
    this.libos[Symbol.dispose]();
  }

  #checkWait(operation: string, { timeoutMs, signal }: WaitOptions): void {
    this.assertUsable(operation);
    checkTimeout(timeoutMs, operation);
    signal?.throwIfAborted();
  }

  /** A wait keeps the process alive until it ends. */
  #hold(): void {
    this.reactor.hold();
    this.reactor.kick();
  }

  #waitContext(operation: string, options: WaitOptions): WaitContext {
    return { operation, options, eventLoop: this.eventLoop, ended: this.#letGo };
  }

  readonly #letGo = (): void => this.reactor.letGo();

  #takeAny(qts: readonly QueueToken[], operation: string): IndexedResult | undefined {
    if (qts.length === 0) fail(operation, ERRNO_EINVAL, "give at least one token");
    for (const qt of qts) this.completions.assertKnown(qt, operation);
    for (let index = 0; index < qts.length; index++) {
      const result = this.completions.take(qts[index] as QueueToken);
      if (result !== undefined) return { index, result };
    }
    return undefined;
  }

  #takeNext(countMax: number, operation: string): QueueResult[] | undefined {
    if (!Number.isInteger(countMax) || countMax <= 0) fail(operation, ERRNO_EINVAL);
    const results = this.completions.takeNext(countMax);
    return results.length === 0 ? undefined : results;
  }

  /** Polls until `take` finds something; spins first, then sleeps until packets or a deadline. */
  #block<T>(operation: string, timeoutMs: number | undefined, take: () => T | undefined): T {
    this.#checkWait(operation, { timeoutMs });
    const startedUs = this.eventLoop.nowUs();
    const endUs = startedUs + (timeoutMs ?? Number.POSITIVE_INFINITY) * 1000;
    let activeUs = startedUs;
    for (;;) {
      const found = take();
      if (found !== undefined) return found;
      const worked = this.#step() > 0;
      const nowUs = this.eventLoop.nowUs();
      if (worked) {
        activeUs = nowUs;
      } else if (nowUs >= endUs) {
        throw timedOut(operation);
      } else if (nowUs - activeUs >= this.#spinUs) {
        const untilUs = Math.min(endUs, this.libos.stack.deadlineUs);
        this.libos.sleep(Math.max(0, (untilUs - nowUs) / 1000));
      }
    }
  }

  #step(): number {
    try {
      return this.reactor.step();
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  /** The module trapped: its state cannot be trusted, so every operation and wait fails. */
  #fail(cause: unknown): DemibunError {
    const detail = `the stack failed: ${cause instanceof Error ? cause.message : String(cause)}`;
    this.#broken ??= new DemibunError({ operation: "poll", errno: ERRNO_EIO, detail, cause });
    this.reactor[Symbol.dispose]();
    this.completions.failAll(this.#broken);
    return this.#broken;
  }
}
