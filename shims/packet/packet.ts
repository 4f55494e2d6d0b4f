/**
 * A packet socket with a virtio header before every packet (packet(7), linux/if_packet.h). A filter
 * takes only what concerns our own address; the kernel sees the same packets, so this address must
 * not be one of the kernel's own.
 */
import { ERRNO_EPERM } from "../../assembly/layout";
import { DemibunError } from "../../src/errors";
import { CallBackend } from "../call-backend";
import type { Backend, BackendDefinition, BackendOptions, Probe, RingPlaces } from "../contract";
import { addressBytes, bringUp, interfaceFacts } from "../interface";
import {
  AF_PACKET,
  bind,
  close,
  getsockopt,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
  Struct,
  setsockopt,
  socket,
  wordStruct,
} from "../libc";
import type { DeviceRings } from "../ring";
import { CHAIN_MAX } from "../vectors";
import { attachFilter } from "./filter";
import { PacketReceiver } from "./receive";
import { PacketTransmitter } from "./transmit";

const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_STATISTICS = 6;
const PACKET_VNET_HDR = 15;
const PACKET_QDISC_BYPASS = 20;
const PACKET_IGNORE_OUTGOING = 23;
const PACKET_MR_UNICAST = 3;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;

const ETH_P_ALL = 3;
const SOCKET_BUFFER_BYTES = 8 << 20;
const SEGMENT_MAX = 65_535;
/** Twenty-eight super-frames; a batch of them asks for sixteen. */
const POSTED_MAX = 1024;

class PacketSocket extends CallBackend {
  override readonly name = "packet";
  #kernelDropped = 0;

  protected override connect(rings: DeviceRings, places: RingPlaces) {
    const receiver = new PacketReceiver(this.readiness, rings, places);
    return { receiver, transmitter: new PacketTransmitter(this.readiness, rings, places) };
  }

  override statistics(): Readonly<Record<string, number>> {
    if (this.open) {
      // struct tpacket_stats: packets and drops, both reset by reading them.
      const counts = wordStruct(0, 0);
      getsockopt(this.readiness, SOL_PACKET, PACKET_STATISTICS, counts);
      this.#kernelDropped += counts.view.getUint32(4, true);
    }
    return { ...super.statistics(), rxKernelDropped: this.#kernelDropped };
  }

  override [Symbol.dispose](): void {
    // The last look at the kernel's own count.
    this.statistics();
    super[Symbol.dispose]();
  }
}

function failure(errno: number, detail?: string): DemibunError {
  const hint =
    Math.abs(errno) === ERRNO_EPERM
      ? "run as root, or once: setcap cap_net_raw,cap_net_admin+ep $(readlink -f $(which bun)); " +
        "raw_socket.backend: tap needs no privilege"
      : undefined;
  return new DemibunError({ operation: "open packet", errno, detail, hint });
}

function openSocket(): number {
  // Protocol 0 receives nothing until the socket is bound, so nothing slips past the filter.
  return socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

function set(fd: number, name: number, value: Struct, what: string): void {
  const result = setsockopt(fd, SOL_PACKET, name, value);
  if (result < 0) throw failure(result, `the packet socket does not take ${what}`);
}

/** struct sockaddr_ll for every protocol on one interface. */
function linkAddress(index: number): Struct {
  const address = new Struct(20);
  address.view.setUint16(0, AF_PACKET, true);
  address.view.setUint16(2, ETH_P_ALL);
  address.view.setUint32(4, index, true);
  return address;
}

/** Makes the device take frames for another MAC than its own: struct packet_mreq. */
function addMac(fd: number, index: number, mac: Uint8Array): void {
  const membership = new Struct(16);
  membership.view.setUint32(0, index, true);
  membership.view.setUint16(4, PACKET_MR_UNICAST, true);
  membership.view.setUint16(6, mac.length, true);
  membership.bytes.set(mac, 8);
  set(fd, PACKET_ADD_MEMBERSHIP, membership, "a MAC address of its own");
}

/** The forced sizes pass the system's limit and need a privilege; else the limit rules. */
function setBuffers(fd: number): void {
  const size = wordStruct(SOCKET_BUFFER_BYTES);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size) < 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size);
  }
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, size) < 0) {
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, size);
  }
}

function openPacket(options: BackendOptions): Backend {
  const name = options.interfaceName;
  const address = addressBytes(options.address);
  const facts = interfaceFacts(name);
  const fd = openSocket();
  if (fd < 0) throw failure(fd, "a packet socket cannot be opened");
  try {
    const mac = options.mac ?? facts.mac;
    set(fd, PACKET_VNET_HDR, wordStruct(1), "virtio headers");
    set(fd, PACKET_IGNORE_OUTGOING, wordStruct(1), "the option to ignore what this host sends");
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, wordStruct(1));
    setBuffers(fd);
    const filtered = attachFilter(fd, address);
    if (filtered < 0) throw failure(filtered, "the socket filter is refused");
    if (Buffer.compare(mac, facts.mac) !== 0) addMac(fd, facts.index, mac);
    bringUp(name);
    const bound = bind(fd, linkAddress(facts.index));
    if (bound < 0) throw failure(bound, `the packet socket cannot be bound to ${name}`);
    return new PacketSocket(fd, {
      mac,
      mtu: Math.min(options.mtu ?? facts.mtu, facts.mtu),
      checksum: true,
      segmentMax: SEGMENT_MAX,
      chainMax: CHAIN_MAX,
      postedMax: POSTED_MAX,
      partialReceive: false,
      sharedRings: false,
    });
  } catch (error) {
    close(fd);
    throw error;
  }
}

function probe(): Probe {
  const fd = openSocket();
  if (fd >= 0) {
    close(fd);
    return { usable: true };
  }
  const { message, hint } = failure(fd, "a packet socket cannot be opened");
  return { usable: false, reason: message.split("\n")[0] as string, hint: hint ?? "run as root" };
}

export const packet: BackendDefinition = {
  name: "packet",
  summary: "a packet socket on any interface: needs CAP_NET_RAW and an address of its own",
  probe,
  open: openPacket,
};
