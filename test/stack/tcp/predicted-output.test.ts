/** Output prediction: what it sends is what the long way would have sent. */
import { expect, test } from "bun:test";
import { SOCKET_OPTION_UNSENT_MAX } from "../../../assembly/layout";
import type { InterfaceOptions } from "../../../src/wasm/stack";
import type { StackOptions } from "../../../src/wasm/stack-options";
import { pattern } from "../packets";
import { accepted } from "./peer";

/** A limit that nothing reaches, and that output prediction leaves to the long way. */
const UNREACHED = 1 << 30;

/** Numbers that repeat, from 0 up to `limit`. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
}

/** A conversation that `seed` decides; every frame that the stack sends in it. */
function converse(
  seed: number,
  predicted: boolean,
  options: Partial<StackOptions>,
  device: Partial<InterfaceOptions>,
): string[] {
  const next = numbers(seed);
  const frames: string[] = [];
  const { lab, peer, qd } = accepted({ window: 3000 + next(30_000) }, options, device);
  if (!predicted) lab.host.stack.exports.setOption(qd, SOCKET_OPTION_UNSENT_MAX, UNREACHED);
  let sent = 1;
  let acknowledged = 1;
  let received = 1;
  lab.wire = (frame, { payload }) => {
    frames.push(`${lab.host.nowUs} ${Buffer.from(frame).toString("hex")}`);
    sent += payload.length;
  };
  for (let turn = 0; turn < 60; turn++) {
    const choice = next(10);
    if (choice < 4) lab.push(qd, pattern(1 + next([64, 1460, 1461, 8000][next(4)] as number)));
    else if (choice < 7) {
      const step = next(4) === 0 ? next(sent - acknowledged + 1) : sent - acknowledged;
      acknowledged += step;
      peer.inject("A", { seq: received, ack: acknowledged });
    } else if (choice < 9) {
      const length = 1 + next(500);
      peer.inject("PA", { seq: received, ack: acknowledged, length });
      received += length;
      lab.pop(qd);
    } else lab.advance(next(30));
    lab.collect();
  }
  // Repetitions would count twice above.
  peer.inject("RA", { seq: received, ack: acknowledged });
  return frames;
}

const devices: [string, Partial<InterfaceOptions>][] = [
  ["a plain device", { checksum: false, segmentMax: 0, chainMax: 1 }],
  ["one that takes chains", { checksum: true, segmentMax: 0, chainMax: 8 }],
  ["one that cuts segments", { checksum: true, segmentMax: 65_535, chainMax: 20 }],
];

test.each(devices)("frames and times are the same over %s", (_name, device) => {
  let data = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const options = { noDelay: seed % 2 === 0, keepAlive: seed % 3 === 0 };
    const predicted = converse(seed, true, options, device);
    expect(predicted).toEqual(converse(seed, false, options, device));
    data += predicted.length;
  }
  expect(data).toBeGreaterThan(500);
});
