/**
 * Source NAT with port translation (RFC 3022) on a link: everybody on its inside appears as one
 * address. Mappings and filtering are endpoint-independent (RFC 4787 section 4).
 */
import { ERRNO_EINVAL } from "../../../assembly/layout";
import { DemibunError } from "../../errors";
import { addressBytes } from "../../packet/address";
import { ETHERTYPE_IPV4, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from "../../packet/protocols";
import type { Nanoseconds } from "../scheduler";
import {
  ETHERNET_HEADER_BYTES,
  frameType,
  read16,
  read32,
  setCoveredByte,
  type Transport,
  transportOf,
  updateChecksum,
  write16,
} from "./frame-fields";
import type { Link } from "./link";
import type { Rule, RuleContext, Verdict } from "./rule";
import { quotationOf, restoreQuotation } from "./nat-quotation";

const ip = ETHERNET_HEADER_BYTES;
const SOURCE = ip + 12;
const DESTINATION = ip + 16;
const ECHO = 8;
const ECHO_REPLY = 0;

export interface NatOptions {
  /** The address that the outside sees; the interface it belongs to answers ARP for it. */
  readonly outside: string;
  /** Which end of the link is inside. Default a. */
  readonly inside?: "a" | "b";
  readonly portMin?: number;
  readonly portMax?: number;
  /** After which silence a mapping ends. Default 300 s. */
  readonly idleMs?: number;
}

interface Mapping {
  readonly key: number;
  readonly protocol: number;
  readonly address: number;
  readonly port: number;
  readonly outsidePort: number;
  usedNs: Nanoseconds;
}

/** Protocol, address and port as one number: it has to be exact, so the protocol takes two bits. */
function keyOf(protocol: number, address: number, port: number): number {
  const kind = protocol === PROTOCOL_TCP ? 0 : protocol === PROTOCOL_UDP ? 1 : 2;
  return (kind * 2 ** 32 + address) * 65536 + port;
}

export class Nat implements Disposable {
  /** Packets from inside that found every port taken, or could not be translated. */
  refused = 0;
  readonly #outside: number;
  readonly #portMin: number;
  readonly #portMax: number;
  readonly #idleNs: Nanoseconds;
  readonly #inside = new Map<number, Mapping>();
  /** By protocol and outside port. */
  readonly #byPort = new Map<number, Mapping>();
  readonly #rules: readonly Disposable[];
  #nextPort: number;

  constructor(link: Link, options: NatOptions) {
    const { outside, inside = "a", portMin = 32768, portMax = 60999, idleMs = 300_000 } = options;
    if (!(portMin > 0 && portMin <= portMax && portMax < 65536)) {
      throw new DemibunError({
        operation: `NAT on link ${link.name}`,
        errno: ERRNO_EINVAL,
        detail: `${portMin} to ${portMax} is no range of ports`,
        hint: "give portMin and portMax from 1 to 65535, the lower first",
      });
    }
    this.#outside = read32(addressBytes(outside), 0);
    this.#portMin = portMin;
    this.#portMax = portMax;
    this.#nextPort = portMin;
    this.#idleNs = idleMs * 1e6;
    const [out, back] = inside === "a" ? [link.ab, link.ba] : [link.ba, link.ab];
    this.#rules = [
      out.rules.add(this.#outward, { permanent: true }),
      back.rules.add(this.#inward, { permanent: true }),
    ];
  }

  /** Mappings in use. */
  get mappings(): number {
    return this.#inside.size;
  }

  [Symbol.dispose](): void {
    for (const rule of this.#rules) rule[Symbol.dispose]();
  }

  readonly #outward: Rule = (frame, { nowNs }: RuleContext): Verdict => {
    if (frameType(frame) !== ETHERTYPE_IPV4) return "pass";
    const transport = transportOf(frame);
    // What the translating router sends itself has the outside address already.
    if (read32(frame, SOURCE) === this.#outside) return "pass";
    const place = transport && portPlace(frame, transport, "source");
    if (transport === undefined || place === undefined) return this.#refuse();
    const mapping = this.#map(
      transport.protocol,
      read32(frame, SOURCE),
      read16(frame, place),
      nowNs,
    );
    if (mapping === undefined) return this.#refuse();
    const copy = frame.slice();
    rewriteAddress(copy, transport, SOURCE, this.#outside);
    rewritePort(copy, transport, place, mapping.outsidePort);
    return { frame: copy };
  };

  readonly #inward: Rule = (frame, { nowNs }: RuleContext): Verdict => {
    if (frameType(frame) !== ETHERTYPE_IPV4 || frame.length < ip + 20) return "pass";
    if (read32(frame, DESTINATION) !== this.#outside) return "pass";
    const transport = transportOf(frame);
    if (transport === undefined) return "pass";
    const quoted = quotationOf(frame, transport);
    const place = quoted?.port ?? portPlace(frame, transport, "destination");
    if (place === undefined) return "pass";
    const protocol = quoted?.protocol ?? transport.protocol;
    const mapping = this.#find(protocol, read16(frame, place), nowNs);
    if (mapping === undefined) return "pass";
    const copy = frame.slice();
    rewriteAddress(copy, transport, DESTINATION, mapping.address);
    if (quoted === undefined) rewritePort(copy, transport, place, mapping.port);
    else restoreQuotation(copy, transport, quoted, mapping);
    return { frame: copy };
  };

  #refuse(): Verdict {
    this.refused++;
    return "drop";
  }

  #find(protocol: number, outsidePort: number, nowNs: Nanoseconds): Mapping | undefined {
    const mapping = this.#byPort.get(keyOf(protocol, 0, outsidePort));
    if (mapping === undefined || this.#isOver(mapping, nowNs)) return undefined;
    mapping.usedNs = nowNs;
    return mapping;
  }

  #isOver({ usedNs }: Mapping, nowNs: Nanoseconds): boolean {
    return nowNs - usedNs > this.#idleNs;
  }

  #map(protocol: number, address: number, port: number, nowNs: Nanoseconds): Mapping | undefined {
    const key = keyOf(protocol, address, port);
    const known = this.#inside.get(key);
    if (known !== undefined && !this.#isOver(known, nowNs)) {
      known.usedNs = nowNs;
      return known;
    }
    if (known !== undefined) this.#remove(known);
    const outsidePort = this.#takePort(protocol, nowNs);
    if (outsidePort === undefined) return undefined;
    const mapping = { key, protocol, address, port, outsidePort, usedNs: nowNs };
    this.#inside.set(key, mapping);
    this.#byPort.set(keyOf(protocol, 0, outsidePort), mapping);
    return mapping;
  }

  /** One port after the other, over those that are in use. */
  #takePort(protocol: number, nowNs: Nanoseconds): number | undefined {
    for (let tries = this.#portMax - this.#portMin; tries >= 0; tries--) {
      const port = this.#nextPort;
      this.#nextPort = port === this.#portMax ? this.#portMin : port + 1;
      const holder = this.#byPort.get(keyOf(protocol, 0, port));
      if (holder === undefined) return port;
      if (!this.#isOver(holder, nowNs)) continue;
      this.#remove(holder);
      return port;
    }
    return undefined;
  }

  #remove({ key, protocol, outsidePort }: Mapping): void {
    this.#inside.delete(key);
    this.#byPort.delete(keyOf(protocol, 0, outsidePort));
  }
}

