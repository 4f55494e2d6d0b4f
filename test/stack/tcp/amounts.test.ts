/** What a connection has carried, over the end of sequence space and at the rate of its path. */
import { expect, test } from "bun:test";
import { Simulation } from "../../../src/sim/index";
import { Connections } from "../../../src/wasm/connections";
import { stackModule } from "../../../src/wasm/module";
import { pattern } from "../packets";
import { accepted } from "./peer";

test("received bytes are counted on when sequence numbers begin anew", () => {
  const { lab, peer, qd } = accepted({ initial: 2 ** 32 - 1500 });
  const view = new Connections(lab.host.stack).of(qd);
  for (let at = 0; at < 4; at++) {
    peer.inject("A", { seq: 1 + 1000 * at, ack: 1, length: 1000 });
    lab.read(qd);
    expect(view?.receivedBytes).toBe(1000 * (at + 1));
  }
  peer.inject("FA", { seq: 4001, ack: 1 });
  expect(view?.receivedBytes).toBe(4000);
  peer.take();
});

test("acknowledged bytes are counted without SYN and FIN", () => {
  const { lab, peer, qd } = accepted();
  const view = new Connections(lab.host.stack).of(qd);
  expect(view?.acknowledgedBytes).toBe(0);
  lab.push(qd, pattern(3000));
  peer.take();
  peer.inject("A", { seq: 1, ack: 2001 });
  expect(view?.acknowledgedBytes).toBe(2000);
  lab.shutdown(qd);
  lab.host.poll();
  peer.take();
  peer.inject("A", { seq: 1, ack: 3002 });
  expect(view?.acknowledgedBytes).toBe(3000);
  peer.take();
});

test("the delivery rate is the path's where the window fills it, and says when it does not", async () => {
  const sim = new Simulation({ seed: 1, module: stackModule() });
  const stack = { receiveBufferBytes: 1 << 18, sendBufferBytes: 1 << 18, frames: 2048 };
  const server = sim.host("server", { address: "10.0.0.1/24", stack });
  const client = sim.host("client", { address: "10.0.0.2/24", stack });
  const bandwidthBitsPerSecond = 8e6;
  sim.link(client, server, { delayMs: 10, bandwidthBitsPerSecond });
  server.demikernel.tcp.listen({ port: 9, socket: { data() {} } });
  await sim.run(async () => {
    const fill = (socket: { write(bytes: Uint8Array): number }) => {
      while (socket.write(pattern(16_384)) === 16_384);
    };
    const socket = await client.demikernel.tcp.connect({
      hostname: "10.0.0.1",
      port: 9,
      socket: { drain: fill },
    });
    socket.write(pattern(100));
    await sim.sleep(200);
    // A hundred bytes in a round trip of 20 ms.
    expect(socket.info.deliveryRate?.limited).toBe(true);
    expect(socket.info.deliveryRate?.bytesPerSecond).toBeLessThan(6000);
    fill(socket);
    await sim.sleep(3000);
    const { deliveryRate, minRttUs } = socket.info;
    const payloadRate = (bandwidthBitsPerSecond / 8) * (1448 / 1514);
    expect(deliveryRate?.bytesPerSecond).toBeGreaterThan(0.9 * payloadRate);
    expect(deliveryRate?.bytesPerSecond).toBeLessThan(1.1 * payloadRate);
    expect(minRttUs).toBeGreaterThanOrEqual(20_000);
    expect(minRttUs).toBeLessThan(23_000);
  });
});
