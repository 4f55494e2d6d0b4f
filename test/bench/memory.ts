/** What a connection that does nothing costs, and how large the pools are by default. */
import { CONNECTION_SIZE, FRAME_RECORD_SIZE, FRAME_SIZE, QUEUE_SIZE } from "../../assembly/layout";
import { defaultStackOptions, stackMemoryBytes } from "../../src/wasm/stack-options";
import { type Benchmark, figure } from "./figure";

/** Large enough that rounding to pages and powers of two is told per connection, not per pool. */
const MANY = 1 << 20;

/** Memory that one more connection with its queue descriptor adds, of all regions together. */
function connectionBytes(): number {
  const options = (count: number) => ({
    ...defaultStackOptions,
    connections: count,
    queues: count,
  });
  return (stackMemoryBytes(options(2 * MANY)) - stackMemoryBytes(options(MANY))) / MANY;
}

const { frames, connections, queues, tokens, ringEntries } = defaultStackOptions;

const poolConditions =
  `default pools: ${frames} frames of ${FRAME_SIZE} bytes, ${connections} connections, ${queues} ` +
  `queues, ${tokens} tokens, ${ringEntries} ring entries; fixed when the stack opens`;

export const memoryBenchmarks: readonly Benchmark[] = [
  {
    names: ["idle.connection.bytes"],
    run: async () => [
      figure(
        "idle.connection.bytes",
        connectionBytes(),
        "bytes",
        `connection ${CONNECTION_SIZE}, queue descriptor ${QUEUE_SIZE}, the rest its share of the ` +
          "hash table; buffers are frames of the common pool, of which an idle connection holds none",
        { name: "lwIP, one end", value: 256 },
      ),
    ],
  },
  {
    names: ["pool.frames.bytes", "pool.connections.bytes", "pool.total.bytes"],
    run: async () => [
      figure(
        "pool.frames.bytes",
        frames * (FRAME_SIZE + FRAME_RECORD_SIZE),
        "bytes",
        poolConditions,
      ),
      figure("pool.connections.bytes", connections * connectionBytes(), "bytes", poolConditions),
      figure("pool.total.bytes", stackMemoryBytes(defaultStackOptions), "bytes", poolConditions),
    ],
  },
];
