/** Which segments are acceptable, and what RFC 5961 makes of RST, SYN and ACK. */
import { expect, test } from "bun:test";
import {
  COUNTER_CONNECTIONS_OPEN,
  COUNTER_TCP_CHALLENGE_ACKS,
  ERRNO_ECONNRESET,
} from "../../../assembly/layout";
import { pattern } from "../packets";
import type { Lab } from "./lab";
import { accepted, Peer } from "./peer";

/** The receive window in these tests: what a SYN-ACK without scaling announces. */
const windowBytes = 65535;

/** Brings an established connection into a later state; the numbers its next segments have. */
const states: Record<string, (lab: Lab, peer: Peer, qd: number) => { seq: number; ack: number }> = {
  ESTABLISHED: () => ({ seq: 1, ack: 1 }),
  "FIN-WAIT-1": (lab, peer, qd) => {
    lab.shutdown(qd);
    peer.expect({ flags: "FA", seq: 1 });
    return { seq: 1, ack: 1 };
  },
  "FIN-WAIT-2": (lab, peer, qd) => {
    lab.shutdown(qd);
    peer.expect({ flags: "FA", seq: 1 });
    peer.inject("A", { seq: 1, ack: 2 });
    return { seq: 1, ack: 2 };
  },
  "CLOSE-WAIT": (_, peer) => {
    peer.inject("FA", { seq: 1, ack: 1 });
    peer.expect({ flags: "A", ack: 2 });
    return { seq: 2, ack: 1 };
  },
  CLOSING: (lab, peer, qd) => {
    lab.shutdown(qd);
    peer.expect({ flags: "FA", seq: 1 });
    peer.inject("FA", { seq: 1, ack: 1 });
    peer.expect({ flags: "A", ack: 2 });
    return { seq: 2, ack: 1 };
  },
  "LAST-ACK": (lab, peer, qd) => {
    peer.inject("FA", { seq: 1, ack: 1 });
    peer.expect({ flags: "A", ack: 2 });
    lab.shutdown(qd);
    peer.expect({ flags: "FA", seq: 1, ack: 2 });
    return { seq: 2, ack: 1 };
  },
};

for (const [state, enter] of Object.entries(states)) {
  test(`${state}: RST resets at RCV.NXT, is challenged in the window, dropped outside (RFC 5961 3.2, S01)`, () => {
    for (const flags of ["R", "RA"]) {
      const { lab, peer, qd } = accepted();
      const { seq, ack } = enter(lab, peer, qd);
      const edge = 1 + windowBytes - seq;
      for (const offset of [-1, -windowBytes, edge, edge + 1000]) {
        peer.inject(flags, { seq: seq + offset, ack });
        lab.silence();
      }
      for (const offset of [1, 1000, edge - 1]) {
        lab.advance(501);
        peer.take();
        peer.inject(flags, { seq: seq + offset, ack });
        const challenges = peer.take();
        expect(challenges.at(-1)).toMatchObject({ flags: "A", ack: seq, length: 0 });
        expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(2);
      }
      peer.inject(flags, { seq, ack });
      lab.silence();
      expect(lab.result(lab.close(qd)).errno).toBe(0);
      expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
    }
  });

  test(`${state}: SYN is only challenged, wherever it lies (RFC 5961 4.2, S02)`, () => {
    const { lab, peer, qd } = accepted();
    const { seq, ack } = enter(lab, peer, qd);
    for (const offset of [-1_000_000, -1, 0, 1, windowBytes, 1_000_000]) {
      for (const flags of ["S", "SA"]) {
        lab.advance(501);
        peer.take();
        peer.inject(flags, { seq: seq + offset, ack });
        expect(peer.take()).toMatchObject([{ flags: "A", ack: seq, length: 0 }]);
      }
    }
    expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(2);
  });

  test(`${state}: a segment without ACK is dropped (3.10.7.4, fifth check)`, () => {
    const { lab, peer, qd } = accepted();
    const { seq } = enter(lab, peer, qd);
    peer.inject("", { seq, length: 5 });
    peer.inject("F", { seq });
    peer.inject("P", { seq, length: 1 });
    lab.silence();
  });
}

test("an acknowledgment of what was not sent is challenged and its data dropped (RFC 5961 5.2, S03)", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(100));
  peer.expect({ flags: "PA", seq: 1, length: 100 });
  peer.inject("PA", { seq: 1, ack: 102, length: 10 });
  peer.expect({ flags: "A", seq: 101, ack: 1 });
  lab.advance(100);
  peer.inject("A", { seq: 1, ack: 101 });
  lab.quiet(1000);
});

test("an acknowledgment older than the largest window is challenged (RFC 5961 5.2, S03)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("PA", { seq: 1, ack: 1 - 65536, length: 10 });
  peer.expect({ flags: "A", seq: 1, ack: 1 });
  peer.inject("PA", { seq: 1, ack: 1 - 65535, length: 10 });
  expect(lab.read(qd)).toHaveLength(10);
});

test("an old acknowledgment changes nothing, its data counts (3.10.7.4)", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(100));
  peer.expect({ flags: "PA", length: 100 });
  peer.inject("A", { seq: 1, ack: 101 });
  peer.inject("PA", { seq: 1, ack: 51, length: 10, window: 0 });
  expect(lab.read(qd)).toHaveLength(10);
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", seq: 101, ack: 11, length: 10 });
});

