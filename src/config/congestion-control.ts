/**
 * `cubic`: RFC 9438 with RFC 9406's HyStart++. `newreno`: RFC 5681. `dctcp`: RFC 8257, for networks
 * whose queues mark by a threshold and whose ends all use it.
 */
export const congestionControls = ["cubic", "newreno", "dctcp"] as const;

export type CongestionControl = (typeof congestionControls)[number];
