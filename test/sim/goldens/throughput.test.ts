/**
 * Throughput of one flow by buffer, loss and round-trip time: 20 Mb/s, 10 s of virtual time. Without
 * loss it is min(buffer / RTT, line rate) but for the start.
 */
import { test } from "bun:test";
import { Simulation } from "../../../src/sim/index";
import { stackModule } from "../../../src/wasm/module";
import { startSink, startSource } from "./bulk";
import { expectGolden, table } from "./golden";

const buffers = [4, 16, 64, 256];
const losses = [0, 0.001, 0.01, 0.03, 0.1];
const roundTripsMs = [10, 100];
const SECONDS = 10;

async function kilobytesPerSecond(
  bufferKib: number,
  loss: number,
  roundTripMs: number,
): Promise<number> {
  using sim = new Simulation({ seed: 1, module: stackModule() });
  const bytes = bufferKib * 1024;
  const stack = { receiveBufferBytes: bytes, sendBufferBytes: bytes, frames: 1024 };
  const sink = sim.host("sink", { address: "10.0.0.1/24", stack });
  const source = sim.host("source", { address: "10.0.0.2/24", stack });
  sim.link(source, sink, {
    delayMs: roundTripMs / 2,
    bandwidthBitsPerSecond: 20e6,
    queue: { kind: "drop-tail", bytesMax: 64 * 1024 },
    loss,
  });
  const received = startSink(sink);
  await sim.run(async () => {
    await startSource(source, "10.0.0.1");
    await sim.sleep(SECONDS * 1000);
  });
  return (received.get("10.0.0.2") ?? 0) / SECONDS / 1000;
}

test("throughput by buffer, loss and round-trip time", async () => {
  const rows = [["kB/s of 20 Mb/s", ...losses.map((loss) => `${loss * 100} %`)]];
  for (const roundTripMs of roundTripsMs) {
    for (const bufferKib of buffers) {
      const cells: string[] = [];
      for (const loss of losses) {
        cells.push((await kilobytesPerSecond(bufferKib, loss, roundTripMs)).toFixed(1));
      }
      rows.push([`${bufferKib} KiB, ${roundTripMs} ms`, ...cells]);
    }
  }
  expectGolden("throughput", table(rows));
});
