/** Datagram sockets of a test's stack. */
import { expect } from "bun:test";
import { KIND_DATAGRAM } from "../../assembly/layout";
import { parseIpv4 } from "../../src/wasm/address";
import { Host } from "./host";
import { arpFrame, peerAddress } from "./packets";

/** A host that knows its peer's MAC. */
export function greeted(...options: ConstructorParameters<typeof Host>): Host {
  const host = new Host(...options);
  host.exchange(arpFrame());
  return host;
}

export function bind(host: Host, qd: number, address: string, port: number): number {
  host.stack.writeAddress(parseIpv4(address, "test"));
  return host.stack.exports.bind(qd, port);
}

export function connect(host: Host, qd: number, address: string, port: number): number {
  host.stack.writeAddress(parseIpv4(address, "test"));
  return host.stack.exports.connect(qd, port);
}

/** A socket bound to port 7 of any address. */
export function bound(host: Host, address = "0.0.0.0", port = 7): number {
  const qd = host.stack.exports.socket(KIND_DATAGRAM);
  expect(bind(host, qd, address, port)).toBe(0);
  return qd;
}

/** Pops until nothing is left; the payloads. */
export function popAll(host: Host, qd: number): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  while (true) {
    host.stack.exports.pop(qd, 0);
    const completions = host.completions();
    if (completions.length === 0) return payloads;
    for (const { frame } of completions) payloads.push(host.take(frame));
  }
}

/** Pushes an array with these contents to the peer. */
export function pushTo(host: Host, qd: number, contents: Uint8Array, port = 9): number {
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  return host.stack.exports.pushTo(qd, host.array(contents), port);
}
