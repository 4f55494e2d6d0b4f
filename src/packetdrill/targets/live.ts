/**
 * The machine's kernel as the system under test, over a TUN device in a network of this thread's own.
 * Waiting stops the thread, so that packets get the time at which they came; a process that runs
 * this should do nothing else.
 */
import { writeFileSync } from "node:fs";
import { release } from "node:os";
import { ppoll, Struct } from "../../../shims/libc";
import { encodePoll } from "../../../shims/sockets/readiness";
import { configureTun } from "../../../shims/tun/configure";
import { enterNewNetwork } from "../../../shims/tun/namespace";
import { Tun } from "../../../shims/tun/tun";
import { runAtOnce } from "../../../shims/tun/urgency";
import { DemibunError } from "../../errors";
import { LiveCalls } from "./live/calls";
import { runCommand } from "./live/command";
import { LiveDescriptors } from "./live/descriptors";
import { type Operation, POLLIN } from "./live/operation";
import { socketSnapshot } from "./live/tcp-info";
import {
  type BegunCall,
  type Call,
  type CallResult,
  type PollEntry,
  type SentPacket,
  type Target,
  type TargetOptions,
  UnsupportedError,
} from "./target";

const DEVICE = "tun0";
/** A readiness that lets no call go on is looked at again only after this. */
const STALLED_US = 200;
const PROTOCOL_IGMP = 2;
const NEXT_HEADER_HOP_BY_HOP = 0;
const PROTOCOL_ICMPV6 = 58;
const ROUTER_SOLICITATION = 133;
const NEIGHBOUR_ADVERTISEMENT = 136;

/**
 * What a new network takes over from the machine's: Linux's own sizes, and the one congestion control
 * that every kernel allows in every network.
 */
const defaults: Readonly<Record<string, string>> = {
  tcp_congestion_control: "reno",
  tcp_rmem: "4096 131072 6291456",
  tcp_wmem: "4096 16384 4194304",
};

function restoreDefaults(): void {
  for (const [name, value] of Object.entries(defaults)) {
    writeFileSync(`/proc/sys/net/ipv4/${name}`, value);
  }
}

/** Says whether the kernel sent this for itself: group membership, neighbour discovery. */
function isHousekeeping(packet: Uint8Array): boolean {
  const [first = 0] = packet;
  if (first >>> 4 === 4) return packet[9] === PROTOCOL_IGMP;
  const next = packet[6];
  if (next === NEXT_HEADER_HOP_BY_HOP) return packet[40] === PROTOCOL_ICMPV6;
  const type = packet[40] ?? 0;
  const isDiscovery = type >= ROUTER_SOLICITATION && type <= NEIGHBOUR_ADVERTISEMENT;
  return next === PROTOCOL_ICMPV6 && isDiscovery;
}

/** A call that the script waits for. */
class LiveCall implements BegunCall {
  result: CallResult | undefined;
  returnedUs = 0;
  readonly operation: Operation;
  readonly deadlineUs: number;
  #last: CallResult;

  constructor(operation: Operation, nowUs: () => number) {
    this.operation = operation;
    this.deadlineUs = nowUs() + operation.timeoutUs;
    this.#last = operation.attempt();
    const waits = operation.isBlocking && operation.mustWait(this.#last);
    if (!waits) this.#return(this.#last, nowUs());
  }

  /** Tries again; says whether it has returned. */
  advance(nowUs: () => number): boolean {
    this.#last = this.operation.attempt();
    const isOver = nowUs() >= this.deadlineUs || !this.operation.mustWait(this.#last);
    if (isOver) this.#return(this.#last, nowUs());
    return isOver;
  }

  #return(result: CallResult, atUs: number): void {
    this.result = result;
    this.returnedUs = atUs;
  }
}

export class LiveTarget implements Target {
  readonly name = `Linux ${release().split(".").slice(0, 2).join(".")}`;
  /** More than in virtual time: other programs want the processors too. */
  readonly toleranceUs = 10_000;
  /** Beyond the longest delayed acknowledgment of a quick connection. */
  readonly settleUs = 60_000;
  readonly #directory: string;
  readonly #tun: Tun;
  readonly #descriptors = new LiveDescriptors();
  readonly #calls = new LiveCalls(this.#descriptors);
  readonly #sent: SentPacket[] = [];
  #blocked: LiveCall[] = [];
  #isStalled = false;
  #startMs = performance.now();
  readonly #now = () => this.nowUs();
  /** struct timespec. */
  readonly #timeout = new Struct(16);

