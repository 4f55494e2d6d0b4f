/** How long a connection waits for an acknowledgment (RFC 9293 section 3.8.3, RFC 5482). */
import { expect, test } from "bun:test";
import {
  COUNTER_CONNECTIONS_OPEN,
  ERRNO_EINVAL,
  ERRNO_ETIMEDOUT,
  SOCKET_OPTION_USER_TIMEOUT,
} from "../../../assembly/layout";
import { pattern } from "../packets";
import { Lab } from "./lab";
import { accepted, Peer } from "./peer";

function setUserTimeout(lab: Lab, qd: number, milliseconds: number): void {
  expect(lab.host.stack.exports.setOption(qd, SOCKET_OPTION_USER_TIMEOUT, milliseconds)).toBe(0);
}

test("the user timeout ends a connection at its time, between two repetitions (RFC 5482 3.1)", () => {
  for (const timeoutMs of [3000, 10_000, 60_000]) {
    const { lab, qd } = accepted();
    setUserTimeout(lab, qd, timeoutMs);
    const pop = lab.pop(qd);
    lab.push(qd, pattern(10));
    lab.collect();
    lab.advance(timeoutMs - 200);
    expect(lab.isDone(pop)).toBe(false);
    lab.advance(400);
    expect(lab.result(pop).errno).toBe(ERRNO_ETIMEDOUT);
    lab.pending = [];
  }
});

test("a user timeout longer than R2 keeps the connection beyond it (RFC 5482 3.1)", () => {
  const { lab, peer, qd } = accepted({}, { dataRetries: 3 });
  setUserTimeout(lab, qd, 600_000);
  lab.push(qd, pattern(10));
  lab.collect();
  lab.advance(590_000, 100);
  expect(peer.take().length).toBeGreaterThan(8);
  peer.inject("A", { seq: 1, ack: 11 });
  lab.push(qd, pattern(5));
  expect(peer.take().at(-1)).toMatchObject({ seq: 11, length: 5 });
});

test("the user timeout bounds a connect too (RFC 5482 3.1)", () => {
  const lab = new Lab();
  const qd = lab.socket();
  setUserTimeout(lab, qd, 5000);
  const token = lab.connect(qd);
  lab.advance(4900);
  expect(lab.isDone(token)).toBe(false);
  lab.advance(200);
  expect(lab.result(token).errno).toBe(ERRNO_ETIMEDOUT);
  lab.pending = [];
});

test("an accepted connection has its listener's user timeout; what is too long is refused", () => {
  const lab = new Lab();
  const listener = lab.listen();
  setUserTimeout(lab, listener, 1234);
  const qd = new Peer(lab).establish(listener);
  const { getOption, setOption } = lab.host.stack.exports;
  expect(getOption(qd, SOCKET_OPTION_USER_TIMEOUT)).toBe(1234);
  expect(setOption(qd, SOCKET_OPTION_USER_TIMEOUT, -1)).toBe(-ERRNO_EINVAL);
  expect(setOption(qd, SOCKET_OPTION_USER_TIMEOUT, 259_200_001)).toBe(-ERRNO_EINVAL);
});

test("as many repetitions as are set, then the end (MUST-21)", () => {
  const { lab, peer, qd } = accepted({}, { dataRetries: 4 });
  lab.push(qd, pattern(10));
  lab.collect();
  lab.advance(60_000);
  expect(peer.take().length).toBe(5);
  expect(lab.pushErrno(qd)).toBe(ERRNO_ETIMEDOUT);
});

test("a closed connection waits for the FIN as long as is set", () => {
  const { lab, peer, qd } = accepted({}, { finTimeoutMs: 5000 });
  lab.close(qd);
  peer.expect({ flags: "FA", seq: 1 });
  peer.inject("A", { seq: 1, ack: 2 });
  lab.collect();
  lab.advance(4900);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(2);
  lab.advance(200);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});
