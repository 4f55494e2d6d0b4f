/**
 * Calls of Demikernel's dialect: most only begin an operation, and `wait(qd, …)` collects the oldest
 * of its queue. What the beginning call itself returns says nothing.
 */
import { errnoName, errnoNumber } from "../language/constants";
import type { Event, SystemCallAction } from "../language/script";
import type { BegunCall, Call, Target } from "../targets/target";
import type { Descriptors } from "./descriptors";
import { ExpectationError, expectedLine } from "./report";
import { numberOf } from "./values";

const PATIENCE_US = 2_000_000;

interface Operation {
  readonly call: Call;
  readonly begun: BegunCall;
}

/** Calls that complete when `wait` says so. */
const operationNames: ReadonlySet<string> = new Set([
  "accept",
  "connect",
  "receive",
  "send",
  "close",
]);

export function isOperation(call: Call): boolean {
  return operationNames.has(call.name);
}

export class Operations {
  readonly #target: Target;
  readonly #descriptors: Descriptors;
  /** By the script's queue descriptor, oldest first. */
  readonly #pending = new Map<number, Operation[]>();

  constructor(target: Target, descriptors: Descriptors) {
    this.#target = target;
    this.#descriptors = descriptors;
  }

  begin(action: SystemCallAction, call: Call): void {
    const qd = numberOf(action.arguments[0]);
    const operations = this.#pending.get(qd) ?? [];
    operations.push({ call, begun: this.#target.begin(call) });
    this.#pending.set(qd, operations);
  }

  /** Collects the oldest operation; returns the system's descriptor that an accept has made. */
  async wait(event: Event, action: SystemCallAction): Promise<number | undefined> {
    const qd = numberOf(action.arguments[0]);
    const operation = this.#pending.get(qd)?.shift();
    const fail = (reason: string): never => {
      throw new ExpectationError(event.position, reason, [expectedLine(event)]);
    };
    if (operation === undefined) return fail(`no operation waits on queue ${qd}`);
    const { call, begun } = operation;
    await this.#target.waitFor(begun, this.#target.nowUs() + PATIENCE_US);
    const { result } = begun;
    if (result === undefined) return fail(`the ${call.name} has not completed`);
    const wanted = action.errno === undefined ? 0 : errnoNumber(action.errno);
    if (result.errno !== wanted) {
      const was = result.errno === 0 ? "completed" : `failed with ${errnoName(result.errno)}`;
      const should = wanted === 0 ? "should complete" : `should fail with ${action.errno}`;
      return fail(`the ${call.name} ${was}, ${should}`);
    }
    if (call.name !== "accept" || result.errno !== 0) return undefined;
    let accepted = qd + 1;
    while (this.#descriptors.isOpen(accepted)) accepted++;
    this.#descriptors.name(accepted, result.value);
    return result.value;
  }
}
