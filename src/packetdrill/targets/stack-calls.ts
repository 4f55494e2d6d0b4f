/** libc's calls on the stack: the table of descriptors, and which calls block. */
import { ERRNO_EAGAIN, ERRNO_EBADF, ERRNO_EINVAL } from "../../../assembly/layout";
import { DatagramSocket } from "./stack-datagram";
import { joinBytes } from "./stack-device";
import { Epoll, pollNow } from "./stack-epoll";
import * as linux from "./stack-linux";
import type { StackMachine } from "./stack-machine";
import { failure, type KernelSocket, success } from "./stack-socket";
import { SocketOptions } from "./stack-sockopt";
import { StreamSocket } from "./stack-stream";
import { type BegunCall, type Call, type CallResult, UnsupportedError } from "./target";

interface Descriptor {
  readonly object: KernelSocket | Epoll;
  /** O_NONBLOCK. */
  isNonblocking: boolean;
}

/** One try at a call; undefined as long as it blocks. */
type Attempt = () => CallResult | undefined;

interface Blocked extends BegunCall {
  result: CallResult | undefined;
  returnedUs: number;
  readonly attempt: Attempt;
  /** What it returns when time runs out, and when. */
  readonly deadlineUs: number;
  readonly late: CallResult;
}

const FIRST_FD = 3;
const SEND_FLAGS =
  linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL | linux.MSG_MORE | linux.MSG_EOR | linux.MSG_FASTOPEN;
const eagain = failure(ERRNO_EAGAIN);
const badDescriptor = failure(ERRNO_EBADF);
const EFAULT = 14;
const ENOTSOCK = 88;
const EAFNOSUPPORT = 97;

export class StackCalls {
  readonly #machine: StackMachine;
  readonly #options: SocketOptions;
  readonly #descriptors = new Map<number, Descriptor>();
  #blocked: Blocked[] = [];

