/** Microseconds of a monotonic clock. Injected everywhere, so that a simulator can own time. */
export type Clock = () => number;

export const monotonicClock: Clock = () => performance.now() * 1000;
