/** Opening: LISTEN, SYN-SENT and SYN-RECEIVED (RFC 9293 sections 3.5 and 3.10.7). */
import { expect, test } from "bun:test";
import {
  COUNTER_CONNECTIONS_OPEN,
  ERRNO_ECONNREFUSED,
  ERRNO_ETIMEDOUT,
  OPCODE_CONNECT,
  OPCODE_FAILED,
} from "../../../assembly/layout";
import { Lab } from "./lab";
import { accepted, connected, Peer } from "./peer";
import { option } from "./segments";

/** A stack whose SYN has just been sent to the peer. */
function connecting(): { lab: Lab; peer: Peer; qd: number; token: number } {
  const lab = new Lab();
  const peer = new Peer(lab);
  const qd = lab.socket();
  const token = lab.connect(qd);
  peer.findSyn();
  peer.expect({ flags: "S", seq: 0 });
  return { lab, peer, qd, token };
}

test("a listener answers SYN with SYN-ACK and is established by its acknowledgment (3.5)", () => {
  const lab = new Lab();
  const listener = lab.listen();
  const token = lab.accept(listener);
  const peer = new Peer(lab, { scale: 7 });
  peer.inject("S", { options: peer.synOptions });
  peer.expect({ flags: "SA", seq: 0, ack: 1, options: [...option.mss(1460), ...option.scale(5)] });
  expect(lab.isDone(token)).toBe(false);
  peer.inject("A", { seq: 1, ack: 1 });
  expect(lab.result(token).accepted).toBeGreaterThan(0);
  lab.quiet(2000);
});

test("a SYN without window scale is answered without one (RFC 7323 2.2)", () => {
  const lab = new Lab();
  lab.listen();
  const peer = new Peer(lab);
  peer.inject("S", { options: peer.synOptions });
  peer.expect({ flags: "SA", ack: 1, options: option.mss(1460), window: 65535 });
});

test("a connect sends MSS and window scale and acknowledges the SYN-ACK (3.5)", () => {
  const lab = new Lab({ timestamps: false, sack: false });
  const peer = new Peer(lab);
  const token = lab.connect(lab.socket());
  peer.findSyn();
  const options = [...option.mss(1460), ...option.scale(5)];
  peer.expect({ flags: "S", seq: 0, ack: 0, window: 65535, options });
  peer.inject("SA", { ack: 1, options: option.mss(1460) });
  peer.expect({ flags: "A", seq: 1, ack: 1, window: 65535 });
  expect(lab.result(token).opcode).toBe(OPCODE_CONNECT);
});

test("SYN-SENT resets an acknowledgment of what was not sent and goes on (3.10.7.3)", () => {
  const { lab, peer, token } = connecting();
  for (const ack of [0, 2, 70_000, -1]) {
    peer.inject("A", { seq: 500, ack });
    peer.expect({ flags: "R", seq: ack >>> 0 });
    peer.inject("SA", { seq: 500, ack });
    peer.expect({ flags: "R", seq: ack >>> 0 });
  }
  expect(lab.isDone(token)).toBe(false);
  peer.inject("SA", { ack: 1 });
  peer.expect({ flags: "A", seq: 1, ack: 1 });
  expect(lab.result(token).errno).toBe(0);
});

test("SYN-SENT believes a RST with the right acknowledgment only (3.10.7.3)", () => {
  const { lab, peer, token } = connecting();
  peer.inject("R", { seq: 0 });
  peer.inject("RA", { ack: 0 });
  peer.inject("RA", { ack: 2 });
  lab.silence();
  expect(lab.isDone(token)).toBe(false);
  peer.inject("RA", { ack: 1 });
  expect(lab.result(token)).toMatchObject({ opcode: OPCODE_FAILED, errno: ERRNO_ECONNREFUSED });
  lab.quiet(10_000);
});

test("SYN-SENT drops segments with neither SYN nor RST, and data without SYN (3.10.7.3)", () => {
  const { lab, peer, token } = connecting();
  peer.inject("", { length: 10 });
  peer.inject("A", { seq: 1, ack: 1, length: 10 });
  peer.inject("FA", { seq: 1, ack: 1 });
  lab.silence();
  expect(lab.isDone(token)).toBe(false);
});

test("simultaneous open: SYNs cross, then SYN-ACKs cross (MUST-10, figure 8, S15)", () => {
  const { lab, peer, qd, token } = connecting();
  peer.inject("S", { options: peer.synOptions });
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  peer.inject("SA", { seq: 0, ack: 1, options: peer.synOptions });
  expect(lab.result(token).opcode).toBe(OPCODE_CONNECT);
  // The peer may still be in SYN-RECEIVED and needs to hear that its SYN has arrived, at most once.
  expect(peer.take().length).toBeLessThan(2);
  peer.inject("PA", { seq: 1, ack: 1, length: 5 });
  expect(lab.read(qd)).toHaveLength(5);
});

test("simultaneous open completes by a bare acknowledgment too (3.10.7.4)", () => {
  const { lab, peer, token } = connecting();
  peer.inject("S", { options: peer.synOptions });
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  peer.inject("A", { seq: 1, ack: 1 });
  expect(lab.result(token).opcode).toBe(OPCODE_CONNECT);
});

