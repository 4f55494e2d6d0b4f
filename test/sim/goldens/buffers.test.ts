/**
 * What buffers grow to by themselves: the defaults on links of different lengths, 6 s of virtual time.
 * The rate is that of the second half, the buffers are those of the end.
 */
import { test } from "bun:test";
import { type Host, Simulation } from "../../../src/sim/index";
import { Connections, type ConnectionView } from "../../../src/wasm/connections";
import { stackModule } from "../../../src/wasm/module";
import { defaultStackOptions, type StackOptions } from "../../../src/wasm/stack-options";
import { startSink, startSource } from "./bulk";
import { expectGolden, table } from "./golden";

const HALF_MS = 3000;
const KIB = 1024;

const { receiveBufferBytes, receiveBufferMaxBytes, sendBufferBytes, sendBufferMaxBytes } =
  defaultStackOptions;
const growing = { receiveBufferBytes, receiveBufferMaxBytes, sendBufferBytes, sendBufferMaxBytes };
const fixed = { ...growing, receiveBufferMaxBytes: 0, sendBufferMaxBytes: 0 };

interface Row {
  readonly name: string;
  readonly megabits: number;
  readonly roundTripMs: number;
  readonly queueBytes: number;
  readonly stack: Partial<StackOptions>;
}

const long = { megabits: 100, roundTripMs: 100, queueBytes: 1_250_000 };
const rows: readonly Row[] = [
  { name: "100 Mb/s, 100 ms", ...long, stack: growing },
  { name: "the same without timestamps", ...long, stack: { ...growing, timestamps: false } },
  { name: "the same, buffers fixed", ...long, stack: fixed },
  { name: "20 Mb/s, 20 ms", megabits: 20, roundTripMs: 20, queueBytes: 50_000, stack: growing },
  { name: "100 Mb/s, 1 ms", megabits: 100, roundTripMs: 1, queueBytes: 64_000, stack: growing },
  { name: "1 Mb/s, 40 ms", megabits: 1, roundTripMs: 40, queueBytes: 20_000, stack: growing },
];

/** What `read` tells of a host's established connection. */
function ofConnection(host: Host, read: (view: ConnectionView) => number): number {
  let value = 0;
  if (host.stack === undefined) throw new Error("the host is down");
  new Connections(host.stack).each((view) => {
    if (view.state === "ESTABLISHED") value = read(view);
  });
  return value;
}

async function cells({ megabits, roundTripMs, queueBytes, stack }: Row): Promise<string[]> {
  using sim = new Simulation({ seed: 1, module: stackModule() });
  const options = { ...stack, frames: defaultStackOptions.frames, ringEntries: 2048 };
  const sink = sim.host("sink", { address: "10.0.0.1/24", stack: options });
  const source = sim.host("source", { address: "10.0.0.2/24", stack: options });
  sim.link(source, sink, {
    delayMs: roundTripMs / 2,
    bandwidthBitsPerSecond: megabits * 1e6,
    queue: { kind: "drop-tail", bytesMax: queueBytes },
  });
  const received = startSink(sink);
  return await sim.run(async () => {
    await startSource(source, "10.0.0.1");
    await sim.sleep(HALF_MS);
    const before = received.get("10.0.0.2") ?? 0;
    await sim.sleep(HALF_MS);
    const bytes = (received.get("10.0.0.2") ?? 0) - before;
    return [
      ((bytes * 8) / HALF_MS / 1000).toFixed(1),
      Math.round(ofConnection(sink, (view) => view.receiveBuffer) / KIB).toString(),
      Math.round(ofConnection(source, (view) => view.sendBuffer) / KIB).toString(),
    ];
  });
}

test("buffers by link", async () => {
  const lines = [["", "Mb/s", "receive KiB", "send KiB"]];
  for (const row of rows) lines.push([row.name, ...(await cells(row))]);
  expectGolden("buffers", table(lines));
}, 60_000);
