/** What must hold for every frame that a host sends, seen from the wire alone. */
import { parseFrame } from "../../packet/parse";
import type { Packet, TcpHeader } from "../../packet/types";
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from "../../packet/types";
import type { Host } from "../host";
import type { FrameEvent } from "../trace";
import { type Invariant, InvariantError } from "./invariant-error";

/** One direction of a connection, as its sender's segments tell it. */
interface Flow {
  readonly isn: number;
  /** The sender's boot: after a crash the numbers start anew. */
  readonly boots: number;
  /** From the sender's SYN. */
  readonly mss: number;
  readonly scale: number | undefined;
  /** The receiver's port has been used before with another sequence. */
  readonly reused: boolean;
  sendMax: number;
  fin: number | undefined;
  acknowledgment: number | undefined;
  edge: number | undefined;
}

interface Rate {
  second: number;
  controls: number;
  triggers: number;
}

const ETHERNET_BYTES = 14;
/** RFC 9293 section 3.7.1 for a peer that announced none. */
const MSS_DEFAULT = 536;
/** Bare segments a host may send in a second whatever it receives: timers, probes, closes. */
const CONTROLS_MAX = 400;
const CONTROLS_PER_TRIGGER = 3;

function distance(left: number, right: number): number {
  return (left - right) | 0;
}

export class FrameChecks {
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #flows = new Map<string, Flow>();
  readonly #rates = new Map<string, Rate>();

  constructor(hosts: ReadonlyMap<string, Host>) {
    this.#hosts = hosts;
  }

  /** `sent` and `delivered` events of hosts. */
  check(event: FrameEvent): void {
    const host = this.#hosts.get(event.station);
    if (host === undefined) return;
    if (event.what === "delivered") {
      this.#rate(event).triggers++;
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
    this.#checkRate(event, packet.tcp, packet.payload.length, fail);
    this.#checkSegment(host, packet, packet.tcp, fail);
  }

  #rate(event: FrameEvent): Rate {
    const second = Math.floor(event.timeNs / 1e9);
    const rate = this.#rates.get(event.station);
    if (rate?.second === second) return rate;
    const fresh = { second, controls: 0, triggers: 0 };
    this.#rates.set(event.station, fresh);
    return fresh;
  }

  /** Bare segments answer something; two hosts that answer each other's answers never stop. */
  #checkRate(
    event: FrameEvent,
    tcp: TcpHeader,
    bytes: number,
    fail: (invariant: Invariant, detail: string) => never,
  ): void {
    if (bytes > 0 || (tcp.flags & (TCP_SYN | TCP_FIN)) !== 0) return;
    const rate = this.#rate(event);
    rate.controls++;
    const allowed = CONTROLS_MAX + rate.triggers * CONTROLS_PER_TRIGGER;
    if (rate.controls > allowed) {
      fail("storm", `${rate.controls} bare segments within a second, ${rate.triggers} frames came`);
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
    const peer = this.#flows.get(`${there} > ${here}`);
    if ((tcp.flags & TCP_SYN) !== 0) this.#open(host, name, tcp);
    const flow = this.#flows.get(name);
    // A reset may carry another connection's numbers (RFC 9293 section 3.10.7.1).
    if (flow === undefined || (tcp.flags & TCP_RST) !== 0) return;
    if (payload.length > (peer?.mss ?? MSS_DEFAULT)) {
      fail("segment-size", `${name}: ${payload.length} bytes, the peer's MSS is ${peer?.mss}`);
    }
    checkReach(flow, tcp, payload.length, name, fail);
    if ((tcp.flags & TCP_ACK) !== 0) checkAcknowledgment(flow, peer, tcp, name, fail);
  }

  #open(host: Host, name: string, tcp: TcpHeader): void {
    const before = this.#flows.get(name);
    if (before?.isn === tcp.sequence && before.boots === host.boots) return;
    let mss = MSS_DEFAULT;
    let scale: number | undefined;
    for (const option of tcp.options) {
      if (option.kind === "mss") mss = option.mss;
      else if (option.kind === "wscale") scale = option.shift;
    }
    this.#flows.set(name, {
      isn: tcp.sequence,
      boots: host.boots,
      mss,
      scale,
      reused: before !== undefined,
      sendMax: tcp.sequence,
      fin: undefined,
      acknowledgment: undefined,
      edge: undefined,
    });
  }
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
  // The window of a SYN is not scaled (RFC 7323 section 2.2).
  if ((tcp.flags & TCP_SYN) !== 0) return;
  const scale = peer?.scale === undefined ? 0 : (flow.scale ?? 0);
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
