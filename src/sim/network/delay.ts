/** Propagation delays, drawn frame by frame. */
import type { Random } from "../random";
import type { Nanoseconds } from "../scheduler";
import type { DelayOptions } from "./options";

const nsPerMs = 1e6;

/** The delay when it is always the same; undefined when it has to be drawn. */
export function constantDelay(options: DelayOptions): Nanoseconds | undefined {
  if (typeof options === "number") return options * nsPerMs;
  return "constant" in options ? options.constant * nsPerMs : undefined;
}

/** Draws one delay a call. */
export function delaySampler(options: DelayOptions, random: Random): () => Nanoseconds {
  if (typeof options === "number") return () => options * nsPerMs;
  if ("constant" in options) return () => options.constant * nsPerMs;
  if ("uniform" in options) {
    const [low, high] = options.uniform;
    return () => (low + (high - low) * random.float()) * nsPerMs;
  }
  if ("normal" in options) {
    const { mean, deviation } = options.normal;
    return () => Math.max(0, random.normal(mean, deviation)) * nsPerMs;
  }
  if ("exponential" in options) {
    const { minimum, mean } = options.exponential;
    return () => (minimum + random.exponential(mean - minimum)) * nsPerMs;
  }
  const { trace } = options;
  let next = 0;
  return () => {
    const delay = trace[next] as number;
    next = (next + 1) % trace.length;
    return delay * nsPerMs;
  };
}
