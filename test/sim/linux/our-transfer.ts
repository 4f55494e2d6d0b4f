/** A transfer of our stack's over one of the lines, in virtual time. */
import { Simulation } from "../../../src/sim/index";
import { stackModule } from "../../../src/wasm/module";
import { BUFFER_BYTES, type Line, lineOptions, PORT, SEED } from "./line";

const RECEIVER = "10.0.0.1";
const stack = { receiveBufferBytes: BUFFER_BYTES, sendBufferBytes: BUFFER_BYTES, frames: 8192 };
const chunk = new Uint8Array(16 * 1024);

/** Seconds from the SYN to the last byte's arrival. */
export async function transferInVirtualTime(line: Line, bytes: number): Promise<number> {
  using sim = new Simulation({ seed: SEED, module: stackModule() });
  const receiver = sim.host("receiver", { address: `${RECEIVER}/24`, stack });
  const sender = sim.host("sender", { address: "10.0.0.2/24", stack });
  sim.link(sender, receiver, lineOptions(line), line.name);
  const received = new Promise<void>((resolve) => {
    let missing = bytes;
    const data = (_: unknown, arrived: Uint8Array) => {
      missing -= arrived.length;
      if (missing === 0) resolve();
    };
    receiver.demikernel.tcp.listen({ port: PORT, socket: { data } });
  });
  let unsent = bytes;
  const fill = (socket: { write(bytes: Uint8Array): number }) => {
    while (unsent > 0) {
      const offered = chunk.subarray(0, Math.min(unsent, chunk.length));
      const taken = socket.write(offered);
      unsent -= taken;
      if (taken < offered.length) return;
    }
  };
  await sim.run(async () => {
    const socket = { drain: fill };
    fill(await sender.demikernel.tcp.connect({ hostname: RECEIVER, port: PORT, socket }));
    await received;
  });
  return sim.now / 1000;
}
