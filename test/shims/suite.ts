/** What every backend must do, whatever its device. */
import { describe, expect, test } from "bun:test";
import { OFFLOAD_CHECKSUM_PARTIAL, TX_HEADROOM, FRAME_SIZE } from "../../assembly/layout";
import type { Backend } from "../../shims/contract";
import { openSleeper } from "../../shims/sleep/sleeper";
import { frame, isOurs, partial, pieces } from "./frames";
import type { Peer, PeerPacket } from "./peer";
import { type Packet, Stack } from "./stack";

export interface Device {
  readonly name: string;
  open(): Backend;
  /** Connects to the other end of the device that `backend` opened. */
  peer(backend: Backend): Peer;
  /** Packets wait in the device until frames are posted. */
  readonly keepsUnposted: boolean;
  /** Received packets carry their offload metadata. */
  readonly tellsMetadata: boolean;
  /** Descriptors that point nowhere are given back. */
  readonly returnsInvalid: boolean;
}

const POLLS_MAX = 2000;
const PIECE_BYTES = FRAME_SIZE - TX_HEADROOM;

/** A backend with the stack's side and the peer's, all closed together. */
export class Rig implements Disposable {
  readonly backend: Backend;
  readonly stack: Stack;
  readonly peer: Peer;

  constructor(device: Device, sizes: { entries?: number; frames?: number } = {}) {
    this.backend = device.open();
    this.stack = new Stack(this.backend, sizes);
    this.peer = device.peer(this.backend);
  }

  /** Polls until `count` packets of the peer have come or the device has been asked long enough. */
  receive(count: number): Packet[] {
    const packets: Packet[] = [];
    for (let polls = 0; polls < POLLS_MAX && packets.length < count; polls++) {
      this.backend.poll();
      packets.push(...this.stack.receive().filter(({ bytes }) => isOurs(bytes)));
      this.stack.post();
    }
    return packets;
  }

  /** Polls until the peer has seen `count` packets and all frames to send have come back. */
  delivered(count: number): PeerPacket[] {
    const packets: PeerPacket[] = [];
    for (let polls = 0; polls < POLLS_MAX; polls++) {
      this.backend.poll();
      this.stack.reap();
      for (let next = this.peer.receive(); next !== undefined; next = this.peer.receive()) {
        if (isOurs(next.bytes)) packets.push(next);
      }
      if (packets.length >= count && this.stack.tx.published() === 0) break;
    }
    return packets;
  }

  [Symbol.dispose](): void {
    this.peer[Symbol.dispose]();
    this.backend[Symbol.dispose]();
  }
}

export function contractSuite(device: Device): void {
  describe(device.name, () => {
    plainFrames(device);
    bursts(device);
    offloads(device);
    shortages(device);
    lifetime(device);
  });
}

function plainFrames(device: Device): void {
  test("carries frames of every size both ways", () => {
    using rig = new Rig(device);
    const { mac, mtu } = rig.backend.capabilities;
    rig.stack.post();
    for (const size of [60, 61, 127, 128, 590, 1023, 1499, mtu, mtu + 14]) {
      const bytes = frame(mac, size, size);
      rig.peer.send(bytes);
      expect(rig.receive(1).map((packet) => packet.bytes)).toEqual([bytes]);
      expect(rig.stack.send([bytes])).toBe(true);
      expect(rig.delivered(1).map((packet) => packet.bytes)).toEqual([bytes]);
    }
  });

  test("sends a chain as one frame", () => {
    using rig = new Rig(device);
    const { mac, mtu } = rig.backend.capabilities;
    const bytes = frame(mac, mtu + 14);
    const parts = [bytes.slice(0, 54), bytes.slice(54, 55), ...pieces(bytes.slice(55), 400)];
    expect(rig.stack.send(parts)).toBe(true);
    expect(rig.delivered(1).map((packet) => packet.bytes)).toEqual([bytes]);
    expect(rig.stack.free.length).toBe(rig.stack.frames);
  });

  test("wraps around small rings", () => {
    using rig = new Rig(device, { entries: 64, frames: 100 });
    const { mac } = rig.backend.capabilities;
    rig.stack.post(32);
    for (let index = 0; index < 200; index++) {
      const bytes = frame(mac, 60 + index, index);
      rig.peer.send(bytes);
      expect(rig.receive(1).map((packet) => packet.bytes)).toEqual([bytes]);
      rig.stack.send([bytes]);
      expect(rig.delivered(1).map((packet) => packet.bytes)).toEqual([bytes]);
    }
  });
}

