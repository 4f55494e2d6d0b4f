/** `cubic`: RFC 9438 with RFC 9406's HyStart++. `newreno`: RFC 5681. */
export const congestionControls = ["cubic", "newreno"] as const;

export type CongestionControl = (typeof congestionControls)[number];
