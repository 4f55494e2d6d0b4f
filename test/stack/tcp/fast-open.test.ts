/** Fast Open (RFC 7413) where scripts cannot look: tokens and pools, two stacks with each other. */
import { expect, test } from "bun:test";
import {
  COUNTER_CONNECTIONS_OPEN,
  COUNTER_TCP_FAST_OPEN_ACTIVE,
  COUNTER_TCP_FAST_OPEN_PASSIVE,
  ERRNO_ECONNREFUSED,
  ERRNO_ECONNRESET,
  ERRNO_EISCONN,
  ERRNO_EOPNOTSUPP,
  ERRNO_ETIMEDOUT,
  FAST_OPEN_ALL_LISTENERS,
  FAST_OPEN_CLIENT,
  FAST_OPEN_CLIENT_NO_COOKIE,
  FAST_OPEN_SERVER,
  FAST_OPEN_SERVER_NO_COOKIE,
  SOCKET_OPTION_FAST_OPEN,
  SOCKET_OPTION_FAST_OPEN_CONNECT,
  SOCKET_OPTION_FAST_OPEN_ROOM,
  SOCKET_OPTION_KEEP_ALIVE,
  SOCKET_OPTION_KEEP_ALIVE_IDLE,
} from "../../../assembly/layout";
import { parseIpv4 } from "../../../src/wasm/address";
import { concat, hostAddress, hostMac, pattern, peerAddress, peerMac } from "../packets";
import { Lab } from "./lab";
import { Peer } from "./peer";
import { option } from "./segments";

const withCookies = FAST_OPEN_CLIENT | FAST_OPEN_SERVER | FAST_OPEN_ALL_LISTENERS;
const withoutCookies = withCookies | FAST_OPEN_CLIENT_NO_COOKIE | FAST_OPEN_SERVER_NO_COOKIE;
const cookieOption = (...bytes: number[]) => [34, bytes.length + 2, ...bytes];

function set(lab: Lab, qd: number, option: number, value: number): number {
  return lab.host.stack.exports.setOption(qd, option, value);
}

/** A socket that wants Fast Open. */
function fastSocket(lab: Lab): number {
  const qd = lab.socket();
  expect(set(lab, qd, SOCKET_OPTION_FAST_OPEN_CONNECT, 1)).toBe(0);
  return qd;
}

/** Lets the stack learn a cookie of the server at this address. */
function learn(lab: Lab, address = peerAddress): void {
  const peer = new Peer(lab, { address });
  const qd = fastSocket(lab);
  const token = lab.connect(qd, address);
  peer.findSyn();
  peer.take();
  const options = [...option.mss(1460), ...cookieOption(1, 2, 3, 4, 5, 6, 7, 8), 1, 1];
  peer.inject("SA", { ack: 1, options });
  expect(lab.result(token).errno).toBe(0);
  peer.take();
  peer.inject("RA", { seq: 1, ack: 1 });
  lab.result(lab.close(qd));
  lab.silence();
}

/** Two stacks, each the other's neighbour; `run` lets a second pass between them. */
function joined(fastOpen: number): { client: Lab; server: Lab; run: () => void } {
  const client = new Lab({ fastOpen });
  const place = { address: parseIpv4(peerAddress, "test"), mac: peerMac };
  const server = new Lab({ fastOpen }, place);
  server.host.stack.setNeighbour(0, parseIpv4(hostAddress, "test"), hostMac);
  let wire: (readonly [to: Lab, frame: Uint8Array])[] = [];
  client.wire = (frame) => void wire.push([server, frame.slice()]);
  server.wire = (frame) => void wire.push([client, frame.slice()]);
  const run = (): void => {
    for (let round = 0; round < 200; round++) {
      for (const lab of [client, server]) {
        lab.host.poll();
        lab.collect();
        lab.host.nowUs += 5000;
      }
      const frames = wire;
      wire = [];
      for (const [to, frame] of frames) to.host.send(frame);
    }
  };
  return { client, server, run };
}

