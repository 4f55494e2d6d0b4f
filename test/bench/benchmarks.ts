/** Every benchmark, in the order they run. */
import { attackBenchmarks } from "./attacks";
import { bulkBenchmarks } from "./bulk";
import type { Benchmark } from "./figure";
import { memoryBenchmarks } from "./memory";
import { rttBenchmarks } from "./rtt";
import { splitBenchmarks } from "./split";
import { stackBenchmarks } from "./stack";

export const benchmarks: readonly Benchmark[] = [
  ...stackBenchmarks,
  ...splitBenchmarks,
  ...attackBenchmarks,
  ...memoryBenchmarks,
  ...rttBenchmarks,
  ...bulkBenchmarks,
];
