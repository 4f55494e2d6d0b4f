/**
 * TAP with a virtio header before every packet: super-frames of 64 KiB and checksums left to the
 * kernel both ways (Documentation/networking/tuntap.rst, linux/if_tun.h).
 */
import {
  ERRNO_EACCES,
  ERRNO_EBUSY,
  ERRNO_EINVAL,
  ERRNO_ENOENT,
  ERRNO_EPERM,
} from "../../assembly/layout";
import { DemibunError } from "../../src/errors";
import { CallBackend } from "../call-backend";
import type { Backend, BackendDefinition, BackendOptions, Probe, RingPlaces } from "../contract";
import { bringUp, interfaceFacts, interfaceRequest, randomMac, setQueueLength } from "../interface";
import { close, ioctl, O_CLOEXEC, O_NONBLOCK, O_RDWR, open, wordStruct } from "../libc";
import type { DeviceRings } from "../ring";
import { CHAIN_MAX } from "../vectors";
import { VIRTIO_HEADER_SIZE } from "../virtio";
import { TapReceiver } from "./receive";
import { WriteTransmitter } from "./transmit";

const DEVICE = "/dev/net/tun";
const TUNSETIFF = 0x400454ca;
const TUNSETVNETHDRSZ = 0x400454d8;
const TUNSETOFFLOAD = 0x400454d0;
const REQUEST_FLAGS = 16;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
/** TUN_F_CSUM, TSO4, TSO6, TSO_ECN; and the first alone where the rest is refused. */
const OFFLOADS = 0xf;
const OFFLOAD_CHECKSUM = 1;

/** The kernel drops what does not fit into its queue; its default of 1,000 loses bursts. */
const QUEUE_LENGTH_PACKETS = 10_000;
const SEGMENT_MAX = 65_535;
/** Fifteen super-frames, or many batches of small packets: a megabyte, which stays in the cache. */
const POSTED_MAX = 512;

class Tap extends CallBackend {
  override readonly name = "tap";

  protected override connect(rings: DeviceRings, places: RingPlaces) {
    const receiver = new TapReceiver(this.readiness, rings, places);
    return { receiver, transmitter: new WriteTransmitter(this.readiness, rings, places) };
  }
}

function failure(errno: number, name: string, detail?: string): DemibunError {
  const hints: Record<number, string> = {
    [ERRNO_ENOENT]: "modprobe tun",
    [ERRNO_EACCES]: `chmod 0666 ${DEVICE}`,
    [ERRNO_EPERM]:
      `run inside a user namespace (unshare -Urn), or once as root: ` +
      `ip tuntap add ${name} mode tap user ${process.getuid?.() ?? 0} vnet_hdr`,
    [ERRNO_EBUSY]: `another process has ${name} open: choose another name, or end that process`,
    [ERRNO_EINVAL]: `${name} exists and is no TAP device: choose another name`,
  };
  return new DemibunError({ operation: "open tap", errno, detail, hint: hints[Math.abs(errno)] });
}

/** Opens or creates the TAP; returns its descriptor. */
function openDevice(name: string): number {
  const request = interfaceRequest(name);
  request.view.setUint16(REQUEST_FLAGS, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, true);
  const fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) throw failure(fd, name, `${DEVICE} cannot be opened`);
  const attached = ioctl(fd, TUNSETIFF, request.address);
  if (attached < 0) {
    close(fd);
    throw failure(attached, name, `the TAP device "${name}" cannot be attached`);
  }
  return fd;
}

/** Sets the header's size and the offloads; returns which were taken, or -errno. */
function configure(fd: number): number {
  const headerSize = wordStruct(VIRTIO_HEADER_SIZE);
  const sized = ioctl(fd, TUNSETVNETHDRSZ, headerSize.address);
  if (sized < 0) return sized;
  for (const offloads of [OFFLOADS, OFFLOAD_CHECKSUM]) {
    if (ioctl(fd, TUNSETOFFLOAD, offloads) >= 0) return offloads;
  }
  return 0;
}

function openTap(options: BackendOptions): Backend {
  const name = options.interfaceName;
  const fd = openDevice(name);
  try {
    const offloads = configure(fd);
    if (offloads < 0) throw failure(offloads, name, "the TAP takes no virtio header");
    setQueueLength(name, QUEUE_LENGTH_PACKETS);
    bringUp(name);
    const mtu = interfaceFacts(name).mtu;
    // What we write may always carry offloads: they concern what the kernel hands to us.
    return new Tap(fd, {
      mac: options.mac ?? randomMac(),
      mtu: Math.min(options.mtu ?? mtu, mtu),
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
  const fd = open(DEVICE, O_RDWR | O_CLOEXEC);
  if (fd >= 0) {
    close(fd);
    return { usable: true };
  }
  const { message, hint } = failure(fd, "tap0", `${DEVICE} cannot be opened`);
  return { usable: false, reason: message.split("\n")[0] as string, hint: hint ?? "modprobe tun" };
}

export const tap: BackendDefinition = {
  name: "tap",
  summary:
    "a TAP device: fastest with peers on this machine, works without privilege in a namespace",
  probe,
  open: openTap,
};
