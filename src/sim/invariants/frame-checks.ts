/** What must hold for every frame that a host sends, seen from the wire alone. */
import { parseFrame } from "../../packet/parse";
import type { Packet, TcpHeader } from "../../packet/types";
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from "../../packet/types";
import type { Host } from "../host";
import type { FrameEvent } from "../trace";
import { type Invariant, InvariantError } from "./invariant-error";

/** What a SYN offers. */
interface Offer {
  readonly mss: number;
  readonly scale: number | undefined;
}

/** One direction of a connection, as its sender's segments tell it. */
interface Flow {
  readonly isn: number;
  /** The sender's boot: after a crash the numbers start anew. */
  readonly boots: number;
  readonly offer: Offer;
  /** The receiver's port has been used before with another sequence. */
  readonly reused: boolean;
  sendMax: number;
  fin: number | undefined;
  acknowledgment: number | undefined;
  edge: number | undefined;
}

/** What a host has sent and received of these, since the start. */
interface Traffic {
  /** Bare segments: acknowledgments and resets. */
  bare: number;
  /** Received frames that may be answered by one: text, SYN, FIN, or no TCP at all. */
  demanding: number;
}

const ETHERNET_BYTES = 14;
/** The typical MSS less all options that there can be. */
const SYN_DATA_MAX = 1420;
/** RFC 9293 section 3.7.1 for a peer that announced none. */
const MSS_DEFAULT = 536;
/** Bare segments a host may send whatever it receives, and how many more in a second. */
const BARE_MAX = 300;
const BARE_PER_SECOND = 20;
const BARE_PER_DEMAND = 3;

function distance(left: number, right: number): number {
  return (left - right) | 0;
}

export class FrameChecks {
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #flows = new Map<string, Flow>();
  /** Of SYNs as they arrived: boxes on the way may have changed them. */
  readonly #heard = new Map<string, Offer>();
  readonly #traffic = new Map<string, Traffic>();
  readonly #isTranslated: boolean;

  constructor(hosts: ReadonlyMap<string, Host>, isTranslated: boolean) {
    this.#hosts = hosts;
    this.#isTranslated = isTranslated;
  }

  /** `sent` and `delivered` events of hosts. */
  check(event: FrameEvent): void {
    const host = this.#hosts.get(event.station);
    if (host === undefined) return;
    if (event.what === "delivered") {
      if (isDemanding(event.frame)) this.#trafficOf(host).demanding++;
      this.#hear(event.frame);
      return;
    }
    if (event.what !== "sent") return;
    const fail = (invariant: Invariant, detail: string): never => {
      throw new InvariantError(invariant, host.name, event.timeNs, detail);
    };
    const packet = parseFrame(event.frame);
    if (packet.problems.length > 0) fail("frame", packet.problems.join("; "));
    const { mtu } = host.device.options;
    const bytes = event.frame.length - ETHERNET_BYTES;
    if (bytes > mtu) fail("segment-size", `an IP packet of ${bytes} bytes, the MTU is ${mtu}`);
    if (packet.tcp === undefined || packet.ip === undefined) return;
    this.#checkTraffic(host, event, packet.tcp, packet.payload.length, fail);
    this.#checkSegment(host, packet, packet.tcp, fail);
  }

  #hear(frame: Uint8Array): void {
    if (!mayBeSyn(frame)) return;
    const { ip, tcp, problems } = parseFrame(frame);
    if (tcp === undefined || problems.length > 0 || (tcp.flags & TCP_SYN) === 0) return;
    const there = `${ip?.source}:${tcp.sourcePort}`;
    const here = `${ip?.destination}:${tcp.destinationPort}`;
    this.#heard.set(`${there} > ${here}`, offerOf(tcp));
  }

  #trafficOf({ name }: Host): Traffic {
    let traffic = this.#traffic.get(name);
    if (traffic === undefined) {
      traffic = { bare: 0, demanding: 0 };
      this.#traffic.set(name, traffic);
    }
    return traffic;
  }

  /** Two hosts that answer each other's answers never stop. */
  #checkTraffic(
    host: Host,
    { timeNs }: FrameEvent,
    tcp: TcpHeader,
    bytes: number,
    fail: (invariant: Invariant, detail: string) => never,
  ): void {
    if (bytes > 0 || (tcp.flags & (TCP_SYN | TCP_FIN)) !== 0) return;
    const traffic = this.#trafficOf(host);
    traffic.bare++;
    const { bare, demanding } = traffic;
    if (bare > BARE_MAX + (BARE_PER_SECOND * timeNs) / 1e9 + BARE_PER_DEMAND * demanding) {
      fail("storm", `${bare} bare segments, and only ${demanding} frames that ask for one`);
    }
  }

  #checkSegment(
    host: Host,
    { ip, payload }: Packet,
    tcp: TcpHeader,
    fail: (invariant: Invariant, detail: string) => never,
  ): void {
    const here = `${ip?.source}:${tcp.sourcePort}`;
    const there = `${ip?.destination}:${tcp.destinationPort}`;
    const name = `${here} > ${there}`;
    const heard = this.#heard.get(`${there} > ${here}`);
    const peer = this.#isTranslated ? undefined : this.#flows.get(`${there} > ${here}`);
    if ((tcp.flags & TCP_SYN) !== 0) this.#open(host, name, tcp);
    const flow = this.#flows.get(name);
    // A reset may carry another connection's numbers (RFC 9293 section 3.10.7.1).
    if (flow === undefined || (tcp.flags & TCP_RST) !== 0) return;
    // Data of a SYN keep to what was known of its receiver before (RFC 7413 section 4.1.3).
    const isSyn = (tcp.flags & (TCP_SYN | TCP_ACK)) === TCP_SYN;
    if (payload.length > (isSyn ? SYN_DATA_MAX : (heard?.mss ?? MSS_DEFAULT))) {
      fail("segment-size", `${name}: ${payload.length} bytes, the peer's MSS is ${heard?.mss}`);
    }
    checkReach(flow, tcp, payload.length, name, fail);
    if ((tcp.flags & TCP_ACK) === 0) return;
    checkAcknowledgment(flow, peer, tcp, name, fail);
    checkEdge(flow, heard, tcp, name, fail);
  }

  #open(host: Host, name: string, tcp: TcpHeader): void {
    const before = this.#flows.get(name);
    if (before?.isn === tcp.sequence && before.boots === host.boots) return;
    this.#flows.set(name, {
      isn: tcp.sequence,
      boots: host.boots,
      offer: offerOf(tcp),
      reused: before !== undefined,
      sendMax: tcp.sequence,
      fin: undefined,
      acknowledgment: undefined,
      edge: undefined,
    });
  }
}

