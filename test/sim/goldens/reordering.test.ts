/**
 * Throughput of one flow on a path that reorders and loses nothing: 50 Mb/s, 40 ms, 10 s of virtual time.
 * A sender that takes what is late for lost halves its window again and again (RFC 8985 section 3.3).
 */
import { test } from "bun:test";
import { type LinkOptions, Simulation } from "../../../src/sim/index";
import { stackModule } from "../../../src/wasm/module";
import { startSink, startSource } from "./bulk";
import { expectGolden, table } from "./golden";

const SECONDS = 10;
const bytes = 1 << 22;
const stack = { receiveBufferBytes: bytes, sendBufferBytes: bytes, frames: 8192 };

const paths: readonly (readonly [name: string, link: LinkOptions])[] = [
  ["in order", { delayMs: 20 }],
  ["1 in 100 is 3 ms late", { delayMs: 20, reorder: { probability: 0.01, extraMs: 3 } }],
  ["1 in 100 is 8 ms late", { delayMs: 20, reorder: { probability: 0.01, extraMs: 8 } }],
  ["each 18 to 22 ms", { delayMs: { uniform: [18, 22] }, jitterReorders: true }],
];

async function kilobytesPerSecond(path: LinkOptions): Promise<number> {
  const sim = new Simulation({ seed: 1, module: stackModule() });
  const sink = sim.host("sink", { address: "10.0.0.1/24", stack });
  const source = sim.host("source", { address: "10.0.0.2/24", stack });
  sim.link(source, sink, {
    bandwidthBitsPerSecond: 50e6,
    queue: { kind: "drop-tail", bytesMax: 250_000 },
    ...path,
  });
  const received = startSink(sink);
  await sim.run(async () => {
    await startSource(source, "10.0.0.1");
    await sim.sleep(SECONDS * 1000);
  });
  return (received.get("10.0.0.2") ?? 0) / SECONDS / 1000;
}

test("throughput of paths that reorder", async () => {
  const rows = [["kB/s of 50 Mb/s", ""]];
  for (const [name, path] of paths) {
    rows.push([name, (await kilobytesPerSecond(path)).toFixed(0)]);
  }
  expectGolden("reordering", table(rows));
}, 60_000);
