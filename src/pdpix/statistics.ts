/** The stack's counters as a plain object, named after the COUNTER_… indexes of layout.ts. */
import * as layout from "../../assembly/layout";
import type { Stack } from "../wasm/stack";

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<Name>;
type CounterKey = Exclude<Extract<keyof typeof layout, `COUNTER_${string}`>, "COUNTER_COUNT">;
type CounterName<Key extends CounterKey> = Key extends `COUNTER_${infer Name}`
  ? CamelCase<Name>
  : never;

/**
 * `framesOut`, `connectionsOpen`, `timersArmed`, `tokensOut` and `queuesOpen` are what is in use
 * now; `drop…` count packets dropped by reason; the rest count what happened since open.
 */
export type Statistics = { readonly [Key in CounterKey as CounterName<Key>]: number };

const counters: readonly (readonly [name: string, index: number])[] = Object.entries(layout)
  .filter(([key]) => key.startsWith("COUNTER_") && key !== "COUNTER_COUNT")
  .map(([key, index]) => [camelCase(key.slice("COUNTER_".length)), Number(index)]);

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

export function readStatistics(stack: Stack): Statistics {
  stack.exports.measure();
  return Object.fromEntries(
    counters.map(([name, index]) => [name, stack.counter(index)]),
  ) as Statistics;
}
