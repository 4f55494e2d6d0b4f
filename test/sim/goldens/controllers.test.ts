/**
 * CUBIC beside NewReno. Alone: 20 s of virtual time over lines whose wire loses one packet in so many,
 * where the window that a loss leaves and its way back decide. Together: one flow of each at a line
 * with CoDel, 30 s after 5 s to settle; where the Reno-friendly region rules, they are to share it.
 */
import { expect, test } from "bun:test";
import { type Host, Simulation } from "../../../src/sim/index";
import { stackModule } from "../../../src/wasm/module";
import type { StackOptions } from "../../../src/wasm/stack-options";
import { startSink, startSource } from "./bulk";
import { expectGolden, table } from "./golden";

type Controller = StackOptions["congestionControl"];
const controllers: readonly Controller[] = ["newreno", "cubic"];

const buffers = { receiveBufferBytes: 1 << 22, sendBufferBytes: 1 << 22, frames: 8192 };

interface Line {
  readonly megabits: number;
  readonly roundTripMs: number;
  readonly loss: number;
  readonly queueBytes: number;
}

/** One flow for so long; its kB/s and what the queue dropped. */
async function alone(congestionControl: Controller, line: Line, seconds: number) {
  using sim = new Simulation({ seed: 1, module: stackModule() });
  const stack = { ...buffers, congestionControl };
  const sink = sim.host("sink", { address: "10.0.0.1/24", stack });
  const source = sim.host("source", { address: "10.0.0.2/24", stack });
  const link = sim.link(source, sink, {
    delayMs: line.roundTripMs / 2,
    bandwidthBitsPerSecond: line.megabits * 1e6,
    queue: { kind: "drop-tail", bytesMax: line.queueBytes },
    loss: line.loss,
  });
  const received = startSink(sink);
  await sim.run(async () => {
    await startSource(source, "10.0.0.1");
    await sim.sleep(seconds * 1000);
  });
  const bytes = received.get("10.0.0.2") ?? 0;
  return { rate: bytes / seconds / 1000, dropped: link.ab.counts.dropped };
}

/** Mb/s of a NewReno and a CUBIC flow through one line. */
async function together(megabits: number, roundTripMs: number): Promise<number[]> {
  using sim = new Simulation({ seed: 1, module: stackModule() });
  const sink = sim.host("sink", { address: "10.0.0.254/24", stack: buffers });
  const middle = sim.switch("middle");
  sim.link(middle, sink, {
    delayMs: roundTripMs / 2 - 1,
    bandwidthBitsPerSecond: megabits * 1e6,
    queue: { kind: "codel" },
  });
  const sources = controllers.map((congestionControl, index): Host => {
    const stack = { ...buffers, congestionControl };
    const host = sim.host(congestionControl, { address: `10.0.0.${index + 1}/24`, stack });
    sim.link(host, middle, { delayMs: 1 });
    return host;
  });
  const received = startSink(sink);
  const before = new Map<string, number>();
  await sim.run(async () => {
    await Promise.all(sources.map((source) => startSource(source, "10.0.0.254")));
    await sim.sleep(5000);
    for (const [address, bytes] of received) before.set(address, bytes);
    await sim.sleep(30_000);
  });
  return controllers.map((_, index) => {
    const address = `10.0.0.${index + 1}`;
    return (((received.get(address) ?? 0) - (before.get(address) ?? 0)) * 8) / 30e6;
  });
}

test("throughput alone and shares together", async () => {
  const rows = [["", ...controllers]];
  for (const [megabits, roundTripMs, each] of [
    [10, 20, 1000],
    [20, 100, 5000],
    [100, 100, 20_000],
  ] as const) {
    const queueBytes = (megabits * roundTripMs * 1000) / 8;
    const line = { megabits, roundTripMs, loss: 1 / each, queueBytes };
    const cells: string[] = [];
    for (const controller of controllers) {
      cells.push((await alone(controller, line, 20)).rate.toFixed(1));
    }
    rows.push([`kB/s alone: ${megabits} Mb/s, ${roundTripMs} ms, loss 1 in ${each}`, ...cells]);
  }
  for (const [megabits, roundTripMs] of [
    [10, 10],
    [10, 40],
    [40, 100],
  ] as const) {
    const rates = await together(megabits, roundTripMs);
    const cells = rates.map((rate) => rate.toFixed(2));
    rows.push([`Mb/s together: ${megabits} Mb/s, ${roundTripMs} ms`, ...cells]);
  }
  expectGolden("controllers", table(rows));
}, 120_000);

test("slow start ends before a long queue overflows (RFC 9406 4.2, RFC 9438 4.10)", async () => {
  const line = { megabits: 20, roundTripMs: 40, loss: 0, queueBytes: 1_000_000 };
  expect((await alone("newreno", line, 3)).dropped).toBeGreaterThan(0);
  const cubic = await alone("cubic", line, 3);
  expect(cubic.dropped).toBe(0);
  // Of 2,500 kB/s, the start included.
  expect(cubic.rate).toBeGreaterThan(2000);
});
