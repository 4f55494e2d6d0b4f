import { describe, expect, test } from "bun:test";
import { type LoopbackOptions, loopbackPair } from "../../shims/loopback/loopback";
import { frame } from "./frames";
import { LoopbackPeer } from "./loopback-peer";
import { Stack } from "./stack";

function pair(options: LoopbackOptions) {
  const [backend, other] = loopbackPair(options);
  const stack = new Stack(backend);
  const peer = new LoopbackPeer(other);
  stack.post();
  return { backend, stack, peer, mac: backend.capabilities.mac };
}

describe("loopback faults", () => {
  test("drops, duplicates and corrupts as told, each direction by itself", () => {
    const fates = [0, 2, 1, 1];
    let seen = 0;
    const { backend, stack, peer, mac } = pair({
      fault(packet, end) {
        if (end === 1) return 1;
        const fate = fates[seen++] ?? 1;
        if (seen === 3) packet[59] = (packet[59] as number) ^ 0xff;
        return fate;
      },
    });
    const frames = [1, 2, 3, 4].map((seed) => frame(mac, 60, seed));
    for (const bytes of frames) peer.send(bytes);
    backend.poll();
    const [, second, third, fourth] = frames as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const damaged = third.slice();
    damaged[59] = (third[59] as number) ^ 0xff;
    expect(stack.receive().map(({ bytes }) => bytes)).toEqual([second, second, damaged, fourth]);
    expect(backend.statistics()).toMatchObject({ rxPackets: 4 });

    stack.send([frames[0] as Uint8Array]);
    backend.poll();
    expect(peer.receive()?.bytes).toEqual(frames[0]);
  });

  test("does not carry what the device it plays cannot", () => {
    const { backend, stack, peer, mac } = pair({ mtu: 1400, checksum: false });
    expect(backend.capabilities).toMatchObject({ mtu: 1400, segmentMax: 0, checksum: false });
    stack.send([frame(mac, 1415)]);
    stack.send([frame(mac, 1414)]);
    backend.poll();
    expect(peer.receive()?.bytes).toEqual(frame(mac, 1414));
    expect(peer.receive()).toBeUndefined();
    expect(stack.reap()).toBe(2);
    expect(backend.statistics().dropped).toBe(1);
  });

  test("carries nothing once an end is closed", () => {
    const { backend, stack, mac } = pair({});
    backend[Symbol.dispose]();
    stack.send([frame(mac, 60)]);
    expect(backend.poll()).toBe(0);
    expect(stack.tx.published()).toBe(1);
  });
});
