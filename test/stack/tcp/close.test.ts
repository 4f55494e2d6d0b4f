/** Orderly and abortive close in every order (RFC 9293 sections 3.6 and 3.10.4). */
import { expect, test } from "bun:test";
import {
  COUNTER_CONNECTIONS_OPEN,
  ERRNO_EBADF,
  ERRNO_ECONNRESET,
  ERRNO_EPIPE,
  ERRNO_ETIMEDOUT,
  OPCODE_CLOSE,
  OPCODE_POP,
  SOCKET_OPTION_LINGER,
} from "../../../assembly/layout";
import { pattern } from "../packets";
import { Lab } from "./lab";
import { accepted, connected, Peer } from "./peer";

test("we close first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT (figure 12)", () => {
  const { lab, peer, qd } = accepted();
  const token = lab.close(qd);
  peer.expect({ flags: "FA", seq: 1, ack: 1 });
  expect(lab.isDone(token)).toBe(false);
  peer.inject("A", { seq: 1, ack: 2 });
  expect(lab.result(token)).toMatchObject({ opcode: OPCODE_CLOSE, errno: 0 });
  lab.silence();
  peer.inject("FA", { seq: 1, ack: 2 });
  peer.expect({ flags: "A", seq: 2, ack: 2 });
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(2);
  lab.quiet(61_000);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});

test("the peer closes first: CLOSE-WAIT, LAST-ACK, and no TIME-WAIT (figure 12)", () => {
  const { lab, peer, qd } = accepted();
  const pop = lab.pop(qd);
  peer.inject("FA", { seq: 1, ack: 1 });
  peer.expect({ flags: "A", seq: 1, ack: 2 });
  expect(lab.result(pop)).toMatchObject({ opcode: OPCODE_POP, bytes: 0, frame: 0 });
  const token = lab.close(qd);
  peer.expect({ flags: "FA", seq: 1, ack: 2 });
  expect(lab.isDone(token)).toBe(false);
  peer.inject("A", { seq: 2, ack: 2 });
  expect(lab.result(token).errno).toBe(0);
  lab.silence();
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});

test("both close at once: CLOSING, then TIME-WAIT (figure 13)", () => {
  const { lab, peer, qd } = connected();
  const token = lab.close(qd);
  peer.expect({ flags: "FA", seq: 1, ack: 1 });
  peer.inject("FA", { seq: 1, ack: 1 });
  peer.expect({ flags: "A", seq: 2, ack: 2 });
  expect(lab.isDone(token)).toBe(false);
  peer.inject("A", { seq: 2, ack: 2 });
  expect(lab.result(token).errno).toBe(0);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
  lab.quiet(61_000);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(0);
});

test("a FIN that acknowledges ours leads to TIME-WAIT at once (3.10.7.4)", () => {
  const { lab, peer, qd } = accepted();
  const token = lab.close(qd);
  peer.expect({ flags: "FA", seq: 1, ack: 1 });
  peer.inject("FA", { seq: 1, ack: 2 });
  peer.expect({ flags: "A", seq: 2, ack: 2 });
  expect(lab.result(token).errno).toBe(0);
});

test("half-close: after our FIN the peer's data is still read (3.6)", () => {
  const { lab, peer, qd } = accepted();
  lab.shutdown(qd);
  peer.expect({ flags: "FA", seq: 1, ack: 1 });
  peer.inject("A", { seq: 1, ack: 2 });
  lab.quiet(120_000);
  expect(lab.pushErrno(qd)).toBe(ERRNO_EPIPE);
  const pop = lab.pop(qd);
  peer.inject("PA", { seq: 1, ack: 2, payload: pattern(600) });
  expect(lab.host.take(lab.result(pop).frame)).toEqual(pattern(600));
  peer.take();
  peer.inject("FA", { seq: 601, ack: 2 });
  peer.expect({ flags: "A", seq: 2, ack: 602 });
  expect(lab.read(qd)).toHaveLength(0);
  expect(lab.result(lab.close(qd)).errno).toBe(0);
});