test("the window comes from the newest segment only (SND.WL1, SND.WL2)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("PA", { seq: 1, ack: 1, length: 100 });
  peer.inject("A", { seq: 101, ack: 1, window: 5000 });
  peer.inject("PA", { seq: 51, ack: 1, length: 100, window: 0 });
  peer.take();
  lab.push(qd, pattern(1460));
  peer.expect({ flags: "PA", seq: 1, ack: 151, length: 1460 });
});

test("parts received before are cut off, the rest is taken (3.10.7.4)", () => {
  const { lab, peer, qd } = accepted();
  const bytes = pattern(200);
  peer.inject("PA", { seq: 1, ack: 1, payload: bytes.subarray(0, 100) });
  peer.inject("PA", { seq: 51, ack: 1, payload: bytes.subarray(50, 150) });
  peer.expect({ flags: "A", ack: 151 });
  peer.inject("PA", { seq: 1, ack: 1, payload: bytes });
  peer.expect({ flags: "A", ack: 201 });
  expect(lab.read(qd)).toEqual(bytes);
});

test("a wholly repeated segment is acknowledged again (3.10.7.4, first check)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("PA", { seq: 1, ack: 1, length: 100 });
  lab.read(qd);
  lab.advance(100);
  peer.take();
  for (let round = 0; round < 3; round++) {
    peer.inject("PA", { seq: 1, ack: 1, length: 100 });
    peer.expect({ flags: "A", seq: 1, ack: 101 });
  }
});

test("data beyond the window is cut off and acknowledged (3.10.7.4)", () => {
  const { lab, peer, qd } = accepted({}, { receiveBufferBytes: 4096 });
  const bytes = pattern(4380);
  for (const at of [0, 1460, 2920]) {
    peer.inject("A", { seq: 1 + at, ack: 1, payload: bytes.subarray(at, at + 1460) });
  }
  expect(peer.take().at(-1)).toMatchObject({ flags: "A", ack: 4097, window: 0 });
  peer.inject("PA", { seq: 4097, ack: 1, payload: bytes.subarray(4096) });
  peer.expect({ flags: "A", ack: 4097, window: 0 });
  expect(lab.read(qd)).toEqual(bytes.subarray(0, 4096));
});

test("a closed window still takes acknowledgments and resets at RCV.NXT (MUST-66)", () => {
  const { lab, peer, qd } = accepted({}, { receiveBufferBytes: 4096 });
  for (const at of [0, 1460, 2920]) peer.inject("A", { seq: 1 + at, ack: 1, length: 1460 });
  lab.push(qd, pattern(10));
  expect(peer.take().at(-1)).toMatchObject({ ack: 4097, window: 0, length: 10 });
  peer.inject("A", { seq: 4097, ack: 11 });
  lab.quiet(3000);
  peer.inject("RA", { seq: 4097, ack: 11 });
  expect(lab.pushErrno(qd)).toBe(ERRNO_ECONNRESET);
});

test("a FIN out of order waits for what is missing", () => {
  const { lab, peer, qd } = accepted();
  const bytes = pattern(300);
  peer.inject("FPA", { seq: 201, ack: 1, payload: bytes.subarray(200) });
  peer.expect({ flags: "A", ack: 1 });
  peer.inject("PA", { seq: 1, ack: 1, payload: bytes.subarray(0, 100) });
  peer.take();
  peer.inject("PA", { seq: 101, ack: 1, payload: bytes.subarray(100, 200) });
  peer.expect({ flags: "A", ack: 302 });
  expect(lab.read(qd)).toEqual(bytes);
  expect(lab.read(qd)).toHaveLength(0);
});

test("a keep-alive probe is answered (3.8.4, S23)", () => {
  const { lab, peer } = accepted();
  for (const length of [0, 1]) {
    lab.advance(1000);
    peer.inject("A", { seq: 0, ack: 1, length });
    peer.expect({ flags: "A", seq: 1, ack: 1 });
  }
});

test("challenges are limited for each connection by itself (RFC 5961 7, S04)", () => {
  const { lab, peer, listener } = accepted();
  const other = new Peer(lab, { port: 4001 });
  other.establish(listener);
  for (let millisecond = 0; millisecond < 400; millisecond++) {
    for (let round = 0; round < 3; round++) {
      peer.inject("R", { seq: 100 });
      lab.collect();
    }
    lab.advance(1, 1);
  }
  peer.expect({ flags: "A", seq: 1, ack: 1 });
  expect(lab.counter(COUNTER_TCP_CHALLENGE_ACKS)).toBe(1);
  other.inject("R", { seq: 100 });
  other.expect({ flags: "A", seq: 1, ack: 1 });
});

test("an ACK that never fits is not answered for ever (S05)", () => {
  const { lab, peer } = accepted();
  let answers = 0;
  peer.inject("A", { seq: 500_000, ack: 1 });
  for (let ms = 0; ms < 10_000; ms += 10) {
    const sent = peer.take();
    answers += sent.length;
    for (const _ of sent) peer.inject("A", { seq: 500_000, ack: 1 });
    lab.advance(10);
  }
  expect(answers).toBeLessThanOrEqual(21);
});
