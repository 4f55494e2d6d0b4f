/** UDP sockets: bind, port 0, connect, close. */
import { expect, test } from "bun:test";
import {
  COUNTER_DROP_UDP_NO_SOCKET,
  ERRNO_EADDRINUSE,
  ERRNO_EADDRNOTAVAIL,
  ERRNO_EINVAL,
  ERRNO_EISCONN,
  ERRNO_ENOTCONN,
  KIND_DATAGRAM,
} from "../../assembly/layout";
import { bind, bound, connect, greeted, popAll } from "./datagrams";
import { hostAddress, pattern, peerAddress, readU16, udpFrame } from "./packets";

test("bind refuses ports in use, foreign addresses and a second bind", () => {
  const host = greeted();
  const qd = bound(host, "0.0.0.0", 7);
  expect(bind(host, qd, "0.0.0.0", 8)).toBe(-ERRNO_EINVAL);
  const other = host.stack.exports.socket(KIND_DATAGRAM);
  expect(bind(host, other, "0.0.0.0", 7)).toBe(-ERRNO_EADDRINUSE);
  expect(bind(host, other, hostAddress, 7)).toBe(-ERRNO_EADDRINUSE);
  expect(bind(host, other, "10.0.0.9", 8)).toBe(-ERRNO_EADDRNOTAVAIL);
  expect(bind(host, other, hostAddress, 8)).toBe(0);
  host.stack.exports.close(qd);
  host.completions();
  bound(host, "0.0.0.0", 7);
});

test("port 0 becomes a free port of the dynamic range", () => {
  const host = greeted();
  const ports = Array.from({ length: 10 }, () => {
    const qd = bound(host, "0.0.0.0", 0);
    expect(host.stack.exports.localAddress(qd)).toBe(0);
    return host.stack.readPort();
  });
  expect(new Set(ports).size).toBe(10);
  expect(ports.every((port) => port >= 49152 && port <= 65535)).toBe(true);
});

test("a connected socket talks to its remote alone", () => {
  const host = greeted();
  const qd = bound(host);
  expect(host.stack.exports.remoteAddress(qd)).toBe(-ERRNO_ENOTCONN);
  expect(connect(host, qd, peerAddress, 5000)).toBeGreaterThan(0);
  expect(connect(host, qd, peerAddress, 5000)).toBe(-ERRNO_EISCONN);
  host.completions();
  expect(host.stack.exports.localAddress(qd)).toBe(0);
  expect([host.stack.readAddress(), host.stack.readPort()]).toEqual([0x0a000001, 7]);
  expect(host.stack.exports.remoteAddress(qd)).toBe(0);
  expect([host.stack.readAddress(), host.stack.readPort()]).toEqual([0x0a000002, 5000]);

  expect(host.stack.exports.push(qd, host.array(pattern(20)))).toBeGreaterThan(0);
  host.completions();
  const { bytes } = host.sentOne();
  expect([34, 36].map((at) => readU16(bytes, at))).toEqual([7, 5000]);

  host.send(udpFrame(pattern(1), { sourcePort: 5001 }));
  host.send(udpFrame(pattern(2), { source: "10.0.0.3" }));
  host.send(udpFrame(pattern(3)));
  expect(popAll(host, qd)).toEqual([pattern(3)]);
  expect(host.counter(COUNTER_DROP_UDP_NO_SOCKET)).toBe(2);
});

test("close gives back the port, the datagrams and the socket", () => {
  const host = greeted({ datagramSockets: 2 });
  for (let round = 0; round < 20; round++) {
    const qd = bound(host);
    for (let index = 0; index < 10; index++) host.send(udpFrame(pattern(5)));
    expect(host.stack.exports.close(qd)).toBeGreaterThan(0);
    host.completions();
    expect(host.framesOut()).toBe(0);
  }
});