test("half-close: after the peer's FIN our data still leaves (3.6)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("FA", { seq: 1, ack: 1 });
  peer.expect({ flags: "A", seq: 1, ack: 2 });
  lab.push(qd, pattern(100));
  peer.expect({ flags: "PA", seq: 1, ack: 2, payload: pattern(100), length: 100 });
  peer.inject("A", { seq: 2, ack: 101 });
  lab.close(qd);
  peer.expect({ flags: "FA", seq: 101, ack: 2 });
  peer.inject("A", { seq: 2, ack: 102 });
  lab.quiet(5000);
});

test("close sends what was pushed, the FIN with its last byte", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(2000));
  const token = lab.close(qd);
  peer.expect(
    { flags: "A", seq: 1, ack: 1, length: 1460 },
    { flags: "FPA", seq: 1461, ack: 1, length: 540 },
  );
  peer.inject("A", { seq: 1, ack: 2001 });
  expect(lab.isDone(token)).toBe(false);
  peer.inject("A", { seq: 1, ack: 2002 });
  expect(lab.result(token).errno).toBe(0);
});

test("the FIN is repeated until it is acknowledged (RFC 6298 5.4)", () => {
  const { lab, peer, qd } = accepted();
  lab.close(qd);
  peer.expect({ flags: "FA", seq: 1 });
  for (let round = 0; round < 3; round++) {
    lab.advance(1000 * 2 ** round, 10);
    expect(peer.take().at(-1)).toMatchObject({ flags: "FA", seq: 1, ack: 1 });
  }
  peer.inject("A", { seq: 1, ack: 2 });
  lab.quiet(5000);
});

test("the peer's repeated FIN is acknowledged again (3.10.7.4, first check)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("FA", { seq: 1, ack: 1 });
  peer.expect({ flags: "A", seq: 1, ack: 2 });
  peer.inject("FA", { seq: 1, ack: 1 });
  peer.expect({ flags: "A", seq: 1, ack: 2 });
  lab.close(qd);
  peer.expect({ flags: "FA", seq: 1, ack: 2 });
  peer.inject("FA", { seq: 1, ack: 1 });
  peer.expect({ flags: "A", seq: 2, ack: 2 });
});

test("closing with unread data resets the peer (RFC 2525 2.17)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("PA", { seq: 1, ack: 1, length: 10 });
  expect(lab.result(lab.close(qd)).errno).toBe(0);
  peer.expect({ flags: "RA", seq: 1, ack: 11 });
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});

test("linger 0 resets the peer in every state that has one (3.10.5)", () => {
  for (const state of ["established", "close-wait", "fin-wait-1", "fin-wait-2", "closing"]) {
    const { lab, peer, qd } = accepted();
    lab.host.stack.exports.setOption(qd, SOCKET_OPTION_LINGER, 0);
    const closes = state !== "established" && state !== "close-wait";
    if (closes) {
      lab.shutdown(qd);
      peer.expect({ flags: "FA", seq: 1 });
    }
    if (state === "fin-wait-2") peer.inject("A", { seq: 1, ack: 2 });
    const fin = state === "close-wait" || state === "closing";
    if (fin) {
      peer.inject("FA", { seq: 1, ack: 1 });
      peer.expect({ flags: "A", ack: 2 });
    }
    expect(lab.result(lab.close(qd)).errno).toBe(0);
    peer.expect({ flags: "RA", seq: closes ? 2 : 1, ack: fin ? 2 : 1 });
    expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
  }
});

test("close fails pending pops and connects with EBADF; a second close finds nothing", () => {
  const { lab, peer, qd } = accepted();
  const pops = [lab.pop(qd), lab.pop(qd)];
  lab.close(qd);
  expect(pops.map((pop) => lab.result(pop).errno)).toEqual([ERRNO_EBADF, ERRNO_EBADF]);
  peer.expect({ flags: "FA", seq: 1 });
  expect(lab.host.stack.exports.close(qd)).toBe(-ERRNO_EBADF);
  expect(lab.host.stack.exports.pop(qd, 0)).toBe(-ERRNO_EBADF);

  const socket = lab.socket();
  const token = lab.connect(socket);
  const other = new Peer(lab);
  other.findSyn();
  other.expect({ flags: "S" });
  expect(lab.result(lab.close(socket)).errno).toBe(0);
  expect(lab.result(token).errno).toBe(ERRNO_EBADF);
  lab.silence();
});

