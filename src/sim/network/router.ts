/**
 * An IPv4 router (RFC 1812): longest prefix match, TTL, fragmentation or "fragmentation needed", ICMP
 * errors at a limited rate, and an answer to pings. Each of its interfaces is a station to link to.
 */
import { addressBytes } from "../../packet/address";
import { sumBytes } from "../../packet/checksum";
import { PROTOCOL_ICMP, PROTOCOL_UDP } from "../../packet/protocols";
import { ERRNO_EINVAL } from "../../../assembly/layout";
import { DemibunError } from "../../errors";
import type { Scheduler } from "../scheduler";
import type { DropReason, FrameListener } from "../trace";
import { fragment } from "./fragmentation";
import { ETHERNET_HEADER_BYTES, read16, read32, updateChecksum } from "./frame-fields";
import { RateLimit } from "./rate-limit";
import { echoReplyFrame, errorFrame, mayTellOf } from "./router-icmp";
import { RouterInterface } from "./router-interface";
import { maskOf, Routes } from "./routes";

const ip = ETHERNET_HEADER_BYTES;
const DONT_FRAGMENT = 0x4000;
const UNREACHABLE = 3;
const TIME_EXCEEDED = 11;
const NET = 0;
const HOST = 1;
const PROTOCOL = 2;
const PORT = 3;
const FRAGMENTATION_NEEDED = 4;

export interface RouterOptions {
  readonly trace?: FrameListener | undefined;
  /** Errors it sends at most, after a burst of `icmpErrorBurst` (RFC 1812 section 4.3.2.8). */
  readonly icmpErrorsPerSecond?: number;
  readonly icmpErrorBurst?: number;
}

export interface RouterInterfaceOptions {
  /** With the prefix of its network: `10.0.0.1/24`. */
  readonly address: string;
  /** Default: one made of the address. */
  readonly mac?: Uint8Array;
  /** Default 1500. */
  readonly mtu?: number;
}

export class Router {
  readonly name: string;
  readonly interfaces: RouterInterface[] = [];
  readonly #scheduler: Scheduler;
  readonly #trace: FrameListener | undefined;
  readonly #errorLimit: RateLimit;
  readonly #routes = new Routes<RouterInterface>();

  constructor(scheduler: Scheduler, name: string, options: RouterOptions = {}) {
    const { trace, icmpErrorsPerSecond = 100, icmpErrorBurst = 10 } = options;
    this.name = name;
    this.#scheduler = scheduler;
    this.#trace = trace;
    // The bucket holds errors instead of bytes.
    const errors = { bitsPerSecond: icmpErrorsPerSecond * 8, burstBytes: icmpErrorBurst };
    this.#errorLimit = new RateLimit(errors);
  }

  /** Adds an interface and the route to its network; a link is to be made to it. */
  addInterface({ address, mac, mtu = 1500 }: RouterInterfaceOptions): RouterInterface {
    const { host, network, prefixBits } = parsePrefix(this.name, address);
    const own = Uint8Array.of(0x02, 0xfe, host >>> 24, host >>> 16, host >>> 8, host);
    const added = new RouterInterface(
      this.#scheduler,
      `${this.name}.${this.interfaces.length}`,
      { address: host, prefixBits, mac: mac ?? own, mtu },
      {
        forward: (frame) => this.#receive(frame),
        drop: (frame, reason) => this.#drop(frame, reason),
        unreachable: (frame) => {
          this.#sendError(frame, UNREACHABLE, HOST);
          this.#drop(frame, "host unreachable");
        },
      },
    );
    this.interfaces.push(added);
    this.#routes.add({ network, prefixBits, exit: added, via: undefined });
    return added;
  }

  /** Sends what is for `destination`, a prefix as `10.1.0.0/16`, to the router at `via`. */
  addRoute(destination: string, via: string): void {
    const { network, prefixBits } = parsePrefix(this.name, destination);
    const next = read32(addressBytes(via), 0);
    const exit = this.#routes.find(next);
    if (exit === undefined || exit.via !== undefined) {
      throw refusal(this.name, `${via} is on none of its networks`);
    }
    this.#routes.add({ network, prefixBits, exit: exit.exit, via: next });
  }

