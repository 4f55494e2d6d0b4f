/**
 * How n flows from n hosts share a line once they have settled: 10 Mb/s with 30 ms round trip for 30 s
 * of virtual time, and 20 Mb/s with 100 ms for 90 s. Jain's index is 1 when all get the same, 1/n when
 * one gets everything. Buffers hold more than the path, so that nothing but congestion control limits
 * a flow.
 */
import { expect, test } from "bun:test";
import { Simulation } from "../../../src/sim/index";
import { stackModule } from "../../../src/wasm/module";
import { startSink, startSource } from "./bulk";
import { expectGolden, table } from "./golden";

const JAIN_LEAST = 0.95;

interface Line {
  readonly megabits: number;
  readonly roundTripMs: number;
  /** Of the drop-tail queue. */
  readonly queueBytes: number;
  readonly bufferBytes: number;
  readonly settleSeconds: number;
  readonly seconds: number;
}

const short: Line = {
  megabits: 10,
  roundTripMs: 30,
  queueBytes: 48 * 1024,
  bufferBytes: 1 << 18,
  settleSeconds: 5,
  seconds: 30,
};
const long: Line = {
  megabits: 20,
  roundTripMs: 100,
  queueBytes: 256 * 1024,
  bufferBytes: 1 << 21,
  settleSeconds: 30,
  seconds: 90,
};

const queuesOf = ({ queueBytes }: Line) =>
  [
    ["drop-tail", { kind: "drop-tail", bytesMax: queueBytes }],
    ["CoDel", { kind: "codel" }],
  ] as const;
type Queue = ReturnType<typeof queuesOf>[number][1];

async function share(flows: number, line: Line, queue: Queue) {
  using sim = new Simulation({ seed: 1, module: stackModule() });
  const { bufferBytes, settleSeconds, seconds } = line;
  const stack = { receiveBufferBytes: bufferBytes, sendBufferBytes: bufferBytes, frames: 4096 };
  const sink = sim.host("sink", { address: "10.0.0.254/24", stack });
  const middle = sim.switch("middle");
  const bottleneck = sim.link(middle, sink, {
    delayMs: line.roundTripMs / 2 - 5,
    bandwidthBitsPerSecond: line.megabits * 1e6,
    queue,
  });
  const sources = Array.from({ length: flows }, (_, index) => {
    const host = sim.host(`source${index}`, { address: `10.0.0.${index + 1}/24`, stack });
    sim.link(host, middle, { delayMs: 5 });
    return host;
  });
  const received = startSink(sink);
  const before = new Map<string, number>();
  await sim.run(async () => {
    await Promise.all(sources.map((source) => startSource(source, "10.0.0.254")));
    await sim.sleep(settleSeconds * 1000);
    for (const [address, bytes] of received) before.set(address, bytes);
    await sim.sleep(seconds * 1000);
  });
  const rates = [...received].map(([address, bytes]) => bytes - (before.get(address) ?? 0));
  const sum = rates.reduce((total, rate) => total + rate, 0);
  const squares = rates.reduce((total, rate) => total + rate * rate, 0);
  return {
    megabits: (sum * 8) / seconds / 1e6,
    jain: sum ** 2 / (flows * squares),
    dropped: bottleneck.ab.counts.dropped,
  };
}

async function shares(line: Line, flowCounts: readonly number[]) {
  const rows = [["flows, queue", `Mb/s of ${line.megabits}`, "Jain's index", "dropped"]];
  const indexes: number[] = [];
  for (const [name, queue] of queuesOf(line)) {
    for (const flows of flowCounts) {
      const { megabits, jain, dropped } = await share(flows, line, queue);
      rows.push([`${flows}, ${name}`, megabits.toFixed(2), jain.toFixed(3), `${dropped}`]);
      indexes.push(jain);
    }
  }
  return { rows, leastJain: Math.min(...indexes) };
}

test("fairness by number of flows", async () => {
  const { rows, leastJain } = await shares(short, [1, 2, 4, 8, 16]);
  expect(leastJain).toBeGreaterThan(JAIN_LEAST);
  expectGolden("fairness", table(rows));
});

test("fairness over a long path", async () => {
  const { rows, leastJain } = await shares(long, [2, 8]);
  expect(leastJain).toBeGreaterThan(JAIN_LEAST);
  expectGolden("fairness-long", table(rows));
}, 120_000);