test("two stacks: the first connection brings the cookie, the second its data in the SYN", () => {
  const { client, server, run } = joined(withCookies);
  const listener = server.listen();
  for (const round of [0, 1]) {
    const qd = fastSocket(client);
    const connect = client.connect(qd);
    // The second time connect waits for what is pushed.
    expect(client.isDone(connect)).toBe(round === 1);
    const bytes = pattern(20_000 + round);
    const push = client.push(qd, bytes);
    run();
    expect([client.result(connect).errno, client.result(push).errno]).toEqual([0, 0]);
    const accepted = server.accepted(listener);
    expect(server.read(accepted)).toEqual(bytes);
    server.push(accepted, pattern(5000));
    run();
    expect(client.read(qd)).toEqual(pattern(5000));
    expect(client.counter(COUNTER_TCP_FAST_OPEN_ACTIVE)).toBe(round);
    expect(server.counter(COUNTER_TCP_FAST_OPEN_PASSIVE)).toBe(round);
  }
});

test("pushes of one turn leave in one SYN, and no more than it has room for", () => {
  const lab = new Lab({ fastOpen: withCookies });
  learn(lab);
  const peer = new Peer(lab);
  const qd = fastSocket(lab);
  lab.connect(qd);
  expect(lab.host.stack.exports.getOption(qd, SOCKET_OPTION_FAST_OPEN_ROOM)).toBe(1420);
  lab.hold();
  const bytes = pattern(3000);
  lab.push(qd, bytes.subarray(0, 500));
  lab.push(qd, bytes.subarray(500, 1200));
  lab.push(qd, bytes.subarray(1200));
  peer.findSyn();
  peer.expect({ flags: "S", seq: 0, length: 1420, payload: bytes.subarray(0, 1420) });
  peer.inject("SA", { ack: 1421, options: option.mss(1460) });
  const [first, second] = peer.take();
  expect([first?.seq, second?.seq]).toEqual([1421, 2881]);
  expect(concat(first?.payload ?? [], second?.payload ?? [])).toEqual(bytes.subarray(1420));
});

test("without a cookie pushes and pops wait for the handshake, and fail with it", () => {
  const lab = new Lab({ fastOpen: withCookies });
  const peer = new Peer(lab);
  const qd = fastSocket(lab);
  const tokens = [lab.connect(qd), lab.push(qd, pattern(400)), lab.pop(qd)];
  peer.findSyn();
  peer.expect({ flags: "S", seq: 0 });
  expect(tokens.map((token) => lab.isDone(token))).toEqual([false, false, false]);
  peer.inject("RA", { seq: 0, ack: 1 });
  expect(tokens.map((token) => lab.result(token).errno)).toEqual([
    ERRNO_ECONNREFUSED,
    ERRNO_ECONNREFUSED,
    ERRNO_ECONNREFUSED,
  ]);
});

test("a SYN with data that nobody answers fails with ETIMEDOUT and gives the frames back", () => {
  const lab = new Lab({ fastOpen: withoutCookies });
  const peer = new Peer(lab);
  const qd = fastSocket(lab);
  const connect = lab.connect(qd);
  const pop = lab.pop(qd);
  lab.push(qd, pattern(4000));
  expect(lab.result(connect).errno).toBe(0);
  peer.findSyn();
  lab.advance(300_000, 500);
  const syns = peer.take().map(({ length }) => length);
  // The default MSS, as the server's is not known (section 4.1.3), less 40 bytes for options.
  expect(syns[0]).toBe(496);
  expect(syns.slice(1).every((bytes) => bytes === 0)).toBe(true);
  expect(lab.result(pop).errno).toBe(ERRNO_ETIMEDOUT);
});

test("a stray segment finds nobody at a connect that waits for data", () => {
  const lab = new Lab({ fastOpen: withCookies });
  learn(lab);
  const qd = fastSocket(lab);
  lab.connect(qd);
  lab.silence();
  const { exports } = lab.host.stack;
  exports.localAddress(qd);
  const peer = new Peer(lab, { port: 80, hostPort: lab.host.stack.readPort() });
  peer.inject("SA", { seq: 0, ack: 1, options: option.mss(1460) });
  const [reset] = peer.take();
  expect(reset?.flags).toBe("R");
  lab.push(qd, pattern(100));
  peer.expect({ flags: "S", seq: 0, length: 100 });
});