  constructor(machine: StackMachine) {
    this.#machine = machine;
    this.#options = new SocketOptions(machine);
    machine.progress = () => this.#progress();
    machine.wakeUs = () => Math.min(...this.#blocked.map(({ deadlineUs }) => deadlineUs));
  }

  get open(): readonly number[] {
    return [...this.#descriptors.keys()];
  }

  stream(fd: number): StreamSocket | undefined {
    const object = this.#descriptors.get(fd)?.object;
    return object instanceof StreamSocket ? object : undefined;
  }

  /** Makes a call and lets the stack act on it. */
  begin(call: Call): BegunCall {
    const begun = this.#call(call);
    this.#machine.flush();
    if ("fd" in call) this.stream(call.fd)?.note(this.#machine.nowUs);
    return begun;
  }

  #call(call: Call): BegunCall {
    switch (call.name) {
      case "socket":
        return this.#done(this.#socket(call.domain, call.type, call.protocol));
      case "epoll_create":
        return this.#done(success(this.#add(new Epoll(), false)));
      case "epoll_ctl":
        return this.#done(this.#control(call));
      case "epoll_wait": {
        const epoll = this.#descriptors.get(call.epollFd)?.object;
        if (!(epoll instanceof Epoll)) return this.#done(badDescriptor);
        return this.#poll(call.timeoutMs, () => epoll.wait(call.eventsMax, this.#find));
      }
      case "poll": {
        const nothing = { ...success(0), revents: call.entries.map(() => 0) };
        return this.#poll(call.timeoutMs, () => pollNow(call.entries, this.#find), nothing);
      }
      case "pipe":
      case "open":
      case "splice":
      case "sendfile":
        throw new UnsupportedError(`${call.name} is not supported by this stack`);
      default:
        return this.#socketCall(call);
    }
  }

  #socketCall(call: Extract<Call, { fd: number }>): BegunCall {
    const descriptor = this.#descriptors.get(call.fd);
    if (descriptor === undefined) return this.#done(badDescriptor);
    const { object } = descriptor;
    if (call.name === "close") return this.#close(call.fd, descriptor);
    if (call.name === "fcntl") return this.#done(this.#fcntl(descriptor, call));
    if (object instanceof Epoll) return this.#done(failure(ENOTSOCK));
    switch (call.name) {
      case "bind":
        if (call.address.family === "ipv6") return this.#done(failure(EAFNOSUPPORT));
        return this.#done(object.bind(call.address));
      case "listen":
        return this.#done(object.listen(call.backlog));
      case "accept":
        return this.#block(!descriptor.isNonblocking, () => this.#accept(object, call.flags));
      case "connect": {
        if (call.address.family === "ipv6") return this.#done(failure(EAFNOSUPPORT));
        const isBlocking = !descriptor.isNonblocking;
        return this.#block(isBlocking, () => object.connect(call.address, isBlocking));
      }
      case "shutdown":
        return this.#done(object.shutdown(call.how));
      case "ioctl":
        return this.#done(ioctl(object, call.request));
      case "getsockopt":
        return this.#done(this.#options.get(object, call.level, call.option, call.size));
      case "setsockopt":
        return this.#done(this.#options.set(object, call.level, call.option, call.value));
      case "receive":
        return this.#receive(descriptor, object, call);
      case "send":
        return this.#send(descriptor, object, call);
      default:
        throw new UnsupportedError(`${call.name} is not supported by this stack`);
    }
  }

  #receive(
    descriptor: Descriptor,
    socket: KernelSocket,
    call: Extract<Call, { name: "receive" }>,
  ): BegunCall {
    refuseFlags(call.form, call.flags, linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL);
    const isBlocking = !descriptor.isNonblocking && (call.flags & linux.MSG_DONTWAIT) === 0;
    const size = call.sizes.reduce((sum, bytes) => sum + bytes, 0);
    if (call.isNull && size > 0 && socket.readableBytes > 0) return this.#done(failure(EFAULT));
    return this.#block(isBlocking, () => {
      const result = socket.receive(size);
      const tells = result !== undefined && call.controlBytes > 0 && result.errno === 0;
      return tells ? { ...result, control: this.#options.controlOf(socket) } : result;
    });
  }

  #send(
    descriptor: Descriptor,
    socket: KernelSocket,
    call: Extract<Call, { name: "send" }>,
  ): BegunCall {
    refuseFlags(call.form, call.flags, SEND_FLAGS);
    if (call.control.length > 0) {
      throw new UnsupportedError("control messages are not supported by this stack");
    }
    const isBlocking = !descriptor.isNonblocking && (call.flags & linux.MSG_DONTWAIT) === 0;
    const contents = joinBytes(call.pieces);
    const options = {
      isBlocking,
      more: (call.flags & linux.MSG_MORE) !== 0,
      endsRecord: (call.flags & linux.MSG_EOR) !== 0,
      address: call.address,
    };
    if (call.isNull && contents.length > 0) return this.#done(failure(EFAULT));
    if (socket instanceof StreamSocket && socket.sendsFast(call.flags)) {
      return this.#block(isBlocking, () => socket.sendFast(contents, options));
    }
    return this.#block(isBlocking, () => socket.send(contents, options));
  }

  #socket(domain: number, type: number, protocol: number): CallResult {
    if (domain === linux.AF_INET6) throw new UnsupportedError("this stack has no IPv6 yet");
    if (domain !== linux.AF_INET) return failure(EAFNOSUPPORT);
    const kind = type & ~(linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC);
    const isStream = kind === linux.SOCK_STREAM;
    const own = isStream ? linux.IPPROTO_TCP : linux.IPPROTO_UDP;
    if ((!isStream && kind !== linux.SOCK_DGRAM) || (protocol !== 0 && protocol !== own)) {
      throw new UnsupportedError(
        `socket type ${kind} with protocol ${protocol} is not supported by this stack`,
      );
    }
    const socket = isStream ? StreamSocket.open(this.#machine) : DatagramSocket.open(this.#machine);
    if (typeof socket === "number") return failure(socket);
    return success(this.#add(socket, (type & linux.SOCK_NONBLOCK) !== 0));
  }

  #accept(listener: KernelSocket, flags: number): CallResult | undefined {
    const result = listener.accept();
    if (result === undefined || result.errno !== 0) return result;
    const socket = StreamSocket.adopt(this.#machine, result.value);
    return { ...result, value: this.#add(socket, (flags & linux.SOCK_NONBLOCK) !== 0) };
  }

  /** The lowest free number, as POSIX has it. */
  #add(object: KernelSocket | Epoll, isNonblocking: boolean): number {
    let fd = FIRST_FD;
    while (this.#descriptors.has(fd)) fd++;
    this.#descriptors.set(fd, { object, isNonblocking });
    return fd;
  }

  #close(fd: number, descriptor: Descriptor): BegunCall {
    this.#descriptors.delete(fd);
    const { object } = descriptor;
    for (const { object: other } of this.#descriptors.values()) {
      if (other instanceof Epoll) other.forget(fd);
    }
    if (object instanceof Epoll) return this.#done(success(0));
    const token = object.close();
    if (token < 0) return this.#done(failure(-token));
    const seconds = object instanceof StreamSocket ? object.lingerSeconds : -1;
    if (seconds <= 0 || descriptor.isNonblocking) {
      this.#machine.ignore(token);
      return this.#done(success(0));
    }
    const attempt = () => (this.#machine.result(token) === undefined ? undefined : success(0));
    return this.#wait(attempt, this.#machine.nowUs + seconds * 1_000_000, success(0));
  }

  #fcntl(descriptor: Descriptor, call: Extract<Call, { name: "fcntl" }>): CallResult {
    switch (call.command) {
      case linux.F_GETFL:
        return success(linux.O_RDWR | (descriptor.isNonblocking ? linux.O_NONBLOCK : 0));
      case linux.F_SETFL:
        descriptor.isNonblocking = (call.value & linux.O_NONBLOCK) !== 0;
        return success(0);
      case linux.F_GETFD:
      case linux.F_SETFD:
        return success(0);
      default:
        return failure(ERRNO_EINVAL);
    }
  }

  #control(call: Extract<Call, { name: "epoll_ctl" }>): CallResult {
    const epoll = this.#descriptors.get(call.epollFd)?.object;
    if (!(epoll instanceof Epoll) || !this.#descriptors.has(call.fd)) return badDescriptor;
    return epoll.control(call.operation, call.fd, call.event);
  }

  readonly #find = (fd: number): KernelSocket | undefined => {
    const object = this.#descriptors.get(fd)?.object;
    return object instanceof Epoll ? undefined : object;
  };

  #poll(timeoutMs: number, attempt: Attempt, nothing = success(0)): BegunCall {
    if (timeoutMs === 0) return this.#done(attempt() ?? nothing);
    const { nowUs } = this.#machine;
    const deadlineUs = timeoutMs < 0 ? Number.POSITIVE_INFINITY : nowUs + timeoutMs * 1000;
    return this.#wait(attempt, deadlineUs, nothing);
  }

  #done(result: CallResult): BegunCall {
    return { result, returnedUs: this.#machine.nowUs };
  }

  #block(isBlocking: boolean, attempt: Attempt): BegunCall {
    return isBlocking
      ? this.#wait(attempt, Number.POSITIVE_INFINITY, eagain)
      : this.#done(attempt() ?? eagain);
  }

  #wait(attempt: Attempt, deadlineUs: number, late: CallResult): BegunCall {
    const result = attempt();
    const returnedUs = this.#machine.nowUs;
    if (result !== undefined) return { result, returnedUs };
    const blocked: Blocked = { result, returnedUs, attempt, deadlineUs, late };
    this.#blocked.push(blocked);
    return blocked;
  }

  /** Tries every blocked call again, oldest first. */
  #progress(): void {
    const { nowUs } = this.#machine;
    for (const { object } of this.#descriptors.values()) {
      if (object instanceof StreamSocket) object.note(nowUs);
    }
    if (this.#blocked.length === 0) return;
    for (const blocked of this.#blocked) {
      blocked.result =
        blocked.attempt() ?? (nowUs >= blocked.deadlineUs ? blocked.late : undefined);
      blocked.returnedUs = nowUs;
    }
    this.#blocked = this.#blocked.filter(({ result }) => result === undefined);
  }
}

function ioctl(socket: KernelSocket, request: number): CallResult {
  if (socket instanceof StreamSocket && socket.isListening) return failure(ERRNO_EINVAL);
  let value: number;
  if (request === linux.FIONREAD) value = socket.readableBytes;
  else if (request === linux.SIOCOUTQ) value = socket.unsentBytes.all;
  else if (request === linux.SIOCOUTQNSD) value = socket.unsentBytes.neverSent;
  else throw new UnsupportedError(`ioctl ${request} is not supported by this stack`);
  const output = new Uint8Array(4);
  new DataView(output.buffer).setInt32(0, value, true);
  return { value: 0, errno: 0, output };
}

function refuseFlags(call: string, flags: number, known: number): void {
  const others = flags & ~known;
  if (others === 0) return;
  throw new UnsupportedError(
    `flags 0x${others.toString(16)} of ${call} are not supported by this stack`,
  );
}
