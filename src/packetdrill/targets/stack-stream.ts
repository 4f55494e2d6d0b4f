/**
 * A TCP socket with the kernel's manners on the stack's queue operations. Each method is one attempt
 * at a call: its result, or undefined when the call would block. A pop is started only when a read
 * finds data, so the receive window is what the script's reads make it.
 */
import {
  ERRNO_EALREADY,
  ERRNO_EINPROGRESS,
  ERRNO_EINVAL,
  ERRNO_EISCONN,
  ERRNO_ENOBUFS,
  ERRNO_ENOTCONN,
  ERRNO_EOPNOTSUPP,
  ERRNO_EPIPE,
  KIND_STREAM,
  PUSH_MORE,
  PUSH_RECORD_END,
  SOCKET_OPTION_FAST_OPEN_CONNECT,
  SOCKET_OPTION_FAST_OPEN_ROOM,
} from "../../../assembly/layout";
import {
  CLOSED,
  ESTABLISHED,
  FAST_DEFERRED,
  FAST_UNCONFIRMED,
  FIN_QUEUED,
  FIN_RECEIVED,
  LISTEN,
  SYN_RECEIVED,
  SYN_SENT,
} from "../../../assembly/transport/tcp/record";
import { parseIpv4 } from "../../wasm/address";
import type { ConnectionView } from "../../wasm/connections";
import {
  MSG_FASTOPEN,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
  SHUT_RD,
  SHUT_RDWR,
} from "./stack-linux";
import { Chronograph } from "./stack-chronograph";
import type { StackMachine } from "./stack-machine";
import { isWritable, takenBytes, unacknowledged } from "./stack-send-space";
import { failure, type KernelSocket, type SendOptions, success } from "./stack-socket";
import type { CallResult, SocketAddress } from "./target";

const READABLE = POLLIN | POLLRDNORM;
const WRITABLE = POLLOUT | POLLWRNORM;

export class StreamSocket implements KernelSocket {
  readonly kind = "stream";
  readonly qd: number;
  lingerSeconds = -1;
  readonly chronograph: Chronograph;
  readonly #machine: StackMachine;
  readonly #view: ConnectionView;
  #connecting: number | undefined;
  #connectBlocks = false;
  /** Bytes of a sending that began with Fast Open and returns when the handshake ends. */
  #fastBytes: number | undefined;
  /** Bytes that the write under way has put into the queue. */
  #taken = 0;
  /** It was connected, or tried to be: what it does once closed differs from a fresh socket. */
  #used = false;
  #readShut = false;
  /** An error that a call, or SO_ERROR, still has to tell. */
  #error = 0;
  #errorTaken = false;

  constructor(machine: StackMachine, qd: number) {
    this.#machine = machine;
    this.qd = qd;
    const view = machine.connections.of(qd);
    if (view === undefined) throw new Error("the stack has no record of the socket");
    this.#view = view;
    this.chronograph = new Chronograph(view);
  }

  static open(machine: StackMachine): StreamSocket | number {
    const qd = machine.stack.exports.socket(KIND_STREAM);
    return qd < 0 ? -qd : new StreamSocket(machine, qd);
  }

  /** An accepted connection. */
  static adopt(machine: StackMachine, qd: number): StreamSocket {
    const socket = new StreamSocket(machine, qd);
    socket.#used = true;
    return socket;
  }

