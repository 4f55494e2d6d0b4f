/**
 * The machine's kernel at a simulated line in real time: with another kernel at its far end, and with
 * our stack there. How fast a loaded machine is proves nothing, but nobody may be faster than the line.
 */
import { describe, expect, test } from "bun:test";
import { PollClock } from "../../shims/tun/poll-clock";
import { type Host, RealTime, Simulation } from "../../src/sim/index";
import { stackModule } from "../../src/wasm/module";
import { inOwnNetwork } from "../shims/own-network";
import { KernelEnd } from "../sim/linux/kernel-end";
import { transferThroughKernel } from "../sim/linux/kernel-transfers";
import { type Line, lineOptions, linesWith, PORT } from "../sim/linux/line";
import { transferInVirtualTime } from "../sim/linux/our-transfer";

const BYTES = 300_000;
const TIMEOUT_MS = 20_000;
const kernelHost = "10.0.0.1";
const ourHost = "10.0.0.2";
const [clean, lossy] = [0, 0.01].map((loss) => linesWith(loss, 1)[0] as Line) as [Line, Line];

/** SYN, SYN-ACK and the first byte's way, then the bytes at the line's rate. */
const leastSeconds = 3 * 0.05 + (BYTES * 8) / 20e6;

/** Our stack in the simulation, the kernel outside of it. */
async function between(run: (ours: Host, kernel: KernelEnd) => Promise<void>): Promise<RealTime> {
  using kernel = new KernelEnd(kernelHost);
  const sim = new Simulation({ seed: 1, module: stackModule(), ambient: "allow" });
  const realTime = new RealTime(sim, new PollClock(() => kernel.waits));
  const ours = sim.host("ours", { address: `${ourHost}/24` });
  sim.link(ours, realTime.attach("kernel", kernel), lineOptions(lossy));
  await realTime.run(() => run(ours, kernel), { timeoutMs: TIMEOUT_MS });
  return realTime;
}

inOwnNetwork(import.meta.path, "the kernel at a simulated line", () => {
  describe("transfers", () => {
    test(
      "from kernel to kernel",
      async () => {
        const lines = [clean, lossy];
        const { seconds, lateness } = await transferThroughKernel(lines, BYTES, TIMEOUT_MS);
        for (const each of seconds) expect(each).toBeGreaterThan(leastSeconds);
        expect(lateness.turns).toBeGreaterThan(BYTES / 1500);
        // Ours, on the same clean line, needs as many round trips: slow start is the same.
        expect(await transferInVirtualTime(clean, BYTES)).toBeLessThan((seconds[0] ?? 0) * 1.1);
      },
      TIMEOUT_MS,
    );

    test(
      "from our stack to the kernel",
      async () => {
        await between(async (ours, kernel) => {
          const received = kernel.receive(BYTES);
          const bytes = new Uint8Array(BYTES);
          let sent = 0;
          const fill = (socket: { write(bytes: Uint8Array): number }) => {
            sent += socket.write(bytes.subarray(sent));
          };
          const target = { hostname: kernelHost, port: PORT, socket: { drain: fill } };
          fill(await ours.demikernel.tcp.connect(target));
          await received;
        });
      },
      TIMEOUT_MS,
    );

    test(
      "from the kernel to our stack",
      async () => {
        let missing = BYTES;
        const realTime = await between((ours, kernel) => {
          const { promise, resolve } = Promise.withResolvers<void>();
          const data = (_: unknown, bytes: Uint8Array) => {
            missing -= bytes.length;
            if (missing === 0) resolve();
          };
          ours.demikernel.tcp.listen({ port: PORT, socket: { data } });
          kernel.prepare();
          kernel.send(ourHost, BYTES);
          return promise;
        });
        expect(missing).toBe(0);
        expect(realTime.lateness.turns).toBeGreaterThan(BYTES / 1500);
      },
      TIMEOUT_MS,
    );
  });
});
