/** The remote end of a connection with the machine's kernel, its segments made by hand. */
import { buildIpv4, buildIpv6 } from "../../../src/packet/build";
import { buildTcp, type TcpFields } from "../../../src/packet/build-transport";
import { parseIp } from "../../../src/packet/parse";
import { PROTOCOL_TCP } from "../../../src/packet/protocols";
import { type Packet, TCP_ACK, TCP_SYN } from "../../../src/packet/types";
import { LiveTarget } from "../../../src/packetdrill/targets/live";
import type { Call, CallResult, SocketAddress } from "../../../src/packetdrill/targets/target";

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const PEER_PORT = 40_000;
const KERNEL_PORT = 8080;
const WAIT_US = 2_000_000;

const addresses = {
  4: { local: "192.168.0.1", remote: "192.0.2.1", prefix: 16 },
  6: { local: "fd00::1", remote: "2001:db8::1", prefix: 48 },
} as const;

export class Peer implements AsyncDisposable {
  readonly target: LiveTarget;
  readonly #version: 4 | 6;
  /** Our next sequence number, and the kernel's as far as we acknowledge it. */
  #next = 0;
  #acknowledged = 0;

  constructor(version: 4 | 6 = 4) {
    this.#version = version;
    const { local, remote, prefix } = addresses[version];
    this.target = new LiveTarget({
      ipVersion: version,
      localAddress: local,
      remoteAddress: remote,
      gatewayAddress: remote,
      prefix,
      mtu: 1500,
    });
  }

  get kernel(): SocketAddress {
    return this.#address(addresses[this.#version].local, KERNEL_PORT);
  }

  get remote(): SocketAddress {
    return this.#address(addresses[this.#version].remote, PEER_PORT);
  }

  #address(address: string, port: number): SocketAddress {
    return { family: this.#version === 4 ? "ipv4" : "ipv6", address, port };
  }

  /** Makes a call that must not block; its result. */
  call(call: Call): CallResult {
    const { result } = this.target.begin(call);
    if (result === undefined) throw new Error(`${call.name} blocks`);
    return result;
  }

  /** Makes a call that must succeed; its value. */
  value(call: Call): number {
    const { value, errno } = this.call(call);
    if (value < 0) throw new Error(`${call.name}: errno ${errno}`);
    return value;
  }

  socket(flags = 0): number {
    const domain = this.#version === 4 ? AF_INET : AF_INET6;
    return this.value({ name: "socket", domain, type: SOCK_STREAM | flags, protocol: 0 });
  }

  listener(flags = 0): number {
    const fd = this.socket(flags);
    this.value({ name: "bind", fd, address: this.kernel });
    this.value({ name: "listen", fd, backlog: 4 });
    return fd;
  }

  send(fields: Partial<TcpFields>, payload = new Uint8Array()): void {
    const { local, remote } = addresses[this.#version];
    const ends = { source: remote, destination: local };
    const header = {
      sourcePort: PEER_PORT,
      destinationPort: KERNEL_PORT,
      sequence: this.#next,
      acknowledgment: this.#acknowledged,
      flags: TCP_ACK,
      ...fields,
    };
    const segment = buildTcp(header, payload, ends);
    const build = this.#version === 4 ? buildIpv4 : buildIpv6;
    this.target.inject(build({ ...ends, protocol: PROTOCOL_TCP }, segment));
    this.#next += payload.length + ((header.flags & TCP_SYN) === 0 ? 0 : 1);
  }

  /** The kernel's next packet; its sequence space counts as acknowledged from now on. */
  async heard(): Promise<Packet> {
    const sent = await this.target.nextPacket(this.target.nowUs() + WAIT_US);
    if (sent === undefined) throw new Error("the kernel sends nothing");
    const packet = parseIp(sent.bytes);
    const { tcp } = packet;
    if (tcp !== undefined) {
      const control = (tcp.flags & 3) === 0 ? 0 : 1;
      this.#acknowledged = (tcp.sequence + packet.payload.length + control) >>> 0;
    }
    return packet;
  }

  /** Opens a connection to a `listener`; the descriptor that accept returns. */
  async connected(listener: number, flags = 0): Promise<number> {
    this.send({ flags: TCP_SYN, options: [{ kind: "mss", mss: 1000 }] });
    await this.heard();
    this.send({});
    return this.value({ name: "accept", fd: listener, flags });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.target[Symbol.asyncDispose]();
  }
}
