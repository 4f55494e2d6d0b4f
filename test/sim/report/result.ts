/** A failed run as the swarm tells of it. */
import type { RunResult } from "../../../src/sim/swarm/result";

export function resultOf(seed: number): RunResult {
  return {
    seed,
    verdict: "failed",
    failure: { kind: "delivery", host: "server", detail: "byte 7 is wrong", timeNs: 5e7 },
    fingerprint: "0123456789abcdef",
    virtualMs: 1000,
    wallMs: 10,
    events: 100,
    frames: { sent: 100, dropped: 1 },
    drops: { loss: 1 },
    deliveredBytes: 50_000,
    connections: { completed: 1, aborted: 0, retried: 0 },
    counters: {},
    features: ["topology: pair", "fault: loss"],
  };
}
