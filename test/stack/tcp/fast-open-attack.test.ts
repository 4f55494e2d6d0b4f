/** SYNs with Fast Open as an attacker makes them: cookies of every length, data of every size. */
import { expect, test } from "bun:test";
import {
  FAST_OPEN_ALL_LISTENERS,
  FAST_OPEN_CLIENT,
  FAST_OPEN_CLIENT_NO_COOKIE,
  FAST_OPEN_SERVER,
  FAST_OPEN_SERVER_NO_COOKIE,
  SOCKET_OPTION_FAST_OPEN_CONNECT,
  SOCKET_OPTION_LINGER,
} from "../../../assembly/layout";
import { pattern, peerAddress } from "../packets";
import { Lab } from "./lab";
import { Peer } from "./peer";
import { randomness } from "./randomness";
import { option } from "./segments";

const server = FAST_OPEN_SERVER | FAST_OPEN_ALL_LISTENERS;

function bytes(random: () => number, count: number): number[] {
  return Array.from({ length: count }, () => Math.floor(random() * 256));
}

test("cookies of every length, in either form, also where the header ends in them", () => {
  const random = randomness(7413);
  for (const fastOpen of [server, server | FAST_OPEN_SERVER_NO_COOKIE]) {
    const lab = new Lab({ fastOpen, connections: 16 });
    const listener = lab.listen(80, 8);
    for (let length = 0; length <= 36; length++) {
      for (const start of [
        [34, length + 2],
        [254, length + 4, 0xf9, 0x89],
      ]) {
        const peer = new Peer(lab, { port: 4000 + length });
        const whole = [...start, ...bytes(random, length)].slice(0, 40);
        const data = length % 3 === 0 ? 0 : 900;
        peer.inject("S", { options: whole, payload: pattern(data) });
        const [answer] = peer.take();
        expect(answer?.flags).toBe("SA");
        expect([1, 1 + data]).toContain(answer?.ack ?? 0);
        peer.inject("RA", { seq: answer?.ack ?? 1, ack: 1 });
        lab.advance(121_000, 60_000);
      }
    }
    expect(listener).toBeGreaterThan(0);
  }
});

test("data larger than segment, window and frame, as one packet of many frames", () => {
  const lab = new Lab({ fastOpen: server | FAST_OPEN_SERVER_NO_COOKIE, receiveBufferBytes: 8192 });
  const listener = lab.listen();
  const peer = new Peer(lab);
  const all = pattern(20_000);
  const frame = peer.frame("S", { options: option.mss(536), payload: all });
  lab.host.send(frame, { split: [1500, 1500, 1500, 1500, 1500, 1500] });
  peer.expect({ flags: "SA", seq: 0, ack: 8193 });
  const qd = lab.accepted(listener);
  expect(lab.read(qd)).toEqual(all.subarray(0, 8192));
});

test("SYN-ACKs with any option and any number in answer to data in a SYN", () => {
  const random = randomness(99);
  const fastOpen = FAST_OPEN_CLIENT | FAST_OPEN_CLIENT_NO_COOKIE;
  const lab = new Lab({ fastOpen, fastOpenPauseMs: 0 });
  for (let round = 0; round < 300; round++) {
    const peer = new Peer(lab);
    const qd = lab.socket();
    lab.host.stack.exports.setOption(qd, SOCKET_OPTION_FAST_OPEN_CONNECT, 1);
    lab.connect(qd, peerAddress);
    lab.push(qd, pattern(1 + Math.floor(random() * 4000)));
    peer.findSyn();
    peer.take();
    const length = Math.floor(random() * 38);
    const ack = Math.floor(random() * 1500);
    const flags = random() < 0.2 ? "FSA" : "SA";
    const payload = pattern(Math.floor(random() * 1400));
    peer.inject(flags, { ack, options: [34, length + 2, ...bytes(random, length)], payload });
    peer.inject("A", { seq: 1 + payload.length, ack: ack + 1 });
    lab.advance(50, 10);
    lab.pending = [];
    lab.host.stack.exports.abortAll();
    lab.collect();
    lab.pending = [];
    lab.host.stack.exports.setOption(qd, SOCKET_OPTION_LINGER, 0);
    lab.close(qd);
  }
});
