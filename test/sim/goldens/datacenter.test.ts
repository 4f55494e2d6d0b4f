/**
 * Queues of a data centre: n flows from n hosts of 40 Gb/s over a line of 10 Gb/s, 40 µs round trip, 25 ms of
 * virtual time after 10 ms to settle. CUBIC fills a drop-tail queue of 256 KiB; DCTCP meets one that marks
 * above K and keeps it near that. Lengths are those that a sample each 20 µs finds.
 */
import { expect, test } from "bun:test";
import { Simulation } from "../../../src/sim/index";
import { stackModule } from "../../../src/wasm/module";
import { startSink, startSource } from "./bulk";
import { expectGolden, table } from "./golden";

const SETTLE_MS = 10;
const MEASURE_MS = 25;
const SAMPLE_MS = 0.02;
const GIGABITS = 10;
const QUEUE_BYTES = 256 * 1024;
/** RFC 8257 section 4.2 asks for more than a seventh of rate times round trip, here 7 kB, and for bursts. */
const MARK_BYTES = 30_000;

/** Timeouts as short as the wheel's ticks make sensible. */
const stack = {
  receiveBufferBytes: 1 << 20,
  sendBufferBytes: 1 << 20,
  frames: 8192,
  rtoMinUs: 1000,
  delayedAckUs: 500,
};

interface Measured {
  readonly gigabits: number;
  readonly median: number;
  readonly nearlyMost: number;
  readonly dropped: number;
  readonly marked: number;
}

async function measure(congestionControl: "cubic" | "dctcp", flows: number): Promise<Measured> {
  using sim = new Simulation({ seed: 1, module: stackModule() });
  const options = { ...stack, congestionControl };
  const sink = sim.host("sink", { address: "10.0.0.254/24", stack: options });
  const middle = sim.switch("middle");
  const bottleneck = sim.link(middle, sink, {
    delayMs: 0.01,
    bandwidthBitsPerSecond: GIGABITS * 1e9,
    queue: {
      kind: "drop-tail",
      bytesMax: QUEUE_BYTES,
      ...(congestionControl === "dctcp" && { markBytes: MARK_BYTES }),
    },
  });
  const sources = Array.from({ length: flows }, (_, index) => {
    const address = `10.0.0.${index + 1}/24`;
    const host = sim.host(`source${index}`, { address, stack: options });
    sim.link(host, middle, { delayMs: 0.01, bandwidthBitsPerSecond: 4 * GIGABITS * 1e9 });
    return host;
  });
  const received = startSink(sink);
  const total = () => [...received.values()].reduce((sum, bytes) => sum + bytes, 0);
  const lengths: number[] = [];
  let bytes = 0;
  const { ab } = bottleneck;
  await sim.run(async () => {
    await Promise.all(sources.map((source) => startSource(source, "10.0.0.254")));
    await sim.sleep(SETTLE_MS);
    bytes = -total();
    for (let index = 0; index < MEASURE_MS / SAMPLE_MS; index++) {
      await sim.sleep(SAMPLE_MS);
      lengths.push(ab.queuedBytes);
    }
    bytes += total();
  });
  lengths.sort((one, other) => one - other);
  const at = (share: number) => lengths[Math.floor(lengths.length * share)] as number;
  return {
    gigabits: (bytes * 8) / (MEASURE_MS * 1e6),
    median: at(0.5),
    nearlyMost: at(0.99),
    dropped: ab.counts.dropped,
    marked: ab.counts.marked,
  };
}

test("DCTCP keeps queues short", async () => {
  const rows = [["", "Gb/s of 10", "queue, median", "99 % below", "dropped", "marked"]];
  for (const flows of [1, 2, 8]) {
    for (const controller of ["cubic", "dctcp"] as const) {
      const measured = await measure(controller, flows);
      rows.push([
        `${flows}, ${controller}`,
        measured.gigabits.toFixed(2),
        `${measured.median} B`,
        `${measured.nearlyMost} B`,
        `${measured.dropped}`,
        `${measured.marked}`,
      ]);
      if (controller === "cubic") continue;
      expect(measured.gigabits).toBeGreaterThan(0.95 * GIGABITS * (1460 / 1538));
      expect(measured.nearlyMost).toBeLessThan(3 * MARK_BYTES);
      expect(measured.dropped).toBe(0);
    }
  }
  expectGolden("datacenter", table(rows));
}, 120_000);