function bursts(device: Device): void {
  test("carries bursts above a batch in order, the tx ring full", () => {
    using rig = new Rig(device);
    const { mac } = rig.backend.capabilities;
    const burst = Array.from({ length: 256 }, (_, index) => frame(mac, 60 + 3 * index, index));
    for (const bytes of burst) expect(rig.stack.send([bytes])).toBe(true);
    expect(rig.stack.send([burst[0] as Uint8Array])).toBe(false);
    expect(rig.delivered(burst.length).map((packet) => packet.bytes)).toEqual(burst);
    expect(rig.stack.free.length).toBe(rig.stack.frames);

    rig.stack.post();
    for (const bytes of burst.slice(0, 200)) rig.peer.send(bytes);
    expect(rig.receive(200).map((packet) => packet.bytes)).toEqual(burst.slice(0, 200));
  });
}

function offloads(device: Device): void {
  test("maps partial checksums both ways", () => {
    using rig = new Rig(device);
    const { mac, mtu, checksum } = rig.backend.capabilities;
    rig.stack.post();
    const bytes = frame(mac, 200);
    const metadata = partial(200, mtu);
    if (checksum) {
      rig.stack.send([bytes], metadata);
      const [sent] = rig.delivered(1);
      expect(sent?.bytes).toEqual(bytes);
      const { checksumStart, checksumOffset } = metadata;
      expect(sent?.metadata).toMatchObject({ checksumStart, checksumOffset, segmentSize: 0 });
    }
    rig.peer.send(bytes, { ...metadata, flags: 1 });
    const [received] = rig.receive(1);
    expect(received?.bytes).toEqual(bytes);
    if (!device.tellsMetadata) expect(received?.metadata).toBeUndefined();
    else {
      expect(received?.metadata).toMatchObject({
        flags: OFFLOAD_CHECKSUM_PARTIAL,
        checksumStart: 34,
        checksumOffset: 16,
        segmentSize: 0,
      });
    }
  });

  test("carries super-frames between small ones as chains both ways", () => {
    using rig = new Rig(device, { entries: 1024, frames: 3000 });
    const { mac, mtu, segmentMax } = rig.backend.capabilities;
    if (segmentMax === 0) return expect(device.tellsMetadata).toBe(false);
    rig.stack.post();
    const sizes = [60, 65_000, 1514, 61, 30_000, 65_535, 62, 63, 2000, 64, 65, 10_000, 1514, 66];
    const burst = sizes.map((size, index) => frame(mac, size, index));
    for (let round = 0; round < 20; round++) {
      for (const bytes of burst) rig.peer.send(bytes, { ...partial(bytes.length, mtu), flags: 1 });
      const received = rig.receive(burst.length);
      expect(received.map((packet) => packet.bytes.length)).toEqual(sizes);
      expect(received.map((packet) => packet.bytes)).toEqual(burst);
      expect(received[1]?.metadata?.segmentSize).toBe(1448);
    }
    for (const bytes of burst) {
      rig.stack.send(pieces(bytes, PIECE_BYTES), partial(bytes.length, mtu));
    }
    const sent = rig.delivered(burst.length);
    expect(sent.map((packet) => packet.bytes)).toEqual(burst);
    expect(sent[1]?.metadata).toMatchObject({ segmentSize: 1448, checksumStart: 34 });
  });
}

