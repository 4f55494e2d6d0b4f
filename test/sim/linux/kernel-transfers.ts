/** Transfers from kernel to kernel through simulated lines in real time. */
import { PollClock } from "../../../shims/tun/poll-clock";
import { runAtOnce } from "../../../shims/tun/urgency";
import { type Lateness, RealTime, Simulation } from "../../../src/sim/index";
import { stackModule } from "../../../src/wasm/module";
import { KernelEnd } from "./kernel-end";
import { type Line, lineOptions, SEED } from "./line";

const SENDER = "10.0.0.2";
const RECEIVER = "10.0.0.1";

export interface KernelTransfers {
  /** One for each line. */
  readonly seconds: readonly number[];
  readonly lateness: Lateness;
}

/** `bytes` over each of the lines, all at the same time. Throws ETIMEDOUT. */
export async function transferThroughKernel(
  lines: readonly Line[],
  bytes: number,
  timeoutMs: number,
): Promise<KernelTransfers> {
  using ends = new DisposableStack();
  const simulation = new Simulation({ seed: SEED, module: stackModule(), ambient: "allow" });
  const all: KernelEnd[] = [];
  const clock = new PollClock(() => all.flatMap((end) => end.waits));
  const realTime = new RealTime(simulation, clock);
  const begin = lines.map((line) => {
    const receiver = ends.use(new KernelEnd(RECEIVER));
    const received = receiver.receive(bytes);
    const sender = ends.use(new KernelEnd(SENDER));
    sender.prepare();
    all.push(receiver, sender);
    const from = realTime.attach(`${line.name} sender`, sender);
    const to = realTime.attach(`${line.name} receiver`, receiver);
    simulation.link(from, to, lineOptions(line), line.name);
    return async () => {
      const startMs = clock.nowMs();
      sender.send(RECEIVER, bytes);
      await received;
      return (clock.nowMs() - startMs) / 1000;
    };
  });
  runAtOnce();
  const run = () => Promise.all(begin.map((start) => start()));
  const seconds = await realTime.run(run, { timeoutMs });
  return { seconds, lateness: realTime.lateness };
}
