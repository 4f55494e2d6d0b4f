/** A libc call that may have to be tried again until the kernel is ready for it. */
import { ERRNO_EAGAIN, ERRNO_EALREADY, ERRNO_EINPROGRESS } from "../../../../assembly/layout";
import type { CallResult, PollEntry } from "../target";

export interface Operation {
  /** Tries once; never blocks. The result counts unless the call has to wait. */
  attempt(): CallResult;
  /** Whether a blocking call would wait after an attempt with this result. */
  mustWait(result: CallResult): boolean;
  /** What O_NONBLOCK and MSG_DONTWAIT say. */
  readonly isBlocking: boolean;
  /** How long it waits at most; then the last attempt's result counts. */
  readonly timeoutUs: number;
  /** What to wait for before the next attempt. */
  readonly waits: readonly PollEntry[];
}

export const POLLIN = 1;
export const POLLOUT = 4;

/** What libc makes of the kernel's answer. */
export function resultOf(code: number, outputs: Partial<CallResult> = {}): CallResult {
  return code < 0 ? { value: -1, errno: -code } : { value: code, errno: 0, ...outputs };
}

export function wouldBlock({ errno }: CallResult): boolean {
  return errno === ERRNO_EAGAIN;
}

export function isConnecting({ errno }: CallResult): boolean {
  return errno === ERRNO_EINPROGRESS || errno === ERRNO_EALREADY;
}

/** A call that never waits. */
export function immediate(attempt: () => CallResult): Operation {
  return { attempt, mustWait: () => false, isBlocking: false, timeoutUs: 0, waits: [] };
}
