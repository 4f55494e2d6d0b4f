import { POLLIN, ppoll, Struct } from "../libc";

const POLLFD_SIZE = 8;
const DESCRIPTORS_MAX = 64;
const MILLISECOND_NS = 1e6;

const descriptors = new Struct(DESCRIPTORS_MAX * POLLFD_SIZE);
const timeout = new Struct(16);

/**
 * Blocks the thread until one of `fds` (64 at most) is readable, for at most `timeoutMs`, of which
 * fractions count; Infinity waits for ever. Says whether one is; a signal ends the wait too.
 */
export function sleepOn(fds: readonly number[], timeoutMs: number): boolean {
  const count = Math.min(fds.length, DESCRIPTORS_MAX);
  for (let index = 0; index < count; index++) {
    const at = index * POLLFD_SIZE;
    descriptors.view.setInt32(at, fds[index] as number, true);
    descriptors.view.setUint32(at + 4, POLLIN, true);
  }
  if (timeoutMs === Number.POSITIVE_INFINITY) return ppoll(descriptors, count, undefined) > 0;
  const wholeMs = Math.max(0, timeoutMs);
  timeout.view.setBigInt64(0, BigInt(Math.floor(wholeMs / 1000)), true);
  timeout.view.setBigInt64(8, BigInt(Math.floor((wholeMs % 1000) * MILLISECOND_NS)), true);
  return ppoll(descriptors, count, timeout) > 0;
}
