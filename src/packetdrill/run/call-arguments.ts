/** A call of the script with its arguments worked out, for the target. */
import type { Expression, SystemCallAction } from "../language/script";
import { type Call, type SocketAddress, UnsupportedError } from "../targets/target";
import { contents, controlMessages, message, optionBytes, vectors } from "./buffers";
import type { RunOptions } from "./options";
import {
  ArgumentError,
  integerOf,
  isEllipsis,
  member,
  numberOf,
  numberOr,
  structureOf,
} from "./values";

/** What arguments are relative to. */
export interface CallContext {
  readonly options: RunOptions;
  /** The system's descriptor for the script's. */
  readonly fd: (scriptFd: number) => number;
}

/** Bytes that a read without a size asks for. */
const DEFAULT_SIZE = 65_536;
const AF_INET = 2;
const AF_INET6 = 10;

type Reader = (expressions: readonly Expression[], context: CallContext) => Call;

function addressText(expression: Expression | undefined): string | undefined {
  if (expression?.kind === "string") return expression.value;
  if (expression?.kind === "call") return addressText(expression.arguments.at(-1));
  if (expression === undefined || expression.kind === "ellipsis") return undefined;
  const value = numberOf(expression);
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}

/** A sockaddr; what it leaves out is `usual`. */
export function addressOf(expression: Expression | undefined, usual: SocketAddress): SocketAddress {
  if (isEllipsis(expression)) return usual;
  const structure = structureOf(expression);
  if (structure === undefined) throw new ArgumentError("a socket address is a structure {…}");
  const family = member(structure.fields, "sa_family", "sin_family");
  const port = member(structure.fields, "sin_port", "sin6_port");
  const address = addressText(member(structure.fields, "sin_addr", "sin6_addr"));
  return {
    family: family === undefined ? usual.family : numberOf(family) === AF_INET6 ? "ipv6" : "ipv4",
    address: address ?? usual.address,
    port: port === undefined ? usual.port : numberOf(port),
  };
}

function localAddress({ options }: CallContext): SocketAddress {
  const family = options.ipVersion === 4 ? "ipv4" : "ipv6";
  return { family, address: options.localAddress, port: options.bindPort };
}

export function remoteAddress(options: RunOptions): SocketAddress {
  const family = options.ipVersion === 4 ? "ipv4" : "ipv6";
  return { family, address: options.remoteAddress, port: options.connectPort };
}

const receiveForm =
  (form: Extract<Call, { name: "receive" }>["form"]): Reader =>
  (expressions, { fd }) => ({
    name: "receive",
    form,
    fd: fd(numberOf(expressions[0])),
    sizes: [numberOr(expressions[2], DEFAULT_SIZE)],
    flags: numberOr(expressions[3], 0),
    controlBytes: 0,
    isNull: isNull(expressions[1]),
  });

const sendForm =
  (form: Extract<Call, { name: "send" }>["form"]): Reader =>
  (expressions, { fd, options }) => ({
    name: "send",
    form,
    fd: fd(numberOf(expressions[0])),
    pieces: [contents(expressions[1], expressions[2])],
    flags: numberOr(expressions[3], 0),
    address:
      form === "sendto" && !isNull(expressions[4])
        ? addressOf(expressions[4], remoteAddress(options))
        : undefined,
    control: [],
    isNull: isNull(expressions[1]),
  });

/** A null pointer: 0, or the name for it. */
function isNull(expression: Expression | undefined): boolean {
  const isNumber = expression?.kind === "integer" || expression?.kind === "name";
  return isNumber && numberOf(expression) === 0;
}

const epollEvent = (expression: Expression | undefined, context: CallContext) => {
  const fields = structureOf(expression)?.fields ?? [];
  const fd = member(fields, "fd");
  const other = member(fields, "ptr", "u64", "u32");
  const data = fd === undefined ? BigInt(other === undefined ? 0 : integerOf(other)) : undefined;
  return {
    events: numberOr(member(fields, "events"), 0) >>> 0,
    data: data ?? BigInt(context.fd(numberOf(fd))),
  };
};

