/**
 * A UDP socket with the kernel's manners. A pop always waits in the stack, and what it brings is
 * kept here until a call reads it: a datagram queue promises no window that this could change.
 */
import {
  ERRNO_EDESTADDRREQ,
  ERRNO_ENOBUFS,
  ERRNO_ENOTCONN,
  ERRNO_EOPNOTSUPP,
  KIND_DATAGRAM,
} from "../../../assembly/layout";
import { parseIpv4 } from "../../wasm/address";
import {
  MSG_TRUNC,
  POLLERR,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
} from "./stack-linux";
import type { StackMachine } from "./stack-machine";
import { failure, type KernelSocket, success, type SendOptions } from "./stack-socket";
import type { CallResult, SocketAddress } from "./target";

interface Datagram {
  readonly data: Uint8Array;
  readonly from: SocketAddress;
}

export class DatagramSocket implements KernelSocket {
  readonly kind = "datagram";
  readonly qd: number;
  readonly #machine: StackMachine;
  readonly #waiting: Datagram[] = [];
  #popping: number | undefined;
  #isConnected = false;
  #isShut = false;
  #error = 0;
  #arrived = 0;

  constructor(machine: StackMachine, qd: number) {
    this.#machine = machine;
    this.qd = qd;
  }

  static open(machine: StackMachine): DatagramSocket | number {
    const qd = machine.stack.exports.socket(KIND_DATAGRAM);
    return qd < 0 ? -qd : new DatagramSocket(machine, qd);
  }

  bind(address: SocketAddress): CallResult {
    const { stack } = this.#machine;
    stack.writeAddress(parseIpv4(address.address, "bind"));
    const errno = -stack.exports.bind(this.qd, address.port);
    if (errno > 0) return failure(errno);
    this.#collect();
    return success(0);
  }

  listen(): CallResult {
    return failure(ERRNO_EOPNOTSUPP);
  }

  accept(): CallResult {
    return failure(ERRNO_EOPNOTSUPP);
  }

  connect(address: SocketAddress): CallResult {
    const { stack } = this.#machine;
    stack.writeAddress(parseIpv4(address.address, "connect"));
    const token = stack.exports.connect(this.qd, address.port);
    if (token < 0) return failure(-token);
    this.#machine.ignore(token);
    this.#machine.flush();
    this.#isConnected = true;
    this.#collect();
    return success(0);
  }

  /** Takes what has arrived and lets the next pop wait. */
  #collect(): void {
    for (;;) {
      if (this.#popping === undefined) {
        const token = this.#machine.stack.exports.pop(this.qd, 0);
        if (token < 0) return;
        this.#popping = token;
        this.#machine.flush();
      }
      const completion = this.#machine.result(this.#popping);
      if (completion === undefined) return;
      this.#popping = undefined;
      this.#arrived++;
      if (completion.errno !== 0) this.#error = completion.errno;
      else {
        const data =
          completion.frame === 0 ? new Uint8Array(0) : this.#machine.device.take(completion.frame);
        this.#waiting.push({ data, from: completion.peer });
      }
    }
  }

  receive(size: number): CallResult | undefined {
    this.#collect();
    if (this.#error !== 0) return failure(this.takeError());
    const datagram = this.#waiting.shift();
    if (datagram === undefined) return this.#isShut ? success(0) : undefined;
    const data = datagram.data.subarray(0, size);
    return {
      value: data.length,
      errno: 0,
      data,
      address: datagram.from,
      messageFlags: data.length < datagram.data.length ? MSG_TRUNC : 0,
    };
  }

  send(contents: Uint8Array, { address }: SendOptions): CallResult {
    this.#collect();
    if (this.#error !== 0) return failure(this.takeError());
    if (address === undefined && !this.#isConnected) return failure(ERRNO_EDESTADDRREQ);
    const { stack, device } = this.#machine;
    const array = device.array(contents);
    if (array === 0) return failure(ERRNO_ENOBUFS);
    const token = this.#push(array, address);
    if (token < 0) {
      stack.exports.release(array);
      return failure(-token);
    }
    this.#machine.ignore(token);
    this.#machine.flush();
    this.#collect();
    return success(contents.length);
  }

  #push(array: number, address: SocketAddress | undefined): number {
    const { stack } = this.#machine;
    if (address === undefined) return stack.exports.push(this.qd, array);
    stack.writeAddress(parseIpv4(address.address, "sendto"));
    return stack.exports.pushTo(this.qd, array, address.port);
  }

  shutdown(): CallResult {
    if (!this.#isConnected) return failure(ERRNO_ENOTCONN);
    this.#isShut = true;
    return success(0);
  }

  close(): number {
    if (this.#popping !== undefined) this.#machine.ignore(this.#popping);
    const token = this.#machine.stack.exports.close(this.qd);
    this.#machine.flush();
    return token;
  }

  poll(): number {
    this.#collect();
    let events = POLLOUT | POLLWRNORM;
    if (this.#waiting.length > 0) events |= POLLIN | POLLRDNORM;
    if (this.#isShut) events |= POLLIN | POLLRDNORM | POLLRDHUP;
    return this.#error === 0 ? events : events | POLLERR;
  }

  takeError(): number {
    this.#collect();
    const error = this.#error;
    this.#error = 0;
    return error;
  }

  get edge(): string {
    return String(this.#arrived);
  }

  get readableBytes(): number {
    this.#collect();
    return this.#waiting[0]?.data.length ?? 0;
  }

  get unsentBytes(): { readonly all: number; readonly neverSent: number } {
    return { all: 0, neverSent: 0 };
  }
}
