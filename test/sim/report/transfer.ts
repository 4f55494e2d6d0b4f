/** A transfer of known size, recorded. */
import { Simulation } from "../../../src/sim/index";
import type { LinkOptions } from "../../../src/sim/network/options";
import { Recorder, type RecorderOptions } from "../../../src/sim/report/recorder";
import { stackModule } from "../../../src/wasm/module";

export interface RecordedTransfer {
  readonly sim: Simulation;
  readonly recorder: Recorder;
}

/** Host client sends `bytes` to host server, which reads them all; both close. */
export async function recordTransfer(
  bytes: number,
  link: LinkOptions,
  options: RecorderOptions = {},
  names: readonly [server: string, client: string] = ["server", "client"],
): Promise<RecordedTransfer> {
  const sim = new Simulation({ seed: 1, module: stackModule() });
  const server = sim.host(names[0], { address: "10.0.0.1/24" });
  const client = sim.host(names[1], { address: "10.0.0.2/24" });
  sim.link(client, server, link);
  const recorder = new Recorder(sim, options);
  await sim.run(async () => {
    const ended = Promise.withResolvers<void>();
    server.demikernel.tcp.listen({
      port: 80,
      socket: {
        data() {},
        end(socket) {
          socket.end();
          ended.resolve();
        },
      },
    });
    const { demikernel } = client;
    const qd = demikernel.socket("stream");
    await demikernel.wait(demikernel.connect(qd, { hostname: "10.0.0.1", port: 80 }));
    await demikernel.wait(demikernel.push(qd, new Uint8Array(bytes)));
    demikernel.shutdownWrite(qd);
    await ended.promise;
    await sim.sleep(1000);
  });
  return { sim, recorder };
}
