/** Initial sequence numbers (RFC 6528), ephemeral ports (RFC 6056), wrapping numbers. */
import { expect, test } from "bun:test";
import { pattern } from "../packets";
import { Lab } from "./lab";
import { Peer } from "./peer";

/** The initial number the stack answers this peer's SYN with; the attempt is taken back. */
function probe(peer: Peer): number {
  peer.inject("S", { options: peer.synOptions });
  peer.expect({ flags: "SA", ack: 1 });
  peer.inject("R", { seq: 1 });
  return peer.hostInitial;
}

test("the same 4-tuple gets larger numbers as time goes by, 4 µs each (MUST-8)", () => {
  const lab = new Lab();
  lab.listen();
  const peer = new Peer(lab);
  const first = probe(peer);
  for (const milliseconds of [1, 10, 1000, 60_000]) {
    const before = probe(peer);
    lab.advance(milliseconds, milliseconds);
    expect((probe(peer) - before) >>> 0).toBe(milliseconds * 250);
  }
  expect((probe(peer) - first) >>> 0).toBe(61_011 * 250);
});

test("numbers of different 4-tuples have nothing in common (RFC 6528 3, S20)", () => {
  const lab = new Lab();
  lab.listen();
  const numbers = Array.from({ length: 1000 }, (_, index) =>
    probe(new Peer(lab, { port: 5000 + index })),
  );
  expect(new Set(numbers).size).toBe(1000);
  const differences = numbers
    .slice(1)
    .map((number, index) => (number - (numbers[index] ?? 0)) >>> 0);
  expect(new Set(differences).size).toBe(999);
  // Chi-square over 16 bins of the top bits: 15 degrees of freedom, p = 0.001 at 37.7.
  const bins = new Array<number>(16).fill(0);
  for (const number of numbers) bins[number >>> 28] = (bins[number >>> 28] as number) + 1;
  const chiSquare = bins.reduce((sum, count) => sum + (count - 62.5) ** 2 / 62.5, 0);
  expect(chiSquare).toBeLessThan(37.7);
});

test("another seed gives other numbers (MUST-9)", () => {
  const numbers = [1, 2].map((byte) => {
    const lab = new Lab({ seed: new Uint8Array(64).fill(byte) });
    lab.listen();
    return probe(new Peer(lab));
  });
  expect(numbers[0]).not.toBe(numbers[1]);
});

test("ephemeral ports come from the dynamic range and differ by destination (RFC 6056 3.3, S21)", () => {
  const lab = new Lab();
  const ports: number[] = [];
  for (let remote = 1; remote <= 40; remote++) {
    const qd = lab.socket();
    lab.connect(qd, "10.0.0.2", 1000 + remote);
    lab.collect();
    const syn = lab.pending.pop();
    ports.push(syn?.sourcePort ?? 0);
    lab.close(qd);
  }
  expect(ports.every((port) => port >= 49152)).toBe(true);
  const steps = ports.slice(1).map((port, index) => port - (ports[index] ?? 0));
  expect(steps.filter((step) => Math.abs(step) <= 2).length).toBeLessThan(4);
});

/** Sends and receives 100 KB with both ends' numbers set to start where they will wrap. */
function exchangeAround(hostInitial: number, peerInitial: number): void {
  const lab = new Lab();
  const listener = lab.listen();
  const peer = new Peer(lab, { initial: peerInitial, scale: 7 });
  // A tick of the clock is 4 µs, so the time at which the number comes up can be worked out.
  lab.host.nowUs += ((hostInitial - probe(peer)) >>> 0) * 4;
  lab.host.poll();
  const qd = peer.establish(listener);
  expect(peer.hostInitial).toBe(hostInitial >>> 0);
  const bytes = pattern(100_000);
  for (let at = 0; at < bytes.length; at += 1000) {
    // Every other pair comes in the wrong order.
    const from = at % 4000 === 0 ? at + 1000 : at % 4000 === 1000 ? at - 1000 : at;
    peer.inject("PA", { seq: 1 + from, ack: 1, payload: bytes.subarray(from, from + 1000) });
  }
  expect(lab.read(qd)).toEqual(bytes);
  peer.take();
  lab.push(qd, bytes);
  let acknowledged = 1;
  for (let round = 0; round < 300 && acknowledged < bytes.length + 1; round++) {
    for (const { seq, length, payload } of peer.take()) {
      expect(payload).toEqual(bytes.subarray(seq - 1, seq - 1 + length));
      if (seq === acknowledged && round % 5 !== 3) acknowledged += length;
    }
    peer.inject("A", { seq: bytes.length + 1, ack: acknowledged });
    lab.advance(60, 20);
  }
  expect(acknowledged).toBe(bytes.length + 1);
}

test("numbers may wrap anywhere in a transfer, with loss and disorder (3.4, S17)", () => {
  for (const back of [1, 2, 17, 1460, 50_000, 99_999, 100_001]) {
    exchangeAround(-back, -back - 7);
    exchangeAround(2 ** 31 - back, 2 ** 31 - back - 3);
  }
});
