/** The invariants hold through ordinary life on bad networks. */
import { expect, test } from "bun:test";
import { watchInvariants } from "../../src/sim/invariants/watch";
import { type LinkOptions, Simulation } from "../../src/sim/index";
import { stackModule } from "../../src/wasm/module";

const options = { timeWaitUs: 1_000_000, arpTtlUs: 2_000_000, arpRetries: 60 };

/** Both sides send `bytes` and close; the world then rests until every timer has run out. */
async function exchange(seed: number, bytes: number, link: LinkOptions) {
  const sim = new Simulation({ seed, module: stackModule() });
  const watch = watchInvariants(sim);
  const server = sim.host("server", { address: "10.0.0.1/24", stack: options });
  const client = sim.host("client", { address: "10.0.0.2/24", stack: options });
  sim.link(server, client, link);
  await sim.run(async () => {
    const done = Promise.withResolvers<void>();
    const listener = server.demikernel.tcp.listen({
      port: 80,
      socket: {
        open: (socket) => void socket.write(new Uint8Array(bytes)),
        end: (socket) => socket.end(),
        close: () => done.resolve(),
      },
    });
    const socket = await client.demikernel.tcp.connect({
      hostname: "10.0.0.1",
      port: 80,
      socket: {},
    });
    socket.write(new Uint8Array(bytes));
    socket.end();
    await done.promise;
    listener.stop();
    await sim.sleep(300_000);
  });
  watch.checkPools();
  return watch;
}

const links: readonly [name: string, LinkOptions][] = [
  ["a good link", { delayMs: 1 }],
  ["loss", { delayMs: 10, loss: 0.1 }],
  ["reordering", { delayMs: 10, reorder: { probability: 0.2, extraMs: 15 } }],
  ["duplication", { delayMs: 10, duplicate: 0.2 }],
  ["a narrow queue", { delayMs: 5, bandwidthBitsPerSecond: 1e6 }],
];

for (const [name, link] of links) {
  test(`they hold over ${name}`, async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { transitions } = await exchange(seed, 40_000, link);
      for (const seen of ["SYN-RECEIVED>ESTABLISHED", "LAST-ACK>CLOSED", "TIME-WAIT>CLOSED"]) {
        expect(transitions.get(seen)).toBe(1);
      }
    }
  });
}