function shortages(device: Device): void {
  test("leaves packets in the device while no frame is posted", () => {
    using rig = new Rig(device);
    const { mac } = rig.backend.capabilities;
    const waiting = [frame(mac, 100, 1), frame(mac, 100, 2), frame(mac, 100, 3)];
    for (const bytes of waiting) rig.peer.send(bytes);
    rig.backend.poll();
    expect(rig.stack.receive()).toEqual([]);
    rig.stack.post();
    if (device.keepsUnposted) {
      expect(rig.receive(3).map((packet) => packet.bytes)).toEqual(waiting);
    }
    rig.peer.send(frame(mac, 100, 4));
    expect(rig.receive(1).map((packet) => packet.bytes)).toEqual([frame(mac, 100, 4)]);
  });

  test("drops a super-frame for which too few frames are posted, and goes on", () => {
    using rig = new Rig(device);
    const { mac, mtu, segmentMax } = rig.backend.capabilities;
    if (segmentMax === 0 || !device.keepsUnposted) return expect(rig.stack.post(3)).toBe(3);
    rig.stack.post(3);
    rig.peer.send(frame(mac, 60_000), { ...partial(60_000, mtu), flags: 1 });
    for (const seed of [1, 2]) rig.peer.send(frame(mac, 100, seed));
    rig.backend.poll();
    rig.backend.poll();
    const received = rig.stack.receive().filter(({ bytes }) => isOurs(bytes));
    const small = [frame(mac, 100, 1), frame(mac, 100, 2)];
    if (device.name === "loopback") return expect(received).toEqual([]);
    expect(received.map((packet) => packet.bytes)).toEqual(small);
    expect(rig.backend.statistics().rxDropped).toBe(1);
  });

  test("gives back packets that cannot be sent", () => {
    using rig = new Rig(device);
    if (!device.returnsInvalid) return expect(rig.stack.tx.room()).toBe(rig.stack.tx.entries);
    const { mac } = rig.backend.capabilities;
    const { tx, completion, places } = rig.stack;
    tx.setDescriptor(tx.own, places.framesBytes, 100, 0);
    tx.setDescriptor(tx.own + 1, 0xfffff000, 100, 0);
    tx.setDescriptor(tx.own + 2, FRAME_SIZE + 2000, 100, 0);
    tx.advance(3);
    for (let polls = 0; polls < 10; polls++) rig.backend.poll();
    expect(completion.available()).toBe(3);
    completion.advance(3);
    rig.stack.send([frame(mac, 80)]);
    expect(rig.delivered(1).map((packet) => packet.bytes)).toEqual([frame(mac, 80)]);
  });
}

function lifetime(device: Device): void {
  test("opens again at once, a watch pending or not", () => {
    for (let round = 0; round < 4; round++) {
      const sleeper = openSleeper();
      const rig = new Rig(device);
      const { readiness, capabilities } = rig.backend;
      rig.stack.post();
      if (readiness !== undefined) sleeper.arm(readiness, () => {});
      rig.stack.send([frame(capabilities.mac, 70)]);
      expect(rig.delivered(1)).toHaveLength(1);
      sleeper[Symbol.dispose]();
      rig[Symbol.dispose]();
      rig.backend[Symbol.dispose]();
      expect(rig.backend.poll()).toBe(0);
    }
  });

  test("wakes the event loop when a packet waits", async () => {
    using rig = new Rig(device);
    using sleeper = openSleeper();
    const { readiness, capabilities } = rig.backend;
    if (readiness === undefined) return expect(device.name).toBe("loopback");
    rig.stack.post();
    rig.receive(0);
    const woken = Promise.withResolvers<void>();
    const armed = sleeper.arm(readiness, woken.resolve);
    rig.peer.send(frame(capabilities.mac, 90));
    if (armed) await woken.promise;
    else sleeper.sleep(readiness, 1000);
    expect(rig.receive(1)).toHaveLength(1);
  });
}