test("options: only before connect, a listener's limit at any time, EOPNOTSUPP when switched off", () => {
  const lab = new Lab({ fastOpen: withCookies });
  const listener = lab.listen();
  expect(set(lab, listener, SOCKET_OPTION_FAST_OPEN, 3)).toBe(0);
  expect(lab.host.stack.exports.getOption(listener, SOCKET_OPTION_FAST_OPEN)).toBe(3);
  const qd = lab.socket();
  const peer = new Peer(lab);
  lab.connect(qd);
  peer.answer();
  expect(set(lab, qd, SOCKET_OPTION_FAST_OPEN_CONNECT, 1)).toBe(-ERRNO_EISCONN);
  expect(set(lab, qd, SOCKET_OPTION_FAST_OPEN, 1)).toBe(-ERRNO_EISCONN);
  const without = new Lab({ fastOpen: 0 });
  const other = without.socket();
  expect(set(without, other, SOCKET_OPTION_FAST_OPEN_CONNECT, 1)).toBe(-ERRNO_EOPNOTSUPP);
});

/** A connection that the application has although its SYN-ACK is unacknowledged. */
function early(): { lab: Lab; listener: number; peer: Peer; qd: number } {
  const lab = new Lab({ fastOpen: withoutCookies });
  const listener = lab.listen();
  const peer = new Peer(lab);
  peer.inject("S", { options: peer.synOptions, payload: pattern(700) });
  peer.expect({ flags: "SA", seq: 0, ack: 701 });
  const qd = lab.accepted(listener);
  expect(lab.read(qd)).toEqual(pattern(700));
  return { lab, listener, peer, qd };
}

test("what is pushed before the handshake ends arrives although the first sending is lost", () => {
  const { lab, peer, qd } = early();
  const bytes = pattern(30_000);
  const push = lab.push(qd, bytes);
  expect(lab.isDone(push)).toBe(true);
  // IW10, all lost but the SYN-ACK of a second later.
  expect(peer.take().length).toBe(10);
  lab.advance(1100);
  peer.expect({ flags: "SA", seq: 0, ack: 701 });
  peer.inject("A", { seq: 701, ack: 1 });
  const received: Uint8Array = new Uint8Array(bytes.length);
  let una = 1;
  for (let round = 0; round < 400 && una <= bytes.length; round++) {
    lab.advance(100, 20);
    for (const { seq, payload } of peer.take()) {
      received.set(payload, seq - 1);
      if (seq === una) una += payload.length;
    }
    peer.inject("A", { seq: 701, ack: una });
  }
  expect(received).toEqual(bytes);
});

test("a client that never acknowledges is given up, with what was sent to it", () => {
  const { lab, peer, qd } = early();
  const pop = lab.pop(qd);
  lab.push(qd, pattern(3000));
  lab.advance(70_000, 500);
  expect(lab.result(pop).errno).toBe(ERRNO_ETIMEDOUT);
  peer.take();
});

test("keep-alive set on an unconfirmed connection leaves the SYN-ACK's timer alone", () => {
  const { lab, peer, qd } = early();
  expect(set(lab, qd, SOCKET_OPTION_KEEP_ALIVE_IDLE, 60_000)).toBe(0);
  expect(set(lab, qd, SOCKET_OPTION_KEEP_ALIVE, 1)).toBe(0);
  lab.advance(1100);
  peer.expect({ flags: "SA", seq: 0, ack: 701 });
  peer.inject("A", { seq: 701, ack: 1 });
  lab.silence();
});

test("closing early: the close completes when data and FIN are acknowledged", () => {
  const { lab, peer, qd } = early();
  lab.push(qd, pattern(500));
  const close = lab.close(qd);
  peer.expect({ flags: "FPA", seq: 1, length: 500 });
  expect(lab.isDone(close)).toBe(false);
  peer.inject("A", { seq: 701, ack: 502 });
  expect(lab.result(close).errno).toBe(0);
  peer.inject("FA", { seq: 701, ack: 502 });
  peer.expect({ flags: "A", seq: 502, ack: 702 });
});

test("a listener that closes forgets requests that were accepted; its record serves another", () => {
  const { lab, listener, peer, qd } = early();
  lab.result(lab.close(listener));
  const other = lab.listen(81);
  const pop = lab.pop(qd);
  peer.inject("R", { seq: 701 });
  expect(lab.result(pop).errno).toBe(ERRNO_ECONNRESET);
  const second = new Peer(lab, { port: 4001, hostPort: 81 });
  second.inject("S", { options: second.synOptions, payload: pattern(10) });
  second.expect({ flags: "SA", seq: 0, ack: 11 });
  expect(lab.read(lab.accepted(other))).toEqual(pattern(10));
});

