/** A script's calls as calls of libc. */
import {
  AF_INET,
  bind,
  close,
  getsockopt,
  ioctl,
  O_NONBLOCK,
  open,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Struct,
  setsockopt,
  socket,
  wordStruct,
} from "../../../../shims/libc";
import { AF_INET6, decodeSocketAddress } from "../../../../shims/sockets/address";
import * as calls from "../../../../shims/sockets/calls";
import * as readiness from "../../../../shims/sockets/readiness";
import type { LiveDescriptors } from "./descriptors";
import {
  immediate,
  isConnecting,
  type Operation,
  POLLIN,
  POLLOUT,
  resultOf,
  wouldBlock,
} from "./operation";
import { receive, send, sendfile } from "./transfer";
import { type Call, type CallResult, UnsupportedError } from "../target";

const F_DUPFD = 0;
const F_GETFL = 3;
const F_SETFL = 4;
const FIONBIO = 0x5421;
const SPLICE_F_NONBLOCK = 2;

type Of<Name extends Call["name"]> = Extract<Call, { name: Name }>;

/** How each call is made; all of them know the script's descriptors. */
type Makers = { readonly [Name in Call["name"]]: (call: Of<Name>) => Operation };

export class LiveCalls {
  readonly #descriptors: LiveDescriptors;
  readonly #makers: Makers;

  constructor(descriptors: LiveDescriptors) {
    this.#descriptors = descriptors;
    this.#makers = {
      socket: (call) => immediate(() => this.#socket(call)),
      bind: ({ fd, address }) =>
        immediate(() => resultOf(bind(fd, descriptors.encode(fd, address)))),
      listen: ({ fd, backlog }) => immediate(() => resultOf(calls.listen(fd, backlog))),
      accept: (call) => this.#accept(call),
      connect: (call) => this.#connect(call),
      receive: (call) => receive(call, descriptors),
      send: (call) => send(call, descriptors),
      sendfile: (call) => sendfile(call, descriptors),
      splice: (call) => this.#splice(call),
      shutdown: ({ fd, how }) => immediate(() => resultOf(calls.shutdown(fd, how))),
      close: (call) => immediate(() => this.#close(call)),
      fcntl: (call) => immediate(() => this.#fcntl(call)),
      ioctl: (call) => immediate(() => this.#ioctl(call)),
      getsockopt: (call) => immediate(() => getOption(call)),
      setsockopt: (call) => immediate(() => this.#setOption(call)),
      poll: (call) => pollOperation(call),
      epoll_create: ({ flags }) => immediate(() => this.#opened(calls.epollCreate(flags), false)),
      epoll_ctl: (call) => immediate(() => epollControl(call)),
      epoll_wait: (call) => epollWait(call),
      pipe: () => immediate(() => this.#pipe()),
      open: ({ path, flags }) =>
        immediate(() => this.#opened(open(path, flags), (flags & O_NONBLOCK) !== 0)),
    };
  }

  operation(call: Call): Operation {
    const make = this.#makers[call.name] as (call: Call) => Operation;
    return make(call);
  }

  #opened(fd: number, isNonBlocking: boolean, isIpv6 = false): CallResult {
    this.#descriptors.add(fd, isNonBlocking, isIpv6);
    return resultOf(fd);
  }

  #socket({ domain, type, protocol }: Of<"socket">): CallResult {
    if (domain !== AF_INET && domain !== AF_INET6) {
      throw new UnsupportedError(`live sockets are IPv4 or IPv6, not of domain ${domain}`);
    }
    const fd = socket(domain, type | SOCK_NONBLOCK, protocol);
    return this.#opened(fd, (type & SOCK_NONBLOCK) !== 0, domain === AF_INET6);
  }

  #accept({ fd, flags }: Of<"accept">): Operation {
    const peer = new Struct(calls.SOCKET_ADDRESS_ROOM);
    const length = new Struct(4);
    const attempt = () => {
      const accepted = calls.accept4(fd, peer, length, flags | SOCK_NONBLOCK);
      if (accepted < 0) return resultOf(accepted);
      const isIpv6 = this.#descriptors.get(fd)?.isIpv6;
      this.#descriptors.add(accepted, (flags & SOCK_NONBLOCK) !== 0, isIpv6);
      const address = decodeSocketAddress(peer, length.view.getUint32(0, true));
      return resultOf(accepted, { address });
    };
    return {
      attempt,
      mustWait: wouldBlock,
      isBlocking: this.#descriptors.isBlocking(fd),
      timeoutUs: this.#descriptors.get(fd)?.receiveTimeoutUs ?? 0,
      waits: [{ fd, events: POLLIN }],
    };
  }

  #connect({ fd, address }: Of<"connect">): Operation {
    const peer = this.#descriptors.encode(fd, address);
    return {
      attempt: () => resultOf(calls.connect(fd, peer)),
      mustWait: isConnecting,
      isBlocking: this.#descriptors.isBlocking(fd),
      timeoutUs: this.#descriptors.get(fd)?.sendTimeoutUs ?? 0,
      waits: [{ fd, events: POLLOUT }],
    };
  }

  #close({ fd }: Of<"close">): CallResult {
    if ((this.#descriptors.get(fd)?.lingerSeconds ?? 0) > 0) {
      throw new UnsupportedError("live close() with a time of SO_LINGER would stop the script");
    }
    this.#descriptors.forget(fd);
    return resultOf(close(fd));
  }

  #fcntl({ fd, command, value }: Of<"fcntl">): CallResult {
    const descriptor = this.#descriptors.get(fd);
    if (descriptor === undefined) return resultOf(calls.fcntl(fd, command, value));
    if (command === F_SETFL) {
      const code = calls.fcntl(fd, command, value | O_NONBLOCK);
      if (code >= 0) descriptor.isNonBlocking = (value & O_NONBLOCK) !== 0;
      return resultOf(code);
    }
    const code = calls.fcntl(fd, command, value);
    if (command === F_DUPFD) {
      this.#descriptors.add(code, descriptor.isNonBlocking, descriptor.isIpv6);
    }
    if (command !== F_GETFL || code < 0 || descriptor.isNonBlocking) return resultOf(code);
    return resultOf(code & ~O_NONBLOCK);
  }

  #ioctl({ fd, request, value }: Of<"ioctl">): CallResult {
    const descriptor = this.#descriptors.get(fd);
    if (request === FIONBIO && descriptor !== undefined) {
      descriptor.isNonBlocking = value !== 0;
      return resultOf(0);
    }
    const integer = wordStruct(value, 0);
    const code = ioctl(fd, request, integer.address);
    return resultOf(code, { output: integer.bytes.slice(0, 4) });
  }

  #setOption({ fd, level, option, value }: Of<"setsockopt">): CallResult {
    const struct = new Struct(value.length);
    struct.bytes.set(value);
    const code = setsockopt(fd, level, option, struct);
    if (code >= 0 && level === SOL_SOCKET) this.#descriptors.learn(fd, option, value);
    return resultOf(code);
  }