test("RST in SYN-RECEIVED refuses an active open (MUST-11)", () => {
  const { lab, peer, token } = connecting();
  peer.inject("S", { options: peer.synOptions });
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  peer.inject("R", { seq: 1 });
  expect(lab.result(token)).toMatchObject({ opcode: OPCODE_FAILED, errno: ERRNO_ECONNREFUSED });
  lab.quiet(5000);
});

test("RST in SYN-RECEIVED returns a passive open to LISTEN (MUST-11)", () => {
  const lab = new Lab();
  lab.listen(80, 1);
  const peer = new Peer(lab);
  peer.inject("S");
  peer.expect({ flags: "SA", ack: 1 });
  peer.inject("R", { seq: 1 });
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
  peer.initial += 5000;
  peer.inject("S");
  peer.expect({ flags: "SA", ack: 1 });
});

test("SYN-RECEIVED resets a wrong acknowledgment and stays (3.10.7.4)", () => {
  const lab = new Lab();
  const listener = lab.listen();
  const peer = new Peer(lab);
  peer.inject("S");
  peer.expect({ flags: "SA", ack: 1 });
  for (const ack of [0, 2, 9999]) {
    peer.inject("A", { seq: 1, ack });
    peer.expect({ flags: "R", seq: ack });
  }
  peer.inject("A", { seq: 1, ack: 1 });
  expect(lab.accepted(listener)).toBeGreaterThan(0);
});

test("a repeated SYN in SYN-RECEIVED is answered by the same SYN-ACK (figure 10)", () => {
  const lab = new Lab();
  lab.listen();
  const peer = new Peer(lab);
  peer.inject("S");
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  const initial = peer.hostInitial;
  lab.advance(600);
  peer.inject("S");
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  expect(peer.hostInitial).toBe(initial);
});

test("data and FIN that come with the handshake's last acknowledgment count (3.10.7.4)", () => {
  const lab = new Lab();
  const listener = lab.listen();
  const peer = new Peer(lab);
  peer.inject("S");
  peer.expect({ flags: "SA", ack: 1 });
  peer.inject("FPA", { seq: 1, ack: 1, length: 7 });
  peer.expect({ flags: "A", seq: 1, ack: 9 });
  const qd = lab.accepted(listener);
  expect(lab.read(qd)).toHaveLength(7);
  expect(lab.read(qd)).toHaveLength(0);
});

test("data in a SYN is not acknowledged and is taken when it comes again (T22)", () => {
  for (const length of [1, 536, 1460]) {
    const lab = new Lab();
    const listener = lab.listen();
    const peer = new Peer(lab);
    peer.inject("S", { length });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.inject("PA", { seq: 1, ack: 1, length });
    expect(lab.read(lab.accepted(listener))).toHaveLength(length);
  }
});

test("the SYN is repeated with back-off until connect times out (RFC 6298 2.1, MUST-23)", () => {
  const { lab, peer, token } = connecting();
  const times: number[] = [];
  for (let ms = 0; ms < 400_000 && !lab.isDone(token); ms += 500) {
    for (const { flags } of peer.take()) {
      expect(flags).toBe("S");
      times.push(ms);
    }
    lab.advance(500, 500);
  }
  expect(times).toEqual([1000, 3000, 7000, 15_000, 31_000, 63_000, 127_000]);
  expect(lab.result(token)).toMatchObject({ opcode: OPCODE_FAILED, errno: ERRNO_ETIMEDOUT });
  lab.silence();
});

test("the SYN-ACK is repeated with back-off, then its slot is free again (RFC 6298 2.1)", () => {
  const lab = new Lab();
  lab.listen(80, 1);
  const peer = new Peer(lab);
  peer.inject("S");
  peer.expect({ flags: "SA", ack: 1 });
  const times: number[] = [];
  for (let ms = 0; ms < 100_000; ms += 500) {
    for (const segment of peer.take()) {
      expect(segment).toMatchObject({ flags: "SA", seq: 0, ack: 1 });
      times.push(ms);
    }
    lab.advance(500, 500);
  }
  expect(times).toEqual([1000, 3000, 7000, 15_000, 31_000]);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
  const other = new Peer(lab, { port: 4001 });
  other.inject("S");
  other.expect({ flags: "SA", ack: 1 });
});

test("split handshake: an ACK or a SYN with a foreign number opens nothing (S14)", () => {
  const { lab, peer, token } = connecting();
  peer.inject("A", { seq: 77, ack: 1 });
  lab.silence();
  expect(lab.isDone(token)).toBe(false);
  peer.inject("S");
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  peer.inject("A", { seq: 1, ack: 1 });
  expect(lab.result(token).opcode).toBe(OPCODE_CONNECT);
});

test("a connection either side opened carries data both ways (3.5)", () => {
  for (const { lab, peer, qd } of [accepted(), connected()]) {
    peer.inject("PA", { seq: 1, ack: 1, length: 3 });
    expect(lab.read(qd)).toHaveLength(3);
    lab.push(qd, Uint8Array.of(1, 2, 3, 4));
    peer.expect({ flags: "PA", seq: 1, ack: 4, length: 4, payload: Uint8Array.of(1, 2, 3, 4) });
    peer.inject("A", { seq: 4, ack: 5 });
    lab.quiet(1000);
  }
});
