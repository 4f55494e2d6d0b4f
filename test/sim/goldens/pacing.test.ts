/**
 * What pacing is worth: one CUBIC flow over lines whose drop-tail queue holds less than the path, 10 s of
 * virtual time. A burst that a queue cannot take is lost; even departures are not.
 */
import { test } from "bun:test";
import { Simulation } from "../../../src/sim/index";
import { stackModule } from "../../../src/wasm/module";
import { startSink, startSource } from "./bulk";
import { expectGolden, table } from "./golden";

const SECONDS = 10;

interface Line {
  readonly megabits: number;
  readonly roundTripMs: number;
  readonly queueBytes: number;
}

async function alone(pacing: boolean, line: Line) {
  using sim = new Simulation({ seed: 1, module: stackModule() });
  const stack = { receiveBufferBytes: 1 << 21, sendBufferBytes: 1 << 21, frames: 4096, pacing };
  const sink = sim.host("sink", { address: "10.0.0.1/24", stack });
  const source = sim.host("source", { address: "10.0.0.2/24", stack });
  const link = sim.link(source, sink, {
    delayMs: line.roundTripMs / 2,
    bandwidthBitsPerSecond: line.megabits * 1e6,
    queue: { kind: "drop-tail", bytesMax: line.queueBytes },
  });
  const received = startSink(sink);
  await sim.run(async () => {
    await startSource(source, "10.0.0.1");
    await sim.sleep(SECONDS * 1000);
  });
  const bytes = received.get("10.0.0.2") ?? 0;
  return { rate: bytes / SECONDS / 1000, dropped: link.ab.counts.dropped };
}

test("throughput over short queues, paced and not", async () => {
  const rows = [["kB/s (dropped)", "bursts", "paced"]];
  for (const [megabits, roundTripMs] of [
    [20, 40],
    [100, 20],
    [50, 100],
  ] as const) {
    for (const kib of [8, 16, 64]) {
      const line = { megabits, roundTripMs, queueBytes: kib * 1024 };
      const cells: string[] = [];
      for (const pacing of [false, true]) {
        const { rate, dropped } = await alone(pacing, line);
        cells.push(`${rate.toFixed(1)} (${dropped})`);
      }
      rows.push([`${megabits} Mb/s, ${roundTripMs} ms, ${kib} KiB`, ...cells]);
    }
  }
  expectGolden("pacing", table(rows));
}, 120_000);
