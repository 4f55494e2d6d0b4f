/** Datagrams on paths that carry less than the link (RFC 1191, RFC 1122 section 3.3.2). */
import { expect, test } from "bun:test";
import { KIND_DATAGRAM } from "../../assembly/layout";
import { bound, connect, greeted, pushTo } from "./datagrams";
import type { Host } from "./host";
import {
  arpFrame,
  echo,
  hostAddress,
  icmpFrame,
  ipv4,
  pattern,
  peerAddress,
  readIpv4,
  tooBigFrame,
  udp,
} from "./packets";

const full = 1472;

function quote(sourcePort: number, remote = peerAddress, remotePort = 9): Uint8Array {
  const addresses = { source: hostAddress, destination: remote };
  const ports = { sourcePort, destinationPort: remotePort };
  return ipv4(udp(pattern(full), { ...addresses, ...ports }), addresses);
}

/** Sizes of the IP packets that one datagram leaves in, and whether they may be fragmented. */
function sizes(host: Host, qd: number, bytes = full): { sizes: number[]; dontFragment: boolean } {
  expect(pushTo(host, qd, pattern(bytes))).toBeGreaterThan(0);
  host.completions();
  const packets = host.sent().map(({ bytes: frame }) => readIpv4(frame));
  return {
    sizes: packets.map(({ payload }) => payload.length + 20),
    dontFragment: packets.some(({ fragment }) => (fragment & 0x4000) !== 0),
  };
}

test("a datagram is not to be fragmented until a router says that it must be", () => {
  const host = greeted();
  const qd = bound(host);
  expect(sizes(host, qd)).toEqual({ sizes: [1500], dontFragment: true });
  host.send(tooBigFrame(quote(7), 1000));
  expect(sizes(host, qd)).toEqual({ sizes: [996, 524], dontFragment: false });
  expect(sizes(host, qd, 972)).toEqual({ sizes: [1000], dontFragment: true });
  host.advance(11 * 60_000_000, 30_000_000);
  host.exchange(arpFrame());
  expect(sizes(host, qd)).toEqual({ sizes: [1500], dontFragment: true });
});

test("a path below the floor gets packets of the floor that may be fragmented", () => {
  const host = greeted();
  const qd = bound(host);
  host.send(tooBigFrame(quote(7), 296));
  expect(sizes(host, qd)).toEqual({ sizes: [548, 548, 444], dontFragment: false });
  expect(sizes(host, qd, 400)).toEqual({ sizes: [428], dontFragment: false });
});

test("the checksum is whole where the device could have filled it in", () => {
  const host = greeted({}, { checksum: true });
  const qd = bound(host);
  host.send(tooBigFrame(quote(7), 1000));
  pushTo(host, qd, pattern(full));
  host.completions();
  expect(host.sent().map(({ metadata }) => metadata)).toEqual([undefined, undefined]);
});

test("ports that are not ours, a connected socket's other peers and larger MTUs change nothing", () => {
  const host = greeted();
  const qd = bound(host);
  const connected = host.stack.exports.socket(KIND_DATAGRAM);
  host.stack.writeAddress(0);
  expect(host.stack.exports.bind(connected, 8)).toBe(0);
  connect(host, connected, peerAddress, 9);
  host.completions();
  const token = host.stack.exports.pop(connected, 0);
  expect(token).toBeGreaterThan(0);
  host.send(tooBigFrame(quote(6), 1000));
  host.send(tooBigFrame(quote(8, peerAddress, 10), 1000));
  host.send(tooBigFrame(quote(7), 1500));
  host.send(tooBigFrame(quote(7), 9000));
  expect(sizes(host, qd)).toEqual({ sizes: [1500], dontFragment: true });
  host.send(tooBigFrame(quote(8), 1000));
  expect(sizes(host, qd).sizes).toEqual([996, 524]);
  // The datagram is lost, as datagrams may be: the pop waits on.
  expect(host.completions().some((completion) => completion.token === token)).toBe(false);
});

test("what is remembered has an end: old paths give way to new ones", () => {
  const host = greeted();
  const qd = bound(host);
  for (let index = 3; index < 250; index++) {
    for (let port = 9; port < 12; port++) {
      host.send(tooBigFrame(quote(7, `10.0.0.${index}`, port), 1000));
    }
  }
  host.send(tooBigFrame(quote(7), 1000));
  expect(sizes(host, qd).sizes).toEqual([996, 524]);
  expect(host.framesOut()).toBe(0);
});

test("an echo reply may be fragmented: nobody could tell us with certainty that it must be", () => {
  const host = greeted();
  const [reply] = host.exchange(icmpFrame(echo(pattern(1000)))) as [Uint8Array];
  const { fragment, payload } = readIpv4(reply);
  expect([fragment, payload.length]).toEqual([0, 1008]);
});
