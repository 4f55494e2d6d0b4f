/** Asynchronous waits: one object a wait, which ends by a completion, a timeout or an abort. */
import { ERRNO_EINVAL, ERRNO_ETIMEDOUT } from "../../assembly/layout";
import { DemibunError } from "../errors";
import type { EventLoop, Timer } from "../runtime/event-loop";
import type { AnyListener, CompletionListener, Completions } from "./completions";
import type { QueueResult, QueueToken } from "./queue-result";

export interface WaitOptions {
  /** Milliseconds until the wait fails with ETIMEDOUT; the operation stays pending. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait with the signal's reason; the operation stays pending. */
  readonly signal?: AbortSignal | undefined;
}

export interface IndexedResult {
  /** Place of the completed token in the list that was waited for. */
  readonly index: number;
  readonly result: QueueResult;
}

/** Throws EINVAL for a timeout that is none. Undefined waits for ever. */
export function checkTimeout(timeoutMs: number | undefined, operation: string): void {
  if (timeoutMs === undefined || timeoutMs >= 0) return;
  throw new DemibunError({
    operation,
    errno: ERRNO_EINVAL,
    detail: `a timeout of ${timeoutMs} ms is not possible`,
  });
}

export function timedOut(operation: string): DemibunError {
  return new DemibunError({
    operation,
    errno: ERRNO_ETIMEDOUT,
    detail: "nothing completed in time; the operations stay pending",
  });
}

/** What every wait needs to know. */
export interface WaitContext {
  readonly operation: string;
  readonly options: WaitOptions;
  readonly eventLoop: EventLoop;
  /** Called once when the wait is over, however it ended. */
  readonly ended: () => void;
}

/** The part that every wait shares. `T` is what it resolves to. */
abstract class Wait<T> {
  readonly promise: Promise<T>;
  readonly #context: WaitContext;
  #timer: Timer | undefined;
  #resolve!: (value: T) => void;
  #reject!: (reason: unknown) => void;

  constructor(context: WaitContext) {
    this.#context = context;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { timeoutMs, signal } = context.options;
    if (timeoutMs !== undefined && timeoutMs < 2 ** 31) {
      this.#timer = context.eventLoop.after(timeoutMs, this.#expired);
    }
    signal?.addEventListener("abort", this.#aborted);
  }

  protected abstract withdraw(): void;

  /** Ends the wait before anybody has its promise. */
  protected abandon(): void {
    this.#end();
  }

  protected resolve(value: T): void {
    this.#end();
    this.#resolve(value);
  }

  #giveUp(reason: unknown): void {
    this.withdraw();
    this.#end();
    this.#reject(reason);
  }

  #end(): void {
    this.#timer?.cancel();
    this.#context.options.signal?.removeEventListener("abort", this.#aborted);
    this.#context.ended();
  }

  readonly #expired = (): void => this.#giveUp(timedOut(this.#context.operation));
  readonly #aborted = (): void => this.#giveUp(this.#context.options.signal?.reason);
}

/** Waits for the first of some pending tokens. Construction throws EALREADY when one has a wait. */
export class TokenWait extends Wait<IndexedResult> implements CompletionListener {
  readonly #completions: Completions;
  readonly #tokens: readonly QueueToken[];

  constructor(completions: Completions, tokens: readonly QueueToken[], context: WaitContext) {
    super(context);
    this.#completions = completions;
    this.#tokens = tokens;
    try {
      for (const token of tokens) completions.listen(token, this, context.operation);
    } catch (error) {
      this.withdraw();
      this.abandon();
      throw error;
    }
  }

  completed(result: QueueResult): void {
    if (this.#tokens.length > 1) this.withdraw();
    this.resolve({ index: this.#tokens.indexOf(result.qt), result });
  }

  protected override withdraw(): void {
    for (const token of this.#tokens) this.#completions.unlisten(token, this);
  }
}

/** Waits for any completions that nobody else listens to, up to a number of them. */
export class NextWait extends Wait<QueueResult[]> implements AnyListener {
  readonly #completions: Completions;
  readonly #countMax: number;
  readonly #taken: QueueResult[] = [];

  constructor(completions: Completions, countMax: number, context: WaitContext) {
    super(context);
    this.#completions = completions;
    this.#countMax = countMax;
    completions.listenAny(this);
  }

  offered(result: QueueResult): boolean {
    if (this.#taken.length >= this.#countMax) return false;
    this.#taken.push(result);
    return true;
  }

  ended(): void {
    if (this.#taken.length === 0) return;
    this.withdraw();
    this.resolve(this.#taken);
  }

  protected override withdraw(): void {
    this.#completions.unlistenAny(this);
  }
}