  #pipe(): CallResult {
    const ends = calls.pipe();
    if (typeof ends === "number") return resultOf(ends);
    for (const fd of ends) this.#descriptors.add(fd, false);
    return resultOf(0, { descriptors: ends });
  }

  #splice({ fromFd, toFd, size, flags }: Of<"splice">): Operation {
    return {
      attempt: () => resultOf(calls.splice(fromFd, toFd, size, flags)),
      mustWait: wouldBlock,
      isBlocking: this.#descriptors.isBlocking(fromFd) && (flags & SPLICE_F_NONBLOCK) === 0,
      timeoutUs: Number.POSITIVE_INFINITY,
      waits: [
        { fd: fromFd, events: POLLIN },
        { fd: toFd, events: POLLOUT },
      ],
    };
  }
}

function getOption({ fd, level, option, size }: Of<"getsockopt">): CallResult {
  const value = new Struct(size);
  const length = getsockopt(fd, level, option, value);
  if (length < 0) return resultOf(length);
  return resultOf(0, { output: value.bytes.slice(0, Math.min(length, size)) });
}

function inUs(timeoutMs: number): number {
  return timeoutMs < 0 ? Number.POSITIVE_INFINITY : timeoutMs * 1000;
}

/** What waits until something happens, and returns 0 when nothing did. */
function watching(
  attempt: () => CallResult,
  timeoutMs: number,
  waits: Operation["waits"],
): Operation {
  const mustWait = ({ value }: CallResult) => value === 0;
  return { attempt, mustWait, isBlocking: timeoutMs !== 0, timeoutUs: inUs(timeoutMs), waits };
}

function pollOperation({ entries, timeoutMs }: Of<"poll">): Operation {
  const struct = readiness.encodePoll(entries);
  const attempt = () => {
    const code = calls.poll(struct, entries.length, 0);
    return resultOf(code, { revents: readiness.pollResults(struct, entries.length) });
  };
  return watching(attempt, timeoutMs, entries);
}

function epollControl({ epollFd, operation, fd, event }: Of<"epoll_ctl">): CallResult {
  return resultOf(calls.epollControl(epollFd, operation, fd, readiness.encodeEpoll(event)));
}

function epollWait({ epollFd, eventsMax, timeoutMs }: Of<"epoll_wait">): Operation {
  const struct = readiness.epollRoom(eventsMax);
  const attempt = () => {
    const code = calls.epollWait(epollFd, struct, eventsMax, 0);
    const epollEvents = code < 0 ? [] : readiness.decodeEpoll(struct, code);
    return resultOf(code, { epollEvents });
  };
  return watching(attempt, timeoutMs, [{ fd: epollFd, events: POLLIN }]);
}
