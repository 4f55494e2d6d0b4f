/** The stack itself over everything in the middle: what is sent arrives, byte for byte. */
import { describe, expect, test } from "bun:test";
import {
  Capture,
  clampMss,
  Nat,
  rewriteSequence,
  Simulation,
  stripOptions,
} from "../../../src/sim/index";
import { updateChecksum } from "../../../src/sim/network/frame-fields";
import type { Verdict } from "../../../src/sim/network/rule";
import type { LinkOptions } from "../../../src/sim/network/options";
import { readPcapng } from "../../../src/pcapng";
import { stackModule } from "../../../src/wasm/module";

const server = "10.0.1.1";
const bytes = 200_000;
const content = Uint8Array.from({ length: bytes }, (_, index) => (index * 7919) >>> 5);

/** client 10.0.0.1 — switch — router — server 10.0.1.1; the last link is `wan`. */
function routed(wan: LinkOptions, { seed = 1, mtu = 1500 } = {}) {
  const sim = new Simulation({ seed, module: stackModule() });
  const router = sim.router("router");
  const inner = router.addInterface({ address: "10.0.0.254/24" });
  const outer = router.addInterface({ address: "10.0.1.254/24", mtu });
  const to = sim.host("server", { address: `${server}/24`, gateway: "10.0.1.254" });
  const from = sim.host("client", { address: "10.0.0.1/24", gateway: "10.0.0.254" });
  const bridge = sim.switch("switch");
  sim.link(from, bridge);
  sim.link(bridge, inner);
  return { sim, router, to, from, wan: sim.link(outer, to, wan) };
}

type Routed = ReturnType<typeof routed>;

/** Sends the content from the client to the server; what arrived, and who the server saw. */
async function transfer({ sim, to, from }: Routed) {
  const received: Uint8Array[] = [];
  let peer: string | undefined;
  await sim.run(
    async () => {
      const ended = Promise.withResolvers<void>();
      to.demikernel.tcp.listen({
        port: 80,
        socket: {
          open(socket) {
            peer = socket.remote.hostname;
          },
          data(_, data) {
            received.push(data.slice());
          },
          end(socket) {
            socket.end();
            ended.resolve();
          },
        },
      });
      const { demikernel } = from;
      const qd = demikernel.socket("stream");
      await demikernel.wait(demikernel.connect(qd, { hostname: server, port: 80 }));
      await demikernel.wait(demikernel.push(qd, content));
      demikernel.shutdownWrite(qd);
      await ended.promise;
    },
    { timeoutMs: 600_000 },
  );
  return { whole: Buffer.concat(received).equals(content), peer };
}

/** Clears DF. */
function mayFragment(frame: Uint8Array): Verdict {
  if (frame[12] !== 8 || frame[13] !== 0 || frame[20] !== 0x40) return "pass";
  const copy = frame.slice();
  copy[20] = 0;
  updateChecksum(copy, 24, 0x4000 | (copy[21] as number), copy[21] as number);
  return { frame: copy };
}

describe("a transfer through a router", () => {
  test.each<[string, LinkOptions]>([
    ["nothing else", {}],
    ["a narrow line", { delayMs: 20, bandwidthBitsPerSecond: 5e6 }],
    ["bursts of loss", { loss: { gilbertElliott: { goodToBad: 0.01, badToGood: 0.3 } } }],
    ["duplicates", { duplicate: { probability: 0.2, copies: 2, delayMs: 5 }, delayMs: 5 }],
    ["jitter that reorders", { delayMs: { uniform: [1, 10] }, jitterReorders: true }],
    ["swapped frames", { reorder: { swap: 0.1 }, delayMs: 2 }],
    ["flipped bits", { corrupt: { probability: 0.02, what: "bit" } }],
    ["truncated frames", { truncate: { probability: 0.02 } }],
    ["CoDel", { delayMs: 5, bandwidthBitsPerSecond: 4e6, queue: { kind: "codel", targetMs: 5 } }],
    [
      "RED",
      {
        delayMs: 5,
        bandwidthBitsPerSecond: 4e6,
        queue: { kind: "red", minimumBytes: 9000, maximumBytes: 30000, weight: 0.02 },
      },
    ],
  ])("is whole over %s", async (_, options) => {
    const network = routed(options);
    expect((await transfer(network)).whole).toBe(true);
  });

  test.each([
    ["fragments", mayFragment],
    ["a smaller MTU, with an MSS that fits", clampMss(660)],
  ])("is whole through %s", async (_, rule) => {
    const network = routed({}, { mtu: 700 });
    const capture = new Capture();
    using __ = capture.tap(network.wan);
    // The stack's segments must not be cut, and it would have to learn of the MTU by ICMP.
    for (const { ab, ba } of network.sim.links) for (const one of [ab, ba]) one.rules.add(rule);
    expect((await transfer(network)).whole).toBe(true);
    const { packets } = readPcapng(capture.toBytes());
    const sizes = packets.map(({ bytes: { length } }) => length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(714);
    const isCut = packets.some(({ bytes: frame }) => ((frame[20] as number) & 0x20) !== 0);
    expect(isCut).toBe(rule === mayFragment);
  });

  test("is whole behind NAT, and the server sees the router", async () => {
    const network = routed({ delayMs: 3, loss: 0.02 });
    const nat = new Nat(network.wan, { outside: "10.0.1.254" });
    expect(await transfer(network)).toEqual({ whole: true, peer: "10.0.1.254" });
    expect(nat.mappings).toBe(1);
  });

  test("is whole through boxes that strip options and move sequence numbers", async () => {
    const network = routed({ delayMs: 3, loss: 0.02 });
    for (const direction of [network.wan.ab, network.wan.ba]) {
      direction.rules.add(stripOptions([3, 4, 8]), { permanent: true });
    }
    rewriteSequence(network.wan, { offset: 0x7fffffff });
    expect((await transfer(network)).whole).toBe(true);
  });

  test("goes on after a partition and an outage", async () => {
    const network = routed({ delayMs: 10, bandwidthBitsPerSecond: 2e6 });
    const { sim, wan } = network;
    const at = (ms: number, act: () => void) => sim.scheduler.at(ms * 1e6, act);
    at(100, () => wan.partition("ab"));
    at(900, () => wan.partition("none"));
    at(2500, () => wan.setDown());
    at(3500, () => wan.setUp());
    expect((await transfer(network)).whole).toBe(true);
    expect(wan.ab.counts.dropped).toBeGreaterThan(0);
  });

  test("is the same frame by frame when the seed is, and another when it is not", async () => {
    const recorded = async (seed: number) => {
      const network = routed(
        {
          delayMs: { normal: { mean: 5, deviation: 2 } },
          bandwidthBitsPerSecond: 8e6,
          queue: { kind: "red", minimumBytes: 9000, maximumBytes: 30000, weight: 0.02 },
          loss: 0.01,
          reorder: { swap: 0.01 },
        },
        { seed },
      );
      const capture = new Capture();
      for (const link of network.sim.links) capture.tap(link);
      await transfer(network);
      return capture.toBytes();
    };
    const first = await recorded(1);
    expect(await recorded(1)).toEqual(first);
    expect(await recorded(2)).not.toEqual(first);
  });
});
