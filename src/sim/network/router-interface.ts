/** One interface of a router: a station of its own on a link, with address, ARP and MTU. */
import { frameArp } from "../../packet/build";
import { ipv4Text } from "../../packet/address";
import { parseFrame } from "../../packet/parse";
import { ETHERTYPE_ARP, ETHERTYPE_IPV4 } from "../../packet/protocols";
import type { Scheduler } from "../scheduler";
import type { Port, Station } from "../station";
import type { DropReason } from "../trace";
import { ETHERNET_HEADER_BYTES, frameType, read32 } from "./frame-fields";
import { Neighbours } from "./neighbours";
import { maskOf } from "./routes";

const everybody = new Uint8Array(6).fill(0xff);
const nobody = new Uint8Array(6);
const arpRequest = 1;
const arpReply = 2;

export interface InterfaceAddress {
  readonly address: number;
  readonly prefixBits: number;
  readonly mac: Uint8Array;
  /** Largest IP packet that leaves here. */
  readonly mtu: number;
}

/** What an interface hands to its router. */
export interface RouterSide {
  /** An IPv4 frame that came in. */
  forward(frame: Uint8Array): void;
  drop(frame: Uint8Array, reason: DropReason): void;
  /** A packet whose next hop does not answer. */
  unreachable(frame: Uint8Array): void;
}

export class RouterInterface implements Station {
  readonly name: string;
  readonly address: number;
  readonly prefixBits: number;
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly #router: RouterSide;
  readonly #neighbours: Neighbours;
  #port: Port | undefined;

  constructor(
    scheduler: Scheduler,
    name: string,
    { address, prefixBits, mac, mtu }: InterfaceAddress,
    router: RouterSide,
  ) {
    this.name = name;
    this.address = address;
    this.prefixBits = prefixBits;
    this.mac = mac;
    this.mtu = mtu;
    this.#router = router;
    this.#neighbours = new Neighbours(scheduler, {
      ask: (target) => this.#sendArp(arpRequest, everybody, nobody, target),
      transmit: (frame) => this.#transmit(frame),
      drop: (frame, reason) => router.drop(frame, reason),
      unreachable: (frame) => router.unreachable(frame),
    });
  }

  plug(port: Port): void {
    this.#port = port;
  }

  /** The broadcast address of its network; of two addresses none is (RFC 3021). */
  get broadcast(): number | undefined {
    if (this.prefixBits > 30) return undefined;
    return (this.address | ~maskOf(this.prefixBits)) >>> 0;
  }

  receive(frame: Uint8Array): void {
    if (!this.#isForUs(frame)) return;
    const type = frameType(frame);
    if (type === ETHERTYPE_ARP) this.#receiveArp(frame);
    else if (type === ETHERTYPE_IPV4) this.#router.forward(frame);
    else if (((frame[0] as number) & 1) === 0) this.#router.drop(frame, "no route");
  }

  /** Sends an IPv4 frame to the station with this address; the Ethernet addresses are filled in. */
  send(frame: Uint8Array, nextHop: number): void {
    frame.set(this.mac, 6);
    this.#neighbours.send(frame, nextHop);
  }

  #transmit(frame: Uint8Array): void {
    if (this.#port === undefined) this.#router.drop(frame, "link down");
    else this.#port.send(frame);
  }

  /** To its own address or to a group. */
  #isForUs(frame: Uint8Array): boolean {
    if (frame.length < ETHERNET_HEADER_BYTES) return false;
    if (((frame[0] as number) & 1) === 1) return true;
    return this.mac.every((byte, index) => frame[index] === byte);
  }

  #receiveArp(frame: Uint8Array): void {
    const { arp, problems } = parseFrame(frame);
    if (arp === undefined || problems.length > 0) return;
    const sender = read32(frame, ETHERNET_HEADER_BYTES + 14);
    const target = read32(frame, ETHERNET_HEADER_BYTES + 24);
    const toUs = target === this.address;
    this.#neighbours.learn(sender, arp.senderMac, toUs);
    if (toUs && arp.operation === arpRequest) {
      this.#sendArp(arpReply, arp.senderMac, arp.senderMac, sender);
    }
  }

  #sendArp(operation: number, to: Uint8Array, targetMac: Uint8Array, target: number): void {
    const arp = {
      operation,
      senderMac: this.mac,
      senderAddress: ipv4Text(this.address),
      targetMac,
      targetAddress: ipv4Text(target),
    };
    this.#transmit(frameArp(to, arp));
  }
}
