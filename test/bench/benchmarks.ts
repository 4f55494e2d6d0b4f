/** Every benchmark, in the order they run. */
import type { Benchmark } from "./figure";
import { stackBenchmarks } from "./stack";

export const benchmarks: readonly Benchmark[] = [...stackBenchmarks];
