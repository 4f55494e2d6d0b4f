/**
 * How n flows from n hosts share a line of 10 Mb/s with 30 ms round trip: 30 s of virtual time,
 * after 5 s to settle. Jain's index is 1 when all get the same, 1/n when one gets everything. Buffers
 * hold more than the path, so that nothing but congestion control limits a flow.
 */
import { test } from "bun:test";
import { Simulation } from "../../../src/sim/index";
import { stackModule } from "../../../src/wasm/module";
import { startSink, startSource } from "./bulk";
import { expectGolden, table } from "./golden";

const SETTLE_MS = 5_000;
const MEASURE_MS = 30_000;
const LINE_BITS_PER_SECOND = 10e6;

const queues = [
  ["drop-tail", { kind: "drop-tail", bytesMax: 48 * 1024 }],
  ["CoDel", { kind: "codel" }],
] as const;

async function share(flows: number, queue: (typeof queues)[number][1]): Promise<string[]> {
  const sim = new Simulation({ seed: 1, module: stackModule() });
  const stack = { receiveBufferBytes: 1 << 18, sendBufferBytes: 1 << 18, frames: 4096 };
  const sink = sim.host("sink", { address: "10.0.0.254/24", stack });
  const middle = sim.switch("middle");
  const bottleneck = sim.link(middle, sink, {
    delayMs: 10,
    bandwidthBitsPerSecond: LINE_BITS_PER_SECOND,
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
    await sim.sleep(SETTLE_MS);
    for (const [address, bytes] of received) before.set(address, bytes);
    await sim.sleep(MEASURE_MS);
  });
  const rates = [...received].map(([address, bytes]) => bytes - (before.get(address) ?? 0));
  const sum = rates.reduce((total, rate) => total + rate, 0);
  const squares = rates.reduce((total, rate) => total + rate * rate, 0);
  return [
    ((sum * 8 * 1000) / MEASURE_MS / 1e6).toFixed(2),
    (sum ** 2 / (flows * squares)).toFixed(3),
    `${bottleneck.ab.counts.dropped}`,
  ];
}

test("fairness by number of flows", async () => {
  const rows = [["flows, queue", "Mb/s of 10", "Jain's index", "dropped"]];
  for (const [name, queue] of queues) {
    for (const flows of [1, 2, 4, 8, 16]) {
      rows.push([`${flows}, ${name}`, ...(await share(flows, queue))]);
    }
  }
  expectGolden("fairness", table(rows));
});
