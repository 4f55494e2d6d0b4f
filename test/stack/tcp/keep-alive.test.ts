/** Keep-alive (RFC 9293 section 3.8.4). */
import { expect, test } from "bun:test";
import {
  COUNTER_TCP_KEEP_ALIVE_PROBES,
  COUNTER_TIMERS_ARMED,
  ERRNO_EINVAL,
  ERRNO_ETIMEDOUT,
  SOCKET_OPTION_KEEP_ALIVE,
  SOCKET_OPTION_KEEP_ALIVE_IDLE,
  SOCKET_OPTION_KEEP_ALIVE_INTERVAL,
  SOCKET_OPTION_KEEP_ALIVE_PROBES,
} from "../../../assembly/layout";
import { pattern } from "../packets";
import type { Lab } from "./lab";
import { accepted, connected } from "./peer";

const probe = { flags: "A", seq: 0, ack: 1 };

function set(lab: Lab, qd: number, option: number, value: number): number {
  return lab.host.stack.exports.setOption(qd, option, value);
}

/** Seconds until the first probe and between probes, and how many. */
function keepAlive(lab: Lab, qd: number, idle: number, interval: number, probes: number): void {
  expect(set(lab, qd, SOCKET_OPTION_KEEP_ALIVE_IDLE, idle * 1000)).toBe(0);
  expect(set(lab, qd, SOCKET_OPTION_KEEP_ALIVE_INTERVAL, interval * 1000)).toBe(0);
  expect(set(lab, qd, SOCKET_OPTION_KEEP_ALIVE_PROBES, probes)).toBe(0);
  expect(set(lab, qd, SOCKET_OPTION_KEEP_ALIVE, 1)).toBe(0);
}

test("answered probes end nothing, also when they are further apart than the first (MUST-29)", () => {
  const { lab, peer, qd } = accepted();
  keepAlive(lab, qd, 10, 30, 2);
  lab.advance(10_100);
  peer.expect(probe);
  for (let round = 0; round < 6; round++) {
    peer.inject("A", { seq: 1, ack: 1 });
    lab.advance(30_100, 50);
    expect(peer.take().length).toBeGreaterThan(0);
  }
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", seq: 1, ack: 1, length: 10 });
});

test("unanswered probes fail what waits with ETIMEDOUT and reset the peer (MUST-29)", () => {
  const { lab, peer, qd } = accepted();
  keepAlive(lab, qd, 10, 2, 3);
  const pop = lab.pop(qd);
  lab.advance(10_100);
  peer.expect(probe);
  lab.advance(2000);
  peer.expect(probe);
  lab.advance(2000);
  peer.expect(probe);
  expect(lab.isDone(pop)).toBe(false);
  lab.advance(2000);
  peer.expect({ flags: "RA", seq: 1, ack: 1 });
  expect(lab.result(pop).errno).toBe(ERRNO_ETIMEDOUT);
  expect(lab.counter(COUNTER_TCP_KEEP_ALIVE_PROBES)).toBe(3);
});

test("the first probe comes after two hours unless told otherwise (MUST-28)", () => {
  const { lab, peer } = connected({}, { keepAlive: true });
  lab.advance(7_199_000, 1000);
  lab.silence();
  lab.advance(1500, 100);
  peer.expect(probe);
});

test("switched off, the timer rests at once (MUST-24)", () => {
  const { lab, qd } = accepted();
  keepAlive(lab, qd, 10, 10, 2);
  expect(lab.gauge(COUNTER_TIMERS_ARMED)).toBe(1);
  expect(set(lab, qd, SOCKET_OPTION_KEEP_ALIVE, 0)).toBe(0);
  expect(lab.gauge(COUNTER_TIMERS_ARMED)).toBe(0);
  lab.quiet(60_000);
});

test("data take the timer over: they are repeated after the retransmission timeout (MUST-26)", () => {
  const { lab, peer, qd } = accepted();
  keepAlive(lab, qd, 10, 10, 2);
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", seq: 1, length: 10 });
  lab.advance(1100);
  expect(peer.take().length).toBeGreaterThan(0);
  peer.inject("A", { seq: 1, ack: 11 });
  lab.advance(9900);
  lab.silence();
  lab.advance(200);
  peer.expect({ flags: "A", seq: 10, ack: 1 });
});

test("a closed window is probed as such; keep-alive waits for its end", () => {
  const { lab, peer, qd } = accepted({ window: 0 });
  keepAlive(lab, qd, 1, 1, 1);
  lab.push(qd, pattern(10));
  lab.advance(300);
  for (let round = 0; round < 8; round++) {
    for (const segment of peer.take()) expect(segment).toMatchObject({ seq: 1, length: 1 });
    peer.inject("A", { seq: 1, ack: 1 });
    lab.advance(5000);
  }
  peer.take();
  peer.inject("A", { seq: 1, ack: 1, window: 1000 });
  lab.advance(5);
  expect(peer.take().at(-1)).toMatchObject({ flags: "PA", length: 10 });
  peer.inject("A", { seq: 1, ack: 11, window: 1000 });
  lab.advance(1100);
  peer.expect({ flags: "A", seq: 10 });
});

test("an orphan in FIN-WAIT-2 is not probed: it ends by itself", () => {
  const { lab, peer, qd } = accepted();
  keepAlive(lab, qd, 1, 1, 1);
  lab.close(qd);
  peer.expect({ flags: "FA", seq: 1 });
  peer.inject("A", { seq: 1, ack: 2 });
  lab.quiet(59_000);
});

test("times and numbers are bounded as in Linux (MUST-27)", () => {
  const { lab, qd } = accepted();
  for (const option of [SOCKET_OPTION_KEEP_ALIVE_IDLE, SOCKET_OPTION_KEEP_ALIVE_INTERVAL]) {
    expect(set(lab, qd, option, 0)).toBe(-ERRNO_EINVAL);
    expect(set(lab, qd, option, 32_767_001)).toBe(-ERRNO_EINVAL);
    expect(set(lab, qd, option, 32_767_000)).toBe(0);
    expect(lab.host.stack.exports.getOption(qd, option)).toBe(32_767_000);
  }
  expect(set(lab, qd, SOCKET_OPTION_KEEP_ALIVE_PROBES, 0)).toBe(-ERRNO_EINVAL);
  expect(set(lab, qd, SOCKET_OPTION_KEEP_ALIVE_PROBES, 128)).toBe(-ERRNO_EINVAL);
});