/** Where the port to translate stands; of a ping, its identifier. */
function portPlace(
  frame: Uint8Array,
  { protocol, header }: Transport,
  side: "source" | "destination",
): number | undefined {
  if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) {
    return side === "source" ? header : header + 2;
  }
  const type = frame[header];
  const isPing = protocol === PROTOCOL_ICMP && (type === ECHO || type === ECHO_REPLY);
  return isPing ? header + 4 : undefined;
}

function rewritePort(frame: Uint8Array, transport: Transport, at: number, port: number): void {
  setCoveredByte(frame, transport, at, port >>> 8);
  setCoveredByte(frame, transport, at + 1, port & 255);
}

/** Sets an address; the IP header and, by its pseudo-header, TCP and UDP cover it. */
function rewriteAddress(
  frame: Uint8Array,
  transport: Transport,
  at: number,
  address: number,
): void {
  for (const [index, word] of [address >>> 16, address & 0xffff].entries()) {
    const place = at + index * 2;
    const before = read16(frame, place);
    write16(frame, place, word);
    updateChecksum(frame, ip + 10, before, word);
    updatePseudoHeader(frame, transport, before, word);
  }
}

function updatePseudoHeader(
  frame: Uint8Array,
  { protocol, checksum }: Transport,
  before: number,
  after: number,
): void {
  if (protocol === PROTOCOL_ICMP) return;
  const none = protocol === PROTOCOL_UDP && read16(frame, checksum) === 0;
  if (none) return;
  updateChecksum(frame, checksum, before, after);
  if (protocol === PROTOCOL_UDP && read16(frame, checksum) === 0) write16(frame, checksum, 0xffff);
}
