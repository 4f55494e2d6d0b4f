/** Paths that carry less than their ends' links, with routers that say so and with silent ones. */
import { describe, expect, test } from "bun:test";
import {
  COUNTER_TCP_BLACK_HOLES,
  COUNTER_TCP_PATH_MTU_LOWERED,
  COUNTER_TCP_TIMEOUTS,
} from "../../../assembly/layout";
import { type Host, Simulation } from "../../../src/sim/index";
import { stackModule } from "../../../src/wasm/module";

const content = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7919) >>> 5);

/** client 10.0.0.1 — left —(mtu)— right — server 10.0.1.1; `silent` links drop what is too big. */
function narrow({
  mtu = 1500,
  silent,
  loss = 0,
}: {
  mtu?: number;
  silent?: number;
  loss?: number;
}) {
  const sim = new Simulation({ seed: 1, module: stackModule() });
  const left = sim.router("left");
  const right = sim.router("right");
  const west = left.addInterface({ address: "10.0.0.254/24" });
  const out = left.addInterface({ address: "10.0.9.1/30", mtu });
  const back = right.addInterface({ address: "10.0.9.2/30", mtu });
  const east = right.addInterface({ address: "10.0.1.254/24" });
  left.addRoute("10.0.1.0/24", "10.0.9.2");
  right.addRoute("10.0.0.0/24", "10.0.9.1");
  const client = sim.host("client", { address: "10.0.0.1/24", gateway: "10.0.0.254" });
  const server = sim.host("server", { address: "10.0.1.1/24", gateway: "10.0.1.254" });
  sim.link(client, west);
  const middle = sim.link(out, back, {
    delayMs: 5,
    loss,
    ...(silent !== undefined && { mtu: silent }),
  });
  sim.link(east, server);
  return { sim, client, server, middle };
}

type Narrow = ReturnType<typeof narrow>;

function counter(host: Host, index: number): number {
  return host.stack?.counter(index) ?? -1;
}

/** Sends the content to the server and says whether it has arrived. */
async function isTransferred({ client, server }: Narrow, port = 80): Promise<boolean> {
  const received: Uint8Array[] = [];
  const ended = Promise.withResolvers<void>();
  server.demikernel.tcp.listen({
    port,
    socket: {
      data: (_, data) => void received.push(data.slice()),
      end(socket) {
        socket.end();
        ended.resolve();
      },
    },
  });
  const { demikernel } = client;
  const qd = demikernel.socket("stream");
  await demikernel.wait(demikernel.connect(qd, { hostname: "10.0.1.1", port }));
  await demikernel.wait(demikernel.push(qd, content));
  demikernel.shutdownWrite(qd);
  await ended.promise;
  return Buffer.concat(received).equals(content);
}

describe("through a router of a smaller MTU", () => {
  test.each([1492, 1400, 1280, 1006, 576, 552, 500, 296])(
    "of %d bytes a transfer is whole, without a timeout",
    async (mtu) => {
      const network = narrow({ mtu });
      await network.sim.run(async () => {
        expect(await isTransferred(network)).toBe(true);
        expect(counter(network.client, COUNTER_TCP_PATH_MTU_LOWERED)).toBe(1);
        expect(counter(network.client, COUNTER_TCP_TIMEOUTS)).toBe(0);
      });
    },
  );

  test("and losses it is whole", async () => {
    const network = narrow({ mtu: 1280, loss: 0.05 });
    await network.sim.run(async () => expect(await isTransferred(network)).toBe(true));
  });

  test("the next connection to the same host starts with what is known (RFC 1191 6.3)", async () => {
    const network = narrow({ mtu: 1280 });
    await network.sim.run(async () => {
      await isTransferred(network, 80);
      expect(await isTransferred(network, 81)).toBe(true);
      expect(counter(network.client, COUNTER_TCP_PATH_MTU_LOWERED)).toBe(1);
      await network.sim.sleep(11 * 60_000);
      expect(await isTransferred(network, 82)).toBe(true);
      expect(counter(network.client, COUNTER_TCP_PATH_MTU_LOWERED)).toBe(2);
    });
  });
});

describe("over a link that drops what is too big and says nothing", () => {
  test.each([1400, 1280, 1024, 700, 552])("of %d bytes a transfer is whole", async (silent) => {
    const network = narrow({ silent });
    await network.sim.run(async () => {
      expect(await isTransferred(network)).toBe(true);
      expect(counter(network.client, COUNTER_TCP_BLACK_HOLES)).toBe(silent < 1024 ? 2 : 1);
      // What was found out serves the next connection too.
      const timeouts = counter(network.client, COUNTER_TCP_TIMEOUTS);
      expect(await isTransferred(network, 81)).toBe(true);
      expect(counter(network.client, COUNTER_TCP_TIMEOUTS)).toBe(timeouts);
    });
  });

  test("an interruption is no black hole for long: the full size is back (RFC 4821 7.7)", async () => {
    const network = narrow({});
    await network.sim.run(async () => {
      const transferred = isTransferred(network);
      await network.sim.sleep(45);
      network.middle.setDown();
      await network.sim.sleep(7000);
      network.middle.setUp();
      expect(await transferred).toBe(true);
      expect(counter(network.client, COUNTER_TCP_BLACK_HOLES)).toBe(1);
      expect(counter(network.client, COUNTER_TCP_PATH_MTU_LOWERED)).toBe(0);
    });
  });
});