  /** The stack has acted at this moment. */
  note(nowUs: number): void {
    this.chronograph.note(nowUs, this.#taken > 0);
  }

  get view(): ConnectionView {
    return this.#view;
  }

  get isListening(): boolean {
    return this.#view.stateNumber === LISTEN;
  }

  bind(address: SocketAddress): CallResult {
    const { stack } = this.#machine;
    stack.writeAddress(parseIpv4(address.address, "bind"));
    const errno = -stack.exports.bind(this.qd, address.port);
    // Linux knows no other answer to a second bind.
    return errno > 0 ? failure(errno === ERRNO_EISCONN ? ERRNO_EINVAL : errno) : success(0);
  }

  listen(backlog: number): CallResult {
    if (this.isListening) return success(0);
    const { stack } = this.#machine;
    if (this.#view.stateNumber !== CLOSED) return failure(ERRNO_EINVAL);
    if (this.#view.localPort === 0) {
      stack.writeAddress(0);
      stack.exports.bind(this.qd, 0);
    }
    const errno = -stack.exports.listen(this.qd, Math.max(1, Math.min(backlog, 4096)));
    return errno > 0 ? failure(errno) : success(0);
  }

  /** The accepted connection's descriptor of the stack is the value. */
  accept(): CallResult | undefined {
    if (!this.isListening) return failure(ERRNO_EINVAL);
    if (this.#view.acceptable === 0) return undefined;
    const token = this.#machine.stack.exports.accept(this.qd);
    if (token < 0) return failure(-token);
    this.#machine.flush();
    const completion = this.#machine.result(token);
    if (completion === undefined) {
      this.#machine.ignore(token);
      return failure(ERRNO_ENOBUFS);
    }
    return { value: completion.accepted, errno: completion.errno, address: completion.peer };
  }

  connect(address: SocketAddress, isBlocking: boolean): CallResult | undefined {
    this.#settleConnect();
    if (this.#connectBlocks) return this.#connected();
    if (this.#connecting !== undefined) return failure(ERRNO_EALREADY);
    if (this.#isDeferred) return failure(ERRNO_EISCONN);
    if (this.#error !== 0) return failure(this.takeError());
    if (this.#view.stateNumber >= ESTABLISHED) return failure(ERRNO_EISCONN);
    if (this.#view.stateNumber >= SYN_SENT) return failure(ERRNO_EALREADY);
    const { stack } = this.#machine;
    stack.writeAddress(parseIpv4(address.address, "connect"));
    const token = stack.exports.connect(this.qd, address.port);
    if (token < 0) return failure(-token);
    this.#connecting = token;
    this.#used = true;
    this.#machine.flush();
    this.#settleConnect();
    if (this.#isDeferred) return success(0);
    if (!isBlocking) return failure(ERRNO_EINPROGRESS);
    this.#connectBlocks = true;
    return this.#connected();
  }

  #connected(): CallResult | undefined {
    if (this.#connecting !== undefined) return undefined;
    this.#connectBlocks = false;
    return this.#error === 0 ? success(0) : failure(this.takeError());
  }

  #settleConnect(): void {
    if (this.#connecting === undefined) return;
    const completion = this.#machine.result(this.#connecting);
    if (completion === undefined) return;
    this.#connecting = undefined;
    this.#error = completion.errno;
    this.#errorTaken = completion.errno !== 0;
  }

  /** What killed the connection, told once (SO_ERROR, or the next call). */
  takeError(): number {
    this.#notice();
    const error = this.#error;
    this.#error = 0;
    return error;
  }

  #notice(): void {
    this.#settleConnect();
    if (this.#errorTaken || this.#view.error === 0) return;
    this.#errorTaken = true;
    this.#error = this.#view.error;
  }

  receive(size: number): CallResult | undefined {
    this.#notice();
    const view = this.#view;
    if (this.isListening) return failure(ERRNO_ENOTCONN);
    if (view.receiveQueued > 0) return size === 0 ? success(0) : this.#pop(size);
    if (this.#error !== 0) return failure(this.takeError());
    if (view.has(FIN_RECEIVED) || this.#readShut) return received(new Uint8Array(0));
    if (view.stateNumber === CLOSED) {
      return this.#used ? received(new Uint8Array(0)) : failure(ERRNO_ENOTCONN);
    }
    return size === 0 ? success(0) : undefined;
  }

  #pop(size: number): CallResult {
    const bytes = Math.min(size, this.#view.receiveQueued);
    const token = this.#machine.stack.exports.pop(this.qd, bytes);
    if (token < 0) return failure(-token);
    this.#machine.flush();
    const completion = this.#machine.result(token);
    if (completion === undefined) return failure(ERRNO_ENOBUFS);
    if (completion.errno !== 0) return failure(completion.errno);
    return received(this.#machine.device.take(completion.frame));
  }

  send(
    contents: Uint8Array,
    { isBlocking, more, endsRecord }: SendOptions,
  ): CallResult | undefined {
    this.#notice();
    const view = this.#view;
    if (this.#error !== 0) return failure(this.takeError());
    const state = view.stateNumber;
    if (!this.#isOpen) return undefined;
    if (state < SYN_SENT || view.has(FIN_QUEUED)) return failure(ERRNO_EPIPE);
    if (contents.length === 0) return success(0);
    // Who waits is woken only when there is room that is worth it.
    if (this.#taken > 0 && !isWritable(view)) return undefined;
    const bytes = takenBytes(view, contents.length - this.#taken);
    if (bytes === 0) return undefined;
    const isLast = this.#taken + bytes === contents.length;
    const manner = (more ? PUSH_MORE : 0) | (endsRecord && isLast ? PUSH_RECORD_END : 0);
    const result = this.#push(contents.subarray(this.#taken, this.#taken + bytes), manner);
    if (result === undefined || result.errno !== 0) return result;
    this.#taken += bytes;
    if (isBlocking && this.#taken < contents.length) return undefined;
    const taken = this.#taken;
    this.#taken = 0;
    return success(taken);
  }

  #push(contents: Uint8Array, manner: number): CallResult | undefined {
    const array = this.#machine.device.array(contents);
    if (array === 0) return undefined;
    const token = this.#machine.stack.exports.push(this.qd, array, manner);
    if (token < 0) {
      this.#machine.stack.exports.release(array);
      return failure(-token);
    }
    this.#machine.flush();
    const completion = this.#machine.result(token);
    if (completion !== undefined) return { value: 0, errno: completion.errno };
    // The stack has it, though it counts small pieces for more than they are.
    this.#machine.ignore(token);
    return success(0);
  }

  /** Says whether a send with these flags is Fast Open's, as that after a connect that waits is. */
  sendsFast(flags: number): boolean {
    return (flags & MSG_FASTOPEN) !== 0 || this.#isDeferred || this.#fastBytes !== undefined;
  }

  /**
   * Connects and sends in one. What does not fit the SYN a call that does not block leaves out, as
   * tcp_sendmsg_fastopen does.
   */
  sendFast(contents: Uint8Array, options: SendOptions): CallResult | undefined {
    const { isBlocking, address } = options;
    this.#notice();
    if (this.#fastBytes !== undefined) return this.#sentFast(this.#fastBytes);
    if (this.#error !== 0) return failure(this.takeError());
    if (!this.#isDeferred) {
      const state = this.#view.stateNumber;
      if (state >= SYN_SENT) {
        return this.#isOpen ? this.send(contents, options) : failure(ERRNO_EALREADY);
      }
      const errno = address === undefined ? ERRNO_EOPNOTSUPP : this.#setFast(1);
      if (errno !== 0 || address === undefined) return failure(errno);
      const result = this.connect(address, false);
      if (result !== undefined && result.errno !== 0 && result.errno !== ERRNO_EINPROGRESS) {
        return result;
      }
    }
    return isBlocking ? this.#pushFast(contents) : this.#sendNow(contents);
  }

  #setFast(value: number): number {
    const { exports } = this.#machine.stack;
    return -exports.setOption(this.qd, SOCKET_OPTION_FAST_OPEN_CONNECT, value);
  }

  #sendNow(contents: Uint8Array): CallResult {
    const { exports } = this.#machine.stack;
    const room = exports.getOption(this.qd, SOCKET_OPTION_FAST_OPEN_ROOM);
    const bytes = this.#isDeferred ? Math.min(room, contents.length) : 0;
    if (bytes === 0) {
      if (this.#isDeferred) this.#setFast(0);
      this.#machine.flush();
      return failure(ERRNO_EINPROGRESS);
    }
    this.#pushFast(contents.subarray(0, bytes));
    this.#fastBytes = undefined;
    return success(bytes);
  }

  /** Pushes what the SYN may take and the rest to follow; the call returns with the handshake. */
  #pushFast(contents: Uint8Array): CallResult | undefined {
    const array = contents.length === 0 ? 0 : this.#machine.device.array(contents);
    const token = array === 0 ? 0 : this.#machine.stack.exports.push(this.qd, array, 0);
    if (token < 0) {
      this.#machine.stack.exports.release(array);
      return failure(-token);
    }
    this.#machine.ignore(token);
    this.#machine.flush();
    this.#fastBytes = contents.length;
    return this.#sentFast(contents.length);
  }

  #sentFast(bytes: number): CallResult | undefined {
    const isOver = this.#isOpen || this.#view.stateNumber === CLOSED;
    if (!isOver) return undefined;
    this.#fastBytes = undefined;
    return this.#error === 0 ? success(bytes) : failure(this.takeError());
  }

  /** Connect has returned and the SYN waits for data. */
  get #isDeferred(): boolean {
    return (this.#view.fastOpen & FAST_DEFERRED) !== 0 && this.#view.stateNumber === SYN_SENT;
  }

  /** Data may be sent: the handshake has ended, or Fast Open does not wait for that. */
  get #isOpen(): boolean {
    const { stateNumber, fastOpen } = this.#view;
    if (stateNumber === SYN_SENT) return false;
    return stateNumber !== SYN_RECEIVED || (fastOpen & FAST_UNCONFIRMED) !== 0;
  }

  shutdown(how: number): CallResult {
    if (this.#view.stateNumber < SYN_SENT || !this.#isOpen) return failure(ERRNO_ENOTCONN);
    if (how === SHUT_RD || how === SHUT_RDWR) {
      this.#readShut = true;
      this.#machine.stack.exports.shutdownRead(this.qd);
    }
    if (how === SHUT_RD) return success(0);
    const errno = -this.#machine.stack.exports.shutdownWrite(this.qd);
    this.#machine.flush();
    return errno > 0 && errno !== ERRNO_ENOTCONN ? failure(errno) : success(0);
  }

  /** The token of the stack's close, which completes when everything has been acknowledged. */
  close(): number {
    if (this.#connecting !== undefined) this.#machine.ignore(this.#connecting);
    const token = this.#machine.stack.exports.close(this.qd);
    this.#machine.flush();
    return token;
  }

  /** As tcp_poll of Linux tells it. */
  poll(): number {
    this.#notice();
    const view = this.#view;
    const state = view.stateNumber;
    if (state === LISTEN) return view.acceptable > 0 ? READABLE : 0;
    const ended = state === CLOSED && this.#used;
    const sendShut = ended || view.has(FIN_QUEUED);
    const receiveShut = ended || this.#readShut || view.has(FIN_RECEIVED);
    let events = 0;
    if (state === CLOSED || (sendShut && receiveShut)) events |= POLLHUP;
    if (receiveShut) events |= READABLE | POLLRDHUP;
    if (this.#isDeferred) return WRITABLE;
    if (this.#isOpen) {
      if (view.receiveQueued > 0) events |= READABLE;
      if (sendShut || isWritable(view)) events |= WRITABLE;
    }
    return this.#error === 0 ? events : events | POLLERR;
  }

  /** Changes whenever something happened that an edge-triggered epoll tells again. */
  get edge(): string {
    const { receiveNext, sendUna, stateNumber, acceptable } = this.#view;
    return `${receiveNext}/${sendUna}/${stateNumber}/${acceptable}`;
  }

  get readableBytes(): number {
    return this.#view.receiveQueued;
  }

  /** Bytes not acknowledged, and those of them that were never sent. */
  get unsentBytes(): { readonly all: number; readonly neverSent: number } {
    const view = this.#view;
    const all = unacknowledged(view);
    const neverSent = (view.sendEnd - view.sendMax) | 0;
    return { all, neverSent: Math.min(all, Math.max(0, neverSent)) };
  }
}

function received(data: Uint8Array): CallResult {
  return { value: data.length, errno: 0, data };
}
