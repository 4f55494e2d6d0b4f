/** CLOSED and LISTEN: who is answered with a reset, and with which numbers (RFC 9293 3.10.7.1). */
import { expect, test } from "bun:test";
import {
  COUNTER_CONNECTIONS_OPEN,
  COUNTER_DROP_TCP_CHECKSUM,
  COUNTER_DROP_TCP_HEADER,
  COUNTER_TCP_RESETS_SENT,
} from "../../../assembly/layout";
import { ethernet, hostAddress, ipv4, readU16 } from "../packets";
import { Lab } from "./lab";
import { Peer } from "./peer";
import { protocolTcp } from "./segments";

/** A stack without a listener, and a peer whose numbers are absolute on both sides. */
function closed(): { lab: Lab; peer: Peer } {
  const lab = new Lab();
  return { lab, peer: new Peer(lab, { initial: 0 }) };
}

test("a closed port answers without ACK: sequence 0, acknowledging all of it (3.10.7.1)", () => {
  const { peer } = closed();
  const cases: [flags: string, length: number, ack: number][] = [
    ["S", 0, 501],
    ["S", 10, 511],
    ["", 0, 500],
    ["", 3, 503],
    ["F", 0, 501],
    ["FS", 4, 506],
    ["PU", 1, 501],
  ];
  for (const [flags, length, ack] of cases) {
    peer.inject(flags, { seq: 500, length });
    peer.expect({ flags: "RA", seq: 0, ack, window: 0, options: [] });
  }
});

test("a closed port answers an ACK with its number and no ACK (3.10.7.1)", () => {
  const { peer } = closed();
  for (const flags of ["A", "SA", "FA", "PA", "FSPAU"]) {
    peer.inject(flags, { seq: 500, ack: 900, length: 5 });
    peer.expect({ flags: "R", seq: 900, window: 0 });
  }
  peer.inject("A", { seq: 1, ack: 0xffffffff });
  peer.expect({ flags: "R", seq: 0xffffffff });
});

test("a reset is never answered, in CLOSED or LISTEN (3.10.7.1, 3.10.7.2)", () => {
  const { lab, peer } = closed();
  for (const round of [0, 1]) {
    for (const flags of ["R", "RA", "SR", "FR", "SRA", "FSRPAU"]) {
      peer.inject(flags, { seq: round, ack: 7, length: round });
    }
    lab.silence();
    if (round === 0) lab.listen();
  }
  expect(lab.counter(COUNTER_TCP_RESETS_SENT)).toBe(0);
});

test("LISTEN resets an ACK and ignores what is neither SYN nor ACK (3.10.7.2, T17)", () => {
  const { lab, peer } = closed();
  lab.listen();
  for (const flags of ["A", "SA", "FA", "PA"]) {
    peer.inject(flags, { seq: 500, ack: 900 });
    peer.expect({ flags: "R", seq: 900 });
  }
  for (const flags of ["", "F", "P", "U", "FS", "FSPU"]) {
    peer.inject(flags, { seq: 500, length: 3 });
    lab.silence();
  }
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});

test("a header that is cut short is dropped (T01)", () => {
  const { lab, peer } = closed();
  const whole = peer.frame("S").subarray(34);
  for (let length = 0; length < 20; length++) {
    lab.host.send(ethernet(ipv4(whole.subarray(0, length), { protocol: protocolTcp })));
  }
  lab.silence();
  expect(lab.counter(COUNTER_DROP_TCP_HEADER)).toBe(20);
});

test("a data offset below 5 or beyond the segment is dropped (T02, T03)", () => {
  const { lab, peer } = closed();
  lab.listen();
  for (const headerWords of [0, 1, 2, 3, 4]) {
    lab.host.send(peer.frame("S", { length: 40 }, { headerWords }));
  }
  for (let length = 0; length < 40; length++) {
    lab.host.send(peer.frame("S", { length }, { headerWords: 15 }));
  }
  lab.silence();
  expect(lab.counter(COUNTER_DROP_TCP_HEADER)).toBe(45);
});

test("a wrong checksum is dropped without an answer (MUST-2, MUST-3, T21)", () => {
  const { lab, peer } = closed();
  const right = readU16(peer.frame("S", { length: 3 }), 34 + 16);
  for (const checksum of [0, 0xffff, right ^ 1, right + 1, ~right & 0xffff]) {
    lab.host.send(peer.frame("S", { length: 3 }, { checksum }));
  }
  lab.silence();
  expect(lab.counter(COUNTER_DROP_TCP_CHECKSUM)).toBe(5);
});

test("LAND, broadcast and foreign sources open nothing (T18, T19, MUST-57, MUST-63)", () => {
  const { lab, peer } = closed();
  lab.listen();
  const lies = [
    { source: hostAddress, sourcePort: 80 },
    { source: hostAddress },
    { destination: "10.0.0.255" },
    { destination: "255.255.255.255" },
    { destination: "224.0.0.1" },
    { source: "10.0.0.255" },
    { source: "255.255.255.255" },
    { source: "224.0.0.1" },
    { source: "127.0.0.1" },
    { source: "0.0.0.0" },
  ];
  for (const lie of lies) lab.host.send(peer.frame("S", {}, lie));
  lab.silence();
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});

test("port 0 opens nothing (T20)", () => {
  const { lab, peer } = closed();
  lab.listen();
  lab.host.send(peer.frame("S", {}, { sourcePort: 0 }));
  lab.host.send(peer.frame("S", {}, { destinationPort: 0 }));
  lab.collect();
  expect(lab.pending.filter(({ flags }) => !flags.includes("R"))).toEqual([]);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});
