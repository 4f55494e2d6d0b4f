/**
 * Two stacks joined by a bad wire: it loses, repeats, delays, cuts and damages frames. Whatever it
 * does, both streams arrive byte for byte, both ends close, fall silent and give everything back.
 */
import { expect, test } from "bun:test";
import { parseIpv4 } from "../../../src/wasm/address";
import { hostAddress, hostMac, peerAddress, peerMac } from "../packets";
import { Lab } from "./lab";
import { randomness } from "./randomness";

interface Faults {
  readonly loss: number;
  readonly repeat: number;
  readonly delay: number;
  readonly cut: number;
  readonly damage: number;
}

/** Frames under way in one direction, with the time at which they arrive. */
class Wire {
  frames: { at: number; frame: Uint8Array }[] = [];
  sent = 0;
  readonly #to: Lab;
  readonly #random: () => number;
  /** Super-frames pass whole and with partial checksums, as between two devices of one host. */
  readonly #large: boolean;
  faults: Faults = { loss: 0, repeat: 0, delay: 0, cut: 0, damage: 0 };

  constructor(from: Lab, to: Lab, random: () => number, large: boolean) {
    this.#to = to;
    this.#large = large;
    this.#random = random;
    from.wire = (frame) => this.#take(frame, from.host.nowUs);
  }

  #take(frame: Uint8Array, nowUs: number): void {
    this.sent++;
    const random = this.#random;
    const { loss, repeat, delay, cut, damage } = this.faults;
    if (random() < loss) return;
    const copies = random() < repeat ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      let bytes = frame.slice();
      if (random() < cut) bytes = bytes.subarray(0, Math.floor(random() * bytes.length));
      else if (!this.#large && random() < damage) {
        // Behind the MACs and the type, where checksums watch.
        const at = 14 + Math.floor(random() * (bytes.length - 14));
        bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
      }
      const late = random() < delay ? Math.floor(random() * 40_000) : 0;
      this.frames.push({ at: nowUs + 1000 + late, frame: bytes });
    }
  }

  /** Hands over what has arrived by now. */
  deliver(nowUs: number): void {
    const due = this.frames.filter(({ at }) => at <= nowUs).sort((a, b) => a.at - b.at);
    this.frames = this.frames.filter(({ at }) => at > nowUs);
    const options = this.#large ? ({ checksum: "partial" } as const) : {};
    for (const { frame } of due) this.#to.host.send(frame, options);
  }
}

/** What one end does: pushes its bytes in pieces, reads the other's, closes when both are through. */
class End {
  readonly #lab: Lab;
  readonly #qd: number;
  readonly #bytes: Uint8Array;
  readonly #random: () => number;
  readonly #laziness: number;
  readonly read: Uint8Array[] = [];
  #pushed = 0;
  #pop = 0;
  #atEnd = false;
  #shut = false;
  #closing = 0;
  done = false;

  constructor(lab: Lab, qd: number, bytes: Uint8Array, random: () => number, laziness: number) {
    this.#lab = lab;
    this.#qd = qd;
    this.#bytes = bytes;
    this.#random = random;
    this.#laziness = laziness;
  }