  /**
   * Leaves this thread's network for a new one, with a TUN device that has the script's address.
   * Commands run in `directory`. Throws EPERM, EACCES or ENOENT, with the command that mends it; `UnsupportedError`
   * for an address or an MTU that the kernel refuses.
   */
  constructor(options: TargetOptions, directory = ".") {
    this.#directory = directory;
    enterNewNetwork();
    runAtOnce();
    restoreDefaults();
    this.#tun = new Tun(DEVICE);
    try {
      this.#configure(options);
    } catch (error) {
      this.#tun[Symbol.dispose]();
      if (!(error instanceof DemibunError)) throw error;
      throw new UnsupportedError(`this kernel takes no such network: ${error.message}`);
    }
  }

  #configure(options: TargetOptions): void {
    configureTun(DEVICE, {
      family: options.ipVersion === 4 ? "ipv4" : "ipv6",
      address: options.localAddress,
      prefix: options.prefix,
      mtu: options.mtu,
    });
  }

  async command(text: string): Promise<void> {
    await runCommand(text, this.#directory, () => this.#step(0));
  }

  async start(): Promise<void> {
    this.#drain();
    this.#sent.length = 0;
    this.#startMs = performance.now();
  }

  nowUs(): number {
    return Math.floor((performance.now() - this.#startMs) * 1000);
  }

  inject(packet: Uint8Array): void {
    this.#tun.write(packet);
    this.#drain();
    this.#advance();
  }

  async nextPacket(untilUs: number): Promise<SentPacket | undefined> {
    while (this.#sent.length === 0 && this.nowUs() < untilUs) this.#step(untilUs);
    return this.#sent.shift();
  }

  async sleepUntil(us: number): Promise<void> {
    while (this.nowUs() < us) this.#step(us);
  }

  async waitFor(call: BegunCall, untilUs: number): Promise<void> {
    while (call.result === undefined && this.nowUs() < untilUs) this.#step(untilUs);
  }

  begin(call: Call): BegunCall {
    const begun = new LiveCall(this.#calls.operation(call), this.#now);
    this.#drain();
    // It may be what another one waits for.
    this.#advance();
    if (begun.result === undefined) this.#blocked.push(begun);
    return begun;
  }

  snapshot(fd: number): ReadonlyMap<string, number> {
    return socketSnapshot(fd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#blocked = [];
    this.#descriptors[Symbol.dispose]();
    this.#tun[Symbol.dispose]();
  }

  /** Waits once, for a packet, for a blocked call's descriptor, or for the time. */
  #step(untilUs: number): void {
    const waits: PollEntry[] = [{ fd: this.#tun.fd, events: POLLIN }];
    if (!this.#isStalled) waits.push(...this.#blocked.flatMap(({ operation }) => operation.waits));
    const deadlines = this.#blocked.map(({ deadlineUs }) => deadlineUs);
    const leftUs = Math.max(0, Math.min(untilUs, ...deadlines) - this.nowUs());
    const waitUs = this.#isStalled ? Math.min(leftUs, STALLED_US) : leftUs;
    this.#timeout.view.setBigInt64(0, BigInt(Math.floor(waitUs / 1e6)), true);
    this.#timeout.view.setBigInt64(8, BigInt(Math.floor((waitUs % 1e6) * 1000)), true);
    const ready = ppoll(encodePoll(waits), waits.length, this.#timeout);
    const isHeard = this.#drain();
    const hasReturned = this.#advance();
    this.#isStalled = ready > 0 && !isHeard && !hasReturned;
  }

  /** Tries the blocked calls again; says whether any has returned. */
  #advance(): boolean {
    const count = this.#blocked.length;
    this.#blocked = this.#blocked.filter((call) => !call.advance(this.#now));
    return this.#blocked.length < count;
  }

  /** Takes what the kernel has sent, with the present time; says whether there was anything. */
  #drain(): boolean {
    const timeUs = this.nowUs();
    let isHeard = false;
    for (;;) {
      const bytes = this.#tun.read();
      if (bytes === undefined) return isHeard;
      isHeard = true;
      if (!isHousekeeping(bytes)) this.#sent.push({ timeUs, bytes });
    }
  }
}