/** The calls by their names in scripts. */
const readers: Readonly<Record<string, Reader>> = {
  socket: ([domain, type, protocol], { options }) => ({
    name: "socket",
    domain: numberOr(domain, options.ipVersion === 4 ? AF_INET : AF_INET6),
    type: numberOf(type),
    protocol: numberOr(protocol, 0),
  }),
  bind: ([fd, address], context) => ({
    name: "bind",
    fd: context.fd(numberOf(fd)),
    address: addressOf(address, localAddress(context)),
  }),
  listen: ([fd, backlog], context) => ({
    name: "listen",
    fd: context.fd(numberOf(fd)),
    backlog: numberOf(backlog),
  }),
  accept: ([fd], context) => ({
    name: "accept",
    fd: context.fd(numberOf(fd)),
    flags: 0,
  }),
  accept4: ([fd, , , flags], context) => ({
    name: "accept",
    fd: context.fd(numberOf(fd)),
    flags: numberOr(flags, 0),
  }),
  connect: ([fd, address], context) => ({
    name: "connect",
    fd: context.fd(numberOf(fd)),
    address: addressOf(address, remoteAddress(context.options)),
  }),
  read: receiveForm("read"),
  recv: receiveForm("recv"),
  recvfrom: receiveForm("recvfrom"),
  readv: ([fd, list], context) => ({
    name: "receive",
    form: "readv",
    fd: context.fd(numberOf(fd)),
    sizes: vectors(list).map(({ length }) => numberOf(length)),
    flags: 0,
    controlBytes: 0,
    isNull: false,
  }),
  recvmsg: ([fd, expression, flags], context) => {
    const fields = message(expression);
    return {
      name: "receive",
      form: "recvmsg",
      fd: context.fd(numberOf(fd)),
      sizes: vectors(member(fields, "msg_iov")).map(({ length }) => numberOf(length)),
      flags: numberOr(flags, 0),
      controlBytes: member(fields, "msg_control") === undefined ? 0 : 512,
      isNull: false,
    };
  },
  write: sendForm("write"),
  push: sendForm("write"),
  pushto: sendForm("sendto"),
  pop: receiveForm("read"),
  send: sendForm("send"),
  sendto: sendForm("sendto"),
  writev: ([fd, list], context) => ({
    name: "send",
    form: "writev",
    fd: context.fd(numberOf(fd)),
    pieces: vectors(list).map(({ base, length }) => contents(base, length)),
    flags: 0,
    control: [],
    isNull: false,
  }),
  sendmsg: ([fd, expression, flags], context) => {
    const fields = message(expression);
    // `msg_name(...)=...` is the usual address, as `...` is in sendto.
    const name = fields.find((field) => field.name === "msg_name")?.value;
    return {
      name: "send",
      form: "sendmsg",
      fd: context.fd(numberOf(fd)),
      pieces: vectors(member(fields, "msg_iov")).map(({ base, length }) => contents(base, length)),
      flags: numberOr(flags, 0),
      address: name === undefined ? undefined : addressOf(name, remoteAddress(context.options)),
      control: controlMessages(member(fields, "msg_control")),
      isNull: false,
    };
  },
  shutdown: ([fd, how], context) => ({
    name: "shutdown",
    fd: context.fd(numberOf(fd)),
    how: numberOf(how),
  }),
  close: ([fd], context) => ({ name: "close", fd: context.fd(numberOf(fd)) }),
  fcntl: ([fd, command, value], context) => ({
    name: "fcntl",
    fd: context.fd(numberOf(fd)),
    command: numberOf(command),
    value: numberOr(value, 0),
  }),
  ioctl: ([fd, request, value], context) => ({
    name: "ioctl",
    fd: context.fd(numberOf(fd)),
    request: numberOf(request),
    value: value?.kind === "integer" ? numberOf(value) : 0,
  }),
  getsockopt: ([fd, level, option, value, length], context) => ({
    name: "getsockopt",
    fd: context.fd(numberOf(fd)),
    level: numberOf(level),
    option: numberOf(option),
    size: numberOr(length, structureOf(value) === undefined ? 4 : 8),
  }),
  setsockopt: ([fd, level, option, value, length], context) => ({
    name: "setsockopt",
    fd: context.fd(numberOf(fd)),
    level: numberOf(level),
    option: numberOf(option),
    value: optionBytes(value, length),
  }),
  poll: ([list, , timeout], context) => {
    if (list?.kind !== "list") throw new ArgumentError("poll takes a list [{fd=, events=}, …]");
    const entries = list.items.map((item) => {
      const fields = structureOf(item)?.fields ?? [];
      const fd = numberOf(member(fields, "fd"));
      return { fd: context.fd(fd), events: numberOr(member(fields, "events"), 0) };
    });
    return { name: "poll", entries, timeoutMs: numberOf(timeout) };
  },
  epoll_create: () => ({ name: "epoll_create", flags: 0 }),
  epoll_create1: ([flags]) => ({ name: "epoll_create", flags: numberOr(flags, 0) }),
  epoll_ctl: ([epollFd, operation, fd, event], context) => ({
    name: "epoll_ctl",
    epollFd: context.fd(numberOf(epollFd)),
    operation: numberOf(operation),
    fd: context.fd(numberOf(fd)),
    event: epollEvent(event, context),
  }),
  epoll_wait: ([epollFd, , eventsMax, timeout], context) => ({
    name: "epoll_wait",
    epollFd: context.fd(numberOf(epollFd)),
    eventsMax: numberOf(eventsMax),
    timeoutMs: numberOf(timeout),
  }),
  pipe: () => ({ name: "pipe" }),
  open: ([path, flags]) => ({
    name: "open",
    path: path?.kind === "string" ? path.value : "/dev/null",
    flags: numberOr(flags, 0),
  }),
  splice: ([from, , to, , size, flags], context) => ({
    name: "splice",
    fromFd: context.fd(numberOf(from)),
    toFd: context.fd(numberOf(to)),
    size: numberOf(size),
    flags: numberOr(flags, 0),
  }),
  sendfile: ([to, from, offset, size], context) => ({
    name: "sendfile",
    toFd: context.fd(numberOf(to)),
    fromFd: context.fd(numberOf(from)),
    offset: numberOr(offset, 0),
    size: numberOf(size),
  }),
};

/** Throws `ArgumentError` for arguments that make no sense, `UnsupportedError` for unknown calls. */
export function resolveCall(action: SystemCallAction, context: CallContext): Call {
  const reader = readers[action.name];
  if (reader === undefined) {
    throw new UnsupportedError(`the call ${action.name} is not supported by this interpreter`);
  }
  return reader(action.arguments, context);
}