test("resets do not buy an attacker more requests than the limit, however many", () => {
  const lab = new Lab({ fastOpen: withoutCookies });
  const listener = lab.listen();
  set(lab, listener, SOCKET_OPTION_FAST_OPEN, 4);
  const acknowledged: number[] = [];
  for (let port = 5000; port < 5040; port++) {
    const peer = new Peer(lab, { port });
    peer.inject("S", { options: peer.synOptions, payload: pattern(100) });
    acknowledged.push(peer.take()[0]?.ack ?? 0);
    peer.inject("R", { seq: acknowledged.at(-1) ?? 0 });
  }
  expect(acknowledged.filter((ack) => ack === 101).length).toBe(4);
  expect(acknowledged.slice(4).every((ack) => ack === 1)).toBe(true);
  expect(lab.gauge(COUNTER_CONNECTIONS_OPEN)).toBe(1);
});

test("a thousand servers leave the memory as it is; the last ones are remembered", () => {
  const lab = new Lab({ fastOpen: withCookies, neighbours: 2048 }, { prefix: 8 });
  const addresses = Array.from({ length: 1000 }, (_, n) => `10.1.${n >> 8}.${n & 255}`);
  for (const address of addresses) {
    lab.host.stack.setNeighbour(0, parseIpv4(address, "test"), peerMac);
    learn(lab, address);
  }
  const qd = fastSocket(lab);
  const connect = lab.connect(qd, addresses.at(-1));
  expect(lab.isDone(connect)).toBe(true);
  lab.host.stack.exports.fastOpenForget();
  const next = fastSocket(lab);
  expect(lab.isDone(lab.connect(next, addresses.at(-1)))).toBe(false);
  lab.pending = [];
});

test("who closes after a push is heard: data and FIN follow the handshake", () => {
  const lab = new Lab({ fastOpen: withCookies });
  learn(lab);
  const peer = new Peer(lab);
  const qd = fastSocket(lab);
  lab.connect(qd);
  lab.push(qd, pattern(2000));
  const close = lab.close(qd);
  peer.findSyn();
  peer.expect({ flags: "S", seq: 0, length: 1420 });
  peer.inject("SA", { ack: 1421, options: option.mss(1460) });
  peer.expect({ flags: "FPA", seq: 1421, ack: 1, length: 580 });
  expect(lab.isDone(close)).toBe(false);
  peer.inject("FA", { seq: 1, ack: 2002 });
  expect(lab.result(close).errno).toBe(0);
  peer.expect({ flags: "A", seq: 2002, ack: 2 });
});

test("who ends the sending direction first reads what the server answers", () => {
  const lab = new Lab({ fastOpen: withCookies });
  learn(lab);
  const peer = new Peer(lab);
  const qd = fastSocket(lab);
  lab.connect(qd);
  lab.push(qd, pattern(300));
  lab.shutdown(qd);
  const pop = lab.pop(qd);
  peer.findSyn();
  peer.expect({ flags: "S", seq: 0, length: 300 });
  peer.inject("SA", { ack: 301, options: option.mss(1460) });
  peer.expect({ flags: "FA", seq: 301, ack: 1 });
  peer.inject("FPA", { seq: 1, ack: 302, payload: pattern(50) });
  expect(lab.host.take(lab.result(pop).frame)).toEqual(pattern(50));
  peer.take();
});

test("who reads first has nothing to wait for: the SYN leaves with the cookie alone", () => {
  const lab = new Lab({ fastOpen: withCookies });
  learn(lab);
  const peer = new Peer(lab);
  const qd = fastSocket(lab);
  lab.connect(qd);
  lab.quiet(1000);
  const pop = lab.pop(qd);
  peer.findSyn();
  const options = [...option.mss(1460), ...cookieOption(1, 2, 3, 4, 5, 6, 7, 8), 1, 1];
  const [syn] = peer.take();
  expect(syn?.length).toBe(0);
  expect(syn?.options.join().includes(options.slice(4).join())).toBe(true);
  peer.inject("SA", { ack: 1, options: option.mss(1460), payload: pattern(40) });
  expect(lab.host.take(lab.result(pop).frame)).toEqual(pattern(40));
  peer.take();
});
