/**
 * What a script believes of its descriptors. Underneath none of them blocks, so that a call of the
 * script that does can be waited for while packets come and go.
 */
import { close, SOL_SOCKET, type Struct, setsockopt, wordStruct } from "../../../../shims/libc";
import { encodeSocketAddress } from "../../../../shims/sockets/address";
import type { SocketAddress } from "../target";

const SO_LINGER = 13;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;

export interface Descriptor {
  /** Whether its addresses are IPv6, so that an IPv4 one has to be mapped (RFC 4291 section 2.5.5.2). */
  readonly isIpv6: boolean;
  /** Whether the script set O_NONBLOCK. */
  isNonBlocking: boolean;
  /** SO_RCVTIMEO and SO_SNDTIMEO; infinite when they are not set. */
  receiveTimeoutUs: number;
  sendTimeoutUs: number;
  /** SO_LINGER's time while that is on. */
  lingerSeconds: number;
}

/** struct timeval; all zero is for ever. */
function timeoutOf(value: Uint8Array): number {
  if (value.length < 16) return Number.POSITIVE_INFINITY;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const us = Number(view.getBigInt64(0, true)) * 1e6 + Number(view.getBigInt64(8, true));
  return us === 0 ? Number.POSITIVE_INFINITY : us;
}

export class LiveDescriptors implements Disposable {
  readonly #known = new Map<number, Descriptor>();

  /** Takes note of a new descriptor; what failed to open is none. */
  add(fd: number, isNonBlocking: boolean, isIpv6 = false): void {
    if (fd < 0) return;
    this.#known.set(fd, {
      isIpv6,
      isNonBlocking,
      receiveTimeoutUs: Number.POSITIVE_INFINITY,
      sendTimeoutUs: Number.POSITIVE_INFINITY,
      lingerSeconds: 0,
    });
  }

  /** Undefined for a descriptor that is not the script's. */
  get(fd: number): Descriptor | undefined {
    return this.#known.get(fd);
  }

  isBlocking(fd: number): boolean {
    return this.#known.get(fd)?.isNonBlocking === false;
  }

  /** An address as the descriptor's family has it. */
  encode(fd: number, address: SocketAddress): Struct {
    const isMapped = address.family === "ipv4" && this.#known.get(fd)?.isIpv6 === true;
    if (!isMapped) return encodeSocketAddress(address);
    const mapped = `::ffff:${address.address}`;
    return encodeSocketAddress({ family: "ipv6", address: mapped, port: address.port });
  }

  forget(fd: number): void {
    this.#known.delete(fd);
  }

  /** Learns from a setsockopt that succeeded. */
  learn(fd: number, option: number, value: Uint8Array): void {
    const descriptor = this.#known.get(fd);
    if (descriptor === undefined) return;
    if (option === SO_RCVTIMEO) descriptor.receiveTimeoutUs = timeoutOf(value);
    if (option === SO_SNDTIMEO) descriptor.sendTimeoutUs = timeoutOf(value);
    if (option !== SO_LINGER || value.length < 8) return;
    const view = new DataView(value.buffer, value.byteOffset, value.length);
    descriptor.lingerSeconds = view.getInt32(0, true) === 0 ? 0 : view.getInt32(4, true);
  }

  /** Closes all that is left, at once: a lingering close would stop this thread. */
  [Symbol.dispose](): void {
    const abort = wordStruct(1, 0);
    for (const fd of this.#known.keys()) {
      setsockopt(fd, SOL_SOCKET, SO_LINGER, abort);
      close(fd);
    }
    this.#known.clear();
  }
}