  #receive(frame: Uint8Array): void {
    if (!isSound(frame)) {
      this.#drop(frame, "malformed");
      return;
    }
    const packet = frame.subarray(0, ip + read16(frame, ip + 2));
    const destination = read32(frame, ip + 16);
    if (this.interfaces.some(({ address }) => address === destination)) {
      this.#receiveOwn(packet);
    } else if (((frame[0] as number) & 1) === 0 && !this.#isGroup(destination)) {
      // What came to a group of stations is not passed on (RFC 1812 section 5.3.4).
      this.#forward(packet, destination);
    }
  }

  #isGroup(address: number): boolean {
    return address >= 0xe0000000 || this.interfaces.some(({ broadcast }) => broadcast === address);
  }

  /** Answers pings; no port and no other protocol is open here (RFC 1122 section 3.2.2.1). */
  #receiveOwn(frame: Uint8Array): void {
    const reply = echoReplyFrame(frame);
    if (reply !== undefined) this.#send(reply);
    else if (frame[ip + 9] === PROTOCOL_UDP) this.#sendError(frame, UNREACHABLE, PORT);
    else if (frame[ip + 9] !== PROTOCOL_ICMP) this.#sendError(frame, UNREACHABLE, PROTOCOL);
  }

  #forward(frame: Uint8Array, destination: number): void {
    const ttl = frame[ip + 8] as number;
    if (ttl <= 1) {
      this.#sendError(frame, TIME_EXCEEDED, 0);
      this.#drop(frame, "ttl exceeded");
      return;
    }
    const route = this.#routes.find(destination);
    if (route === undefined) {
      this.#sendError(frame, UNREACHABLE, NET);
      this.#drop(frame, "no route");
      return;
    }
    const { exit, via = destination } = route;
    const tooBig = frame.length - ip > exit.mtu;
    if (tooBig && (read16(frame, ip + 6) & DONT_FRAGMENT) !== 0) {
      this.#sendError(frame, UNREACHABLE, FRAGMENTATION_NEEDED, exit.mtu);
      this.#drop(frame, "too big");
      return;
    }
    const before = read16(frame, ip + 8);
    frame[ip + 8] = ttl - 1;
    updateChecksum(frame, ip + 10, before, before - 0x100);
    const pieces = tooBig ? fragment(frame, exit.mtu) : [frame];
    for (const piece of pieces) exit.send(piece, via);
  }

  /** Sends an ICMP error about a packet, where that is allowed and not too much (section 4.3.2). */
  #sendError(frame: Uint8Array, type: number, code: number, rest = 0): void {
    if (!mayTellOf(frame) || !this.#errorLimit.take(1, this.#scheduler.nowNs)) return;
    const route = this.#routes.find(read32(frame, ip + 12));
    if (route !== undefined) this.#send(errorFrame(frame, route.exit.address, [type, code, rest]));
  }

  /** Sends a packet of its own. */
  #send(frame: Uint8Array): void {
    const destination = read32(frame, ip + 16);
    const route = this.#routes.find(destination);
    if (route === undefined) this.#drop(frame, "no route");
    else route.exit.send(frame, route.via ?? destination);
  }

  #drop(frame: Uint8Array, reason: DropReason): void {
    const { name: station } = this;
    const direction = `>${station}`;
    const timeNs = this.#scheduler.nowNs;
    this.#trace?.({ timeNs, what: "dropped", direction, station, frame, reason });
  }
}

/** A whole IPv4 packet with a good header (RFC 1812 section 5.2.2). */
function isSound(frame: Uint8Array): boolean {
  if (frame.length < ip + 20 || (frame[ip] as number) >>> 4 !== 4) return false;
  const headerBytes = ((frame[ip] as number) & 15) * 4;
  const totalBytes = read16(frame, ip + 2);
  if (headerBytes < 20 || totalBytes < headerBytes || ip + totalBytes > frame.length) return false;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return sumBytes(view, ip, ip + headerBytes) === 0xffff;
}

function refusal(name: string, detail: string): DemibunError {
  const hint = "write an IPv4 address and its prefix, as 10.0.0.1/24";
  return new DemibunError({ operation: `router ${name}`, errno: ERRNO_EINVAL, detail, hint });
}

/** `a.b.c.d/n`; without the prefix, the one host. */
function parsePrefix(name: string, text: string) {
  const [address = "", bits = "32", ...rest] = text.split("/");
  const prefixBits = /^\d{1,2}$/.test(bits) ? Number(bits) : 33;
  if (prefixBits > 32 || rest.length > 0 || !/^\d+(\.\d+){3}$/.test(address)) {
    throw refusal(name, `"${text}" is no prefix`);
  }
  const host = read32(addressBytes(address), 0);
  return { host, network: (host & maskOf(prefixBits)) >>> 0, prefixBits };
}
