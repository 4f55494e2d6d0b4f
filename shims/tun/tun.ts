/**
 * A TUN or TAP device that carries whole packets without header and without offloads: what the kernel
 * sends can be read as it would stand on a wire, and what is written the kernel receives
 * (Documentation/networking/tuntap.rst, linux/if_tun.h).
 */
import {
  ERRNO_EACCES,
  ERRNO_EAGAIN,
  ERRNO_EBUSY,
  ERRNO_EINVAL,
  ERRNO_ENOENT,
  ERRNO_EPERM,
} from "../../assembly/layout";
import { DemibunError } from "../../src/errors";
import { interfaceRequest } from "../interface";
import { close, ioctl, O_CLOEXEC, O_NONBLOCK, O_RDWR, open, Struct } from "../libc";
import { read, write } from "../sockets/calls";

const DEVICE = "/dev/net/tun";
const TUNSETIFF = 0x400454ca;
const REQUEST_FLAGS = 16;
/** By what a device carries: IP packets, or Ethernet frames. */
const kinds = { tun: 0x0001, tap: 0x0002 } as const;
const IFF_NO_PI = 0x1000;
const PACKET_BYTES_MAX = 65_535;

type Kind = keyof typeof kinds;

function failure(errno: number, name: string, kind: Kind): DemibunError {
  const device = kind.toUpperCase();
  const hints: Record<number, string> = {
    [ERRNO_ENOENT]: "modprobe tun",
    [ERRNO_EACCES]: `chmod 0666 ${DEVICE}`,
    [ERRNO_EPERM]: "run as root, or inside a user namespace: unshare -Urn COMMAND",
    [ERRNO_EBUSY]: `another process has ${name} open: choose another name, or end that process`,
    [ERRNO_EINVAL]: `${name} exists and is no ${device} device: choose another name`,
  };
  const hint = hints[Math.abs(errno)];
  const detail = `the ${device} device "${name}" cannot be opened`;
  return new DemibunError({ operation: `open ${kind}`, errno, detail, hint });
}

export class Tun implements Disposable {
  readonly name: string;
  /** Becomes readable when a packet waits; reading it never blocks. */
  readonly fd: number;
  readonly #buffer = new Struct(PACKET_BYTES_MAX);

  /** Opens or creates the device in this thread's network. Throws EACCES, EPERM, EBUSY, EINVAL. */
  constructor(name: string, kind: Kind = "tun") {
    this.name = name;
    const request = interfaceRequest(name);
    request.view.setUint16(REQUEST_FLAGS, kinds[kind] | IFF_NO_PI, true);
    this.fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (this.fd < 0) throw failure(this.fd, name, kind);
    const attached = ioctl(this.fd, TUNSETIFF, request.address);
    if (attached < 0) {
      close(this.fd);
      throw failure(attached, name, kind);
    }
  }

  /** The oldest packet that the kernel sent, a copy; undefined when none waits. Throws EIO. */
  read(): Uint8Array | undefined {
    const length = read(this.fd, this.#buffer.address, PACKET_BYTES_MAX);
    if (length >= 0) return this.#buffer.bytes.slice(0, length);
    if (length === -ERRNO_EAGAIN) return undefined;
    throw new DemibunError({ operation: `read ${this.name}`, errno: length });
  }

  /** Lets the kernel receive a packet. Throws EIO when the device is down, EINVAL for no packet. */
  write(packet: Uint8Array): void {
    this.#buffer.bytes.set(packet);
    const written = write(this.fd, this.#buffer.address, packet.length);
    if (written < 0) throw new DemibunError({ operation: `write ${this.name}`, errno: written });
  }

  /** Removes the device with its addresses and routes. */
  [Symbol.dispose](): void {
    close(this.fd);
  }
}