test("a reset while closing fails the close token with ECONNRESET", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(10));
  const token = lab.close(qd);
  peer.expect({ flags: "FPA", seq: 1, length: 10 });
  peer.inject("R", { seq: 1 });
  expect(lab.result(token).errno).toBe(ERRNO_ECONNRESET);
});

test("the application tells FIN from RST (MUST-12)", () => {
  const { lab, peer, qd } = accepted();
  const pop = lab.pop(qd);
  peer.inject("RA", { seq: 1, ack: 1 });
  expect(lab.result(pop).errno).toBe(ERRNO_ECONNRESET);
  expect(lab.host.stack.exports.pop(qd, 0)).toBe(-ERRNO_ECONNRESET);
  expect(lab.pushErrno(qd)).toBe(ERRNO_ECONNRESET);
  expect(lab.result(lab.close(qd)).errno).toBe(0);
  lab.silence();
});

test("what arrived before a reset can still be read", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("PA", { seq: 1, ack: 1, payload: pattern(50) });
  peer.inject("RA", { seq: 51, ack: 1 });
  expect(lab.read(qd)).toEqual(pattern(50));
  expect(lab.host.stack.exports.pop(qd, 0)).toBe(-ERRNO_ECONNRESET);
});

test("data after both the application's close and the FIN's acknowledgment is reset (3.6.1)", () => {
  const { lab, peer, qd } = accepted();
  lab.close(qd);
  peer.expect({ flags: "FA", seq: 1 });
  peer.inject("PA", { seq: 1, ack: 2, length: 5 });
  peer.expect({ flags: "R", seq: 2 });
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});

test("an abandoned FIN-WAIT-2 ends by itself (3.6)", () => {
  const { lab, peer, qd } = accepted();
  lab.close(qd);
  peer.expect({ flags: "FA", seq: 1 });
  peer.inject("A", { seq: 1, ack: 2 });
  lab.quiet(59_000);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(2);
  lab.quiet(2000);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});

test("nothing is taken behind a FIN (S25)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("FPA", { seq: 1, ack: 1, length: 5 });
  peer.expect({ flags: "A", ack: 7 });
  peer.inject("PA", { seq: 7, ack: 1, length: 5 });
  expect(lab.read(qd)).toHaveLength(5);
  expect(lab.read(qd)).toHaveLength(0);
  expect(peer.take().every(({ ack }) => ack === 7)).toBe(true);
});

test("data kept beyond a gap is dropped when a FIN fills the gap before it (S25)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("PA", { seq: 11, ack: 1, length: 5 });
  peer.expect({ flags: "A", ack: 1 });
  peer.inject("FPA", { seq: 1, ack: 1, length: 10 });
  peer.expect({ flags: "A", ack: 12 });
  expect(lab.read(qd)).toHaveLength(10);
  expect(lab.read(qd)).toHaveLength(0);
});

test("a descriptor that was never connected closes at once", () => {
  const lab = new Lab();
  expect(lab.result(lab.close(lab.socket())).errno).toBe(0);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(0);
});

test("what nobody will read any more is given back at close, not after TIME-WAIT", () => {
  const { lab, peer, qd } = accepted();
  lab.shutdown(qd);
  peer.expect({ flags: "FA", seq: 1 });
  peer.inject("FPA", { seq: 1, ack: 2, length: 1000 });
  peer.expect({ flags: "A", ack: 1002 });
  expect(lab.host.framesOut()).toBe(1);
  lab.close(qd);
  lab.silence();
  expect(lab.host.framesOut()).toBe(0);
});

test("a closed connection is not kept by a peer's closed window for ever (S09, RFC 6429)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("A", { seq: 1, ack: 1, window: 0 });
  lab.push(qd, pattern(100));
  const token = lab.close(qd);
  for (let second = 0; second < 3600 && !lab.isDone(token); second++) {
    lab.advance(1000, 100);
    for (const _ of peer.take()) peer.inject("A", { seq: 1, ack: 1, window: 0 });
  }
  expect(lab.result(token).errno).toBe(ERRNO_ETIMEDOUT);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});