  step(): void {
    if (this.#closing !== 0) {
      if (!this.done && this.#lab.isDone(this.#closing)) {
        expect(this.#lab.result(this.#closing).errno).toBe(0);
        this.done = true;
      }
      return;
    }
    this.#write();
    this.#readSome();
    if (this.#atEnd && this.#pushed === this.#bytes.length && this.#random() < 0.3) {
      this.#closing = this.#lab.close(this.#qd);
    }
  }

  #write(): void {
    const left = this.#bytes.length - this.#pushed;
    if (left > 0 && this.#random() < 0.5) {
      const length = Math.min(left, 1 + Math.floor(this.#random() ** 3 * 20_000));
      this.#lab.push(this.#qd, this.#bytes.subarray(this.#pushed, this.#pushed + length));
      this.#pushed += length;
    } else if (left === 0 && !this.#shut && this.#random() < 0.2) {
      this.#lab.shutdown(this.#qd);
      this.#shut = true;
    }
  }

  #readSome(): void {
    if (this.#pop !== 0 && this.#lab.isDone(this.#pop)) {
      const { frame, errno } = this.#lab.result(this.#pop);
      expect(errno).toBe(0);
      if (frame === 0) this.#atEnd = true;
      else this.read.push(this.#lab.host.take(frame));
      this.#pop = 0;
    }
    if (this.#pop !== 0 || this.#atEnd || this.#random() < this.#laziness) return;
    this.#pop = this.#lab.pop(this.#qd, this.#random() < 0.5 ? 0 : 1 + this.#random() * 5000);
  }
}

interface Pair {
  readonly left: Lab;
  readonly right: Lab;
  readonly wires: readonly Wire[];
}

function pair(random: () => number): Pair {
  const pick = <T>(...choices: readonly T[]) => choices[Math.floor(random() * choices.length)] as T;
  const options = () => ({
    receiveBufferBytes: pick(4096, 20_000, 1 << 20),
    noDelay: pick(true, false),
    connections: 8,
  });
  const large = random() < 0.4;
  const device = () =>
    large
      ? { chainMax: 40, mtu: pick(1500, 9000), checksum: true, segmentMax: 65_535 }
      : { chainMax: pick(1, 16), mtu: pick(576, 1500) };
  const left = new Lab(options(), device());
  const right = new Lab(options(), {
    ...device(),
    mac: peerMac,
    address: parseIpv4(peerAddress, "test"),
  });
  right.host.stack.setNeighbour(0, parseIpv4(hostAddress, "test"), hostMac);
  const wires = [new Wire(left, right, random, large), new Wire(right, left, random, large)];
  return { left, right, wires };
}

/** One round of both ends 2 ms later. */
function turn({ left, right, wires }: Pair): void {
  for (const lab of [left, right]) lab.advance(2, 2);
  for (const wire of wires) wire.deliver(left.host.nowUs);
  for (const lab of [left, right]) lab.collect();
}

function randomBytes(random: () => number): Uint8Array {
  const length = random() < 0.2 ? 0 : Math.floor(random() ** 2 * 60_000);
  return Uint8Array.from({ length }, () => random() * 256);
}

/** A connection from the left to the right, data both ways, and its end. */
function run(joined: Pair, random: () => number, port: number): void {
  const { left, right, wires } = joined;
  const rate = () => (random() < 0.5 ? 0 : random() * 0.12);
  for (const wire of wires) {
    wire.faults = {
      loss: rate(),
      repeat: rate(),
      delay: rate() * 4,
      cut: rate() / 2,
      damage: rate() / 2,
    };
  }
  const listener = right.listen(port);
  const accept = right.accept(listener);
  const qd = left.socket();
  const connect = left.connect(qd, peerAddress, port);
  const until = (isTrue: () => boolean) => {
    for (let turns = 0; turns < 200_000 && !isTrue(); turns++) turn(joined);
    expect(isTrue()).toBe(true);
  };
  until(() => left.isDone(connect) && right.isDone(accept));
  expect(left.result(connect).errno).toBe(0);
  const bytes = [randomBytes(random), randomBytes(random)] as const;
  const laziness = () => (random() < 0.7 ? 0.1 : 0.97);
  const accepted = right.result(accept).accepted;
  const ends = [
    new End(left, qd, bytes[0], random, laziness()),
    new End(right, accepted, bytes[1], random, laziness()),
  ] as const;
  until(() => {
    for (const end of ends) end.step();
    return ends.every(({ done }) => done);
  });
  expect(Buffer.compare(Buffer.concat(ends[1].read), bytes[0])).toBe(0);
  expect(Buffer.compare(Buffer.concat(ends[0].read), bytes[1])).toBe(0);
  const sentBefore = wires.map(({ sent }) => sent);
  for (let turns = 0; turns < 50; turns++) turn(joined);
  // Only what was under way may still be answered; then both are silent.
  const settled = wires.map(({ sent }) => sent);
  for (let turns = 0; turns < 200; turns++) turn(joined);
  expect(wires.map(({ sent }) => sent)).toEqual(settled);
  expect(sentBefore.every((sent, index) => (settled[index] as number) - sent < 20)).toBe(true);
  for (const lab of [left, right]) lab.finish();
  for (const wire of wires) wire.frames = [];
}

for (let seed = 1; seed <= 20; seed++) {
  test(`ten connections over a bad wire, seed ${seed}`, () => {
    const random = randomness(seed);
    const joined = pair(random);
    for (let round = 0; round < 10; round++) run(joined, random, 1000 + round);
  });
}

test("simultaneous open between two stacks establishes one connection (MUST-10)", () => {
  const random = randomness(99);
  const joined = pair(random);
  const { left, right } = joined;
  const [a, b] = [left.socket(), right.socket()];
  left.host.stack.writeAddress(0);
  expect(left.host.stack.exports.bind(a, 700)).toBe(0);
  right.host.stack.writeAddress(0);
  expect(right.host.stack.exports.bind(b, 800)).toBe(0);
  const tokens = [left.connect(a, peerAddress, 800), right.connect(b, hostAddress, 700)] as const;
  for (let turns = 0; turns < 100; turns++) turn(joined);
  expect([left.result(tokens[0]).errno, right.result(tokens[1]).errno]).toEqual([0, 0]);
  left.push(a, Uint8Array.of(1, 2, 3));
  for (let turns = 0; turns < 5; turns++) turn(joined);
  expect(right.read(b)).toEqual(Uint8Array.of(1, 2, 3));
});
