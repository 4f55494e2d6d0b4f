/** Every benchmark, in the order they run. */
import type { Benchmark } from "./figure";
import { splitBenchmarks } from "./split";
import { stackBenchmarks } from "./stack";

export const benchmarks: readonly Benchmark[] = [...stackBenchmarks, ...splitBenchmarks];
