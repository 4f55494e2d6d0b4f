/** Bulk flows in the simulator, measured in virtual time. */
import type { Host } from "../../../src/sim/index";

const PORT = 5001;
const chunk = new Uint8Array(16 * 1024);

/** Counts what arrives, by the sender's address. */
export function startSink(host: Host): Map<string, number> {
  const received = new Map<string, number>();
  host.demikernel.tcp.listen({
    port: PORT,
    socket: {
      data(socket, bytes) {
        const { address } = socket.remote;
        received.set(address, (received.get(address) ?? 0) + bytes.length);
      },
    },
  });
  return received;
}

/** Sends for ever. */
export async function startSource(host: Host, hostname: string): Promise<void> {
  const fill = (socket: { write(bytes: Uint8Array): number }): void => {
    while (socket.write(chunk) === chunk.length);
  };
  const socket = await host.demikernel.tcp.connect({
    hostname,
    port: PORT,
    socket: { drain: fill },
  });
  fill(socket);
}
