/**
 * Three counting servers and a client on a bad network, in virtual time: the network is
 * cut, a server crashes, and everything repeats exactly by its seed.
 *
 *     bun examples/simulation.ts [SEED]
 */
import { type Host, loadStackModule, Simulation } from "../src/sim/index";

const seed = Number(process.argv[2] ?? 1);
const PORT = 7;

/** One byte in, the number of bytes received so far out. */
function counter(host: Host): void {
  host.run((demikernel) => {
    let count = 0;
    demikernel.tcp.listen({
      port: PORT,
      socket: {
        data(socket, bytes) {
          count += bytes.length;
          socket.write(Uint8Array.of(count));
        },
      },
    });
  });
}

/** The server's count after one more, or undefined when it does not answer within a second. */
async function increment(client: Host, hostname: string): Promise<number | undefined> {
  const { demikernel } = client;
  const qd = demikernel.socket("stream");
  const timeoutMs = 1000;
  try {
    await demikernel.wait(demikernel.connect(qd, { hostname, port: PORT }), { timeoutMs });
    demikernel.push(qd, Uint8Array.of(1));
    const result = await demikernel.wait(demikernel.pop(qd), { timeoutMs });
    if (result.opcode !== "pop") return undefined;
    using sga = result.sga;
    return sga.copy()[0];
  } catch {
    return undefined;
  } finally {
    demikernel.close(qd);
  }
}

const sim = new Simulation({ seed, module: await loadStackModule() });
const lan = sim.switch("lan");
const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
const servers = addresses.map((address, index) =>
  sim.host(`server${index + 1}`, { address: `${address}/24` }),
);
const client = sim.host("client", { address: "10.0.0.9/24" });
const links = [...servers, client].map((host) =>
  sim.link(host, lan, { delayMs: { exponential: { minimum: 1, mean: 3 } }, loss: 0.01 }),
);
for (const server of servers) counter(server);

await sim.run(async () => {
  const round = async (about: string): Promise<void> => {
    const counts = await Promise.all(addresses.map((address) => increment(client, address)));
    const shown = counts.map((count) => count ?? "no answer").join(", ");
    console.log(`${sim.now.toFixed(1).padStart(8)} ms  ${about}: ${shown}`);
  };
  await round("all is well");
  links[2]?.partition("both");
  await round("server3 is cut off");
  links[2]?.heal();
  servers[0]?.crash();
  servers[0]?.boot();
  await round("server1 has crashed and forgotten");
});
console.log(`seed ${seed}, run ${sim.fingerprint}: the same at every repetition`);