function offerOf({ options }: TcpHeader): Offer {
  let mss = MSS_DEFAULT;
  let scale: number | undefined;
  for (const option of options) {
    if (option.kind === "mss") mss = option.mss;
    else if (option.kind === "wscale") scale = option.shift;
  }
  return { mss, scale };
}

function tcpFlagsAt(frame: Uint8Array): number {
  return ETHERNET_BYTES + ((frame[14] as number) & 15) * 4 + 13;
}

/** Parsing every frame would take too long. */
function mayBeSyn(frame: Uint8Array): boolean {
  const isIpv4 = frame[12] === 0x08 && frame[13] === 0x00;
  if (!isIpv4 || frame.length < 54 || frame[23] !== 6) return false;
  return ((frame[tcpFlagsAt(frame)] as number) & TCP_SYN) !== 0;
}

/** Text, SYN or FIN, or something that is not TCP over IPv4. */
function isDemanding(frame: Uint8Array): boolean {
  const isIpv4 = frame[12] === 0x08 && frame[13] === 0x00;
  if (!isIpv4 || frame.length < 54 || frame[23] !== 6) return true;
  const ipBytes = ((frame[14] as number) & 15) * 4;
  const totalBytes = (frame[16] as number) * 256 + (frame[17] as number);
  const tcp = ETHERNET_BYTES + ipBytes;
  const tcpBytes = ((frame[tcp + 12] as number) >> 4) * 4;
  const hasText = totalBytes > ipBytes + tcpBytes;
  return hasText || ((frame[tcp + 13] as number) & (TCP_SYN | TCP_FIN)) !== 0;
}

/** Data and FIN: nothing may be sent beyond a FIN. */
function checkReach(
  flow: Flow,
  tcp: TcpHeader,
  bytes: number,
  name: string,
  fail: (invariant: Invariant, detail: string) => never,
): void {
  const end = (tcp.sequence + bytes + ((tcp.flags & TCP_SYN) !== 0 ? 1 : 0)) >>> 0;
  if (flow.fin !== undefined && distance(end, flow.fin) > 0) {
    // The FIN's own number is what bare segments after it begin at.
    const bare = bytes === 0 && distance(end, flow.fin) === 1;
    if (!bare) fail("after-fin", `${name}: data up to ${distance(end, flow.fin)} beyond the FIN`);
  }
  if ((tcp.flags & TCP_FIN) !== 0) {
    if (flow.fin !== undefined && flow.fin !== end) {
      fail("after-fin", `${name}: the FIN moved by ${distance(end, flow.fin)}`);
    }
    flow.fin = end;
  }
  const reach = (end + ((tcp.flags & TCP_FIN) !== 0 ? 1 : 0)) >>> 0;
  if (distance(reach, flow.sendMax) > 0) flow.sendMax = reach;
}

function checkAcknowledgment(
  flow: Flow,
  peer: Flow | undefined,
  tcp: TcpHeader,
  name: string,
  fail: (invariant: Invariant, detail: string) => never,
): void {
  const { acknowledgment } = tcp;
  if (flow.acknowledgment !== undefined && distance(acknowledgment, flow.acknowledgment) < 0) {
    const back = distance(flow.acknowledgment, acknowledgment);
    fail("acknowledgment", `${name}: the acknowledgment went back by ${back}`);
  }
  flow.acknowledgment = acknowledgment;
  if (peer !== undefined && !peer.reused && distance(acknowledgment, peer.sendMax) > 0) {
    const beyond = distance(acknowledgment, peer.sendMax);
    fail("acknowledgment", `${name}: acknowledges ${beyond} beyond what the peer has sent`);
  }
}

function checkEdge(
  flow: Flow,
  heard: Offer | undefined,
  tcp: TcpHeader,
  name: string,
  fail: (invariant: Invariant, detail: string) => never,
): void {
  const { acknowledgment } = tcp;
  // The window of a SYN is not scaled (RFC 7323 section 2.2).
  if ((tcp.flags & TCP_SYN) !== 0) return;
  const scale = heard?.scale === undefined ? 0 : (flow.offer.scale ?? 0);
  const edge = (acknowledgment + tcp.window * 2 ** scale) >>> 0;
  if (flow.edge !== undefined) {
    const retracted = distance(flow.edge, edge);
    // Rounding to the scale may show the edge a little to the left (RFC 7323 section 2.4).
    if (retracted >= 2 ** scale) {
      fail("window-retracted", `${name}: the right edge went back by ${retracted}`);
    }
    if (retracted > 0) return;
  }
  flow.edge = edge;
}
