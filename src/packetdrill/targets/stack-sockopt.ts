/** Socket options of the stack's sockets, in Linux's layout. */
import {
  ERRNO_EINVAL,
  ERRNO_EISCONN,
  ERRNO_ENOENT,
  ERRNO_ENOPROTOOPT,
  SOCKET_OPTION_CONTROLLER,
  SOCKET_OPTION_CORK,
  SOCKET_OPTION_FAST_OPEN,
  SOCKET_OPTION_FAST_OPEN_CONNECT,
  SOCKET_OPTION_FAST_OPEN_NO_COOKIE,
  SOCKET_OPTION_KEEP_ALIVE,
  SOCKET_OPTION_KEEP_ALIVE_IDLE,
  SOCKET_OPTION_KEEP_ALIVE_INTERVAL,
  SOCKET_OPTION_KEEP_ALIVE_PROBES,
  SOCKET_OPTION_LINGER,
  SOCKET_OPTION_MSS_MAX,
  SOCKET_OPTION_NODELAY,
  SOCKET_OPTION_QUICK_ACK,
  SOCKET_OPTION_PACING_RATE,
  SOCKET_OPTION_RECEIVE_BUFFER,
  SOCKET_OPTION_SEND_BUFFER,
  SOCKET_OPTION_SYN_RETRIES,
  SOCKET_OPTION_TIME_TO_LIVE,
  SOCKET_OPTION_TYPE_OF_SERVICE,
  SOCKET_OPTION_UNSENT_MAX,
  SOCKET_OPTION_USER_TIMEOUT,
} from "../../../assembly/layout";
import { CLOSED, FIN_RECEIVED, LISTEN } from "../../../assembly/transport/tcp/record";
import { controllerName, controllerNumber } from "../../wasm/congestion-control";
import * as linux from "./stack-linux";
import type { StackMachine } from "./stack-machine";
import { linuxControllers } from "./stack-settings";
import { failure, type KernelSocket, success } from "./stack-socket";
import { StreamSocket } from "./stack-stream";
import { type CallResult, type ControlMessage, UnsupportedError } from "./target";

const TIME_TO_LIVE = 64;

/** What RFC 9293 section 3.7.1 assumes, as Linux tells it of a socket without a peer. */
const MSS_DEFAULT = 536;

/** The sizes that the stack has (assembly/transport/tcp/socket.ts). */
const BUFFER_MIN = 4096;
const BUFFER_MAX = 1 << 29;

type Counterpart = readonly [option: number, unit: number];

/** Options of IPPROTO_TCP that the stack has: its number, and what Linux counts in (1000: seconds). */
const tcpOptions: ReadonlyMap<number, Counterpart> = new Map([
  [linux.TCP_NODELAY, [SOCKET_OPTION_NODELAY, 1]],
  [linux.TCP_CORK, [SOCKET_OPTION_CORK, 1]],
  [linux.TCP_QUICKACK, [SOCKET_OPTION_QUICK_ACK, 1]],
  [linux.TCP_MAXSEG, [SOCKET_OPTION_MSS_MAX, 1]],
  [linux.TCP_KEEPIDLE, [SOCKET_OPTION_KEEP_ALIVE_IDLE, 1000]],
  [linux.TCP_KEEPINTVL, [SOCKET_OPTION_KEEP_ALIVE_INTERVAL, 1000]],
  [linux.TCP_KEEPCNT, [SOCKET_OPTION_KEEP_ALIVE_PROBES, 1]],
  [linux.TCP_USER_TIMEOUT, [SOCKET_OPTION_USER_TIMEOUT, 1]],
]);

/** The same of IPPROTO_IP. */
const ipOptions: ReadonlyMap<number, Counterpart> = new Map([
  [linux.IP_TOS, [SOCKET_OPTION_TYPE_OF_SERVICE, 1]],
  [linux.IP_TTL, [SOCKET_OPTION_TIME_TO_LIVE, 1]],
]);

/** Of connects and listeners. */
const openingOptions: ReadonlyMap<number, number> = new Map([
  [linux.TCP_SYNCNT, SOCKET_OPTION_SYN_RETRIES],
  [linux.TCP_FASTOPEN, SOCKET_OPTION_FAST_OPEN],
  [linux.TCP_FASTOPEN_CONNECT, SOCKET_OPTION_FAST_OPEN_CONNECT],
  [linux.TCP_FASTOPEN_NO_COOKIE, SOCKET_OPTION_FAST_OPEN_NO_COOKIE],
]);

/** TCP_CA_NAME_MAX. */
const CONTROLLER_NAME_SIZE = 16;

/** Options that change nothing about a single connection in a script. */
const harmless: ReadonlySet<number> = new Set([linux.SO_REUSEADDR, linux.SO_REUSEPORT]);

function int(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

function readInt(bytes: Uint8Array, at = 0): number | undefined {
  if (bytes.length < at + 4) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(at, true);
}

/** The kernel takes the nearest size that it has (socket(7)); the stack refuses others. */
function bufferBytes(wanted: number): number {
  return Math.min(BUFFER_MAX, Math.max(BUFFER_MIN, wanted));
}

function output(bytes: Uint8Array, size: number): CallResult {
  return { value: 0, errno: 0, output: bytes.subarray(0, size) };
}

export class SocketOptions {
  readonly #machine: StackMachine;
  readonly #set = new Map<string, number>();

  constructor(machine: StackMachine) {
    this.#machine = machine;
  }

  set(socket: KernelSocket, level: number, option: number, value: Uint8Array): CallResult {
    if (level === linux.IPPROTO_IP && socket instanceof StreamSocket) {
      return this.#setIp(socket, option, value);
    }
    const number = readInt(value);
    if (number === undefined) return failure(ERRNO_EINVAL);
    if (level === linux.SOL_SOCKET && harmless.has(option)) {
      this.#set.set(`${socket.qd}/${option}`, number);
      return success(0);
    }
    if (!(socket instanceof StreamSocket)) return unsupported("setsockopt", level, option);
    if (level === linux.SOL_SOCKET) return this.#setSocketLevel(socket, option, number, value);
    if (level !== linux.IPPROTO_TCP) return unsupported("setsockopt", level, option);
    const opening = openingOptions.get(option);
    if (opening !== undefined) return this.#setOpening(socket, opening, number);
    if (option === linux.TCP_CONGESTION) return this.#setController(socket, value);
    if (option === linux.TCP_NOTSENT_LOWAT) return this.#setUnsentMax(socket, number);
    if (option === linux.TCP_INQ) {
      if (number !== 0 && number !== 1) return failure(ERRNO_EINVAL);
      this.#set.set(`${socket.qd}/inq`, number);
      return success(0);
    }
    const counterpart = tcpOptions.get(option);
    if (counterpart === undefined) return unsupported("setsockopt", level, option);
    const result = this.#store(socket, counterpart[0], number * counterpart[1]);
    // Once there is a peer the MSS has been told; Linux notes the number without effect.
    const isLate = option === linux.TCP_MAXSEG && result.errno === ERRNO_EISCONN;
    return isLate ? success(0) : result;
  }

  #setIp(socket: StreamSocket, option: number, value: Uint8Array): CallResult {
    const number = readInt(value) ?? value[0] ?? 0;
    // DF is clear in no segment that ours would differ in.
    if (option === linux.IP_MTU_DISCOVER) return success(0);
    const counterpart = ipOptions.get(option);
    if (counterpart === undefined) return unsupported("setsockopt", linux.IPPROTO_IP, option);
    // −1 is the default time to live.
    const isDefault = option === linux.IP_TTL && number === -1;
    return this.#store(socket, counterpart[0], isDefault ? TIME_TO_LIVE : number);
  }

  /** 0 is what the sysctl says; all bits set is no limit. */
  #setUnsentMax(socket: StreamSocket, number: number): CallResult {
    this.#set.set(`${socket.qd}/lowat`, number >>> 0);
    const wanted = number >>> 0 || this.#machine.stack.options.unsentMaxBytes;
    // What is beyond every buffer is no limit.
    const limit = wanted > BUFFER_MAX ? 0 : wanted;
    return this.#store(socket, SOCKET_OPTION_UNSENT_MAX, limit);
  }

  #setController(socket: StreamSocket, value: Uint8Array): CallResult {
    const control = linuxControllers[new TextDecoder().decode(value).replace(/\0.*$/s, "")];
    if (control === undefined) return failure(ERRNO_ENOENT);
    return this.#store(socket, SOCKET_OPTION_CONTROLLER, controllerNumber(control));
  }

  /** What only a socket without a connection has is EINVAL for others there. */
  #setOpening(socket: StreamSocket, option: number, value: number): CallResult {
    const result = this.#store(socket, option, value);
    return result.errno === ERRNO_EISCONN ? failure(ERRNO_EINVAL) : result;
  }

  #getController(socket: StreamSocket): Uint8Array {
    const control = controllerName(this.#load(socket, SOCKET_OPTION_CONTROLLER));
    const name = Object.keys(linuxControllers).find((key) => linuxControllers[key] === control);
    const bytes = new Uint8Array(CONTROLLER_NAME_SIZE);
    new TextEncoder().encodeInto(name ?? "", bytes);
    return bytes;
  }

  #setSocketLevel(
    socket: StreamSocket,
    option: number,
    number: number,
    value: Uint8Array,
  ): CallResult {
    switch (option) {
      case linux.SO_KEEPALIVE:
        return this.#store(socket, SOCKET_OPTION_KEEP_ALIVE, number);
      case linux.SO_MAX_PACING_RATE:
        // All bits set say that there is no limit.
        return this.#store(socket, SOCKET_OPTION_PACING_RATE, Math.max(0, number));
      case linux.SO_SNDBUF:
        return this.#store(socket, SOCKET_OPTION_SEND_BUFFER, bufferBytes(2 * number));
      case linux.SO_RCVBUF:
        return this.#store(socket, SOCKET_OPTION_RECEIVE_BUFFER, bufferBytes(number));
      case linux.SO_LINGER: {
        const seconds = readInt(value, 4);
        if (seconds === undefined) return failure(ERRNO_EINVAL);
        socket.lingerSeconds = number === 0 ? -1 : seconds;
        return this.#store(socket, SOCKET_OPTION_LINGER, socket.lingerSeconds);
      }
      default:
        return unsupported("setsockopt", linux.SOL_SOCKET, option);
    }
  }

  #store(socket: StreamSocket, option: number, value: number): CallResult {
    const errno = -this.#machine.stack.exports.setOption(socket.qd, option, value);
    this.#machine.flush();
    return errno > 0 ? failure(errno) : success(0);
  }

  /** The control messages of a recvmsg that has taken what it takes: TCP_CM_INQ. */
  controlOf(socket: KernelSocket): ControlMessage[] {
    if (!(socket instanceof StreamSocket) || this.#set.get(`${socket.qd}/inq`) !== 1) return [];
    // tcp_inq_hint: the end of the stream counts as a byte.
    const left = socket.readableBytes + (socket.view.has(FIN_RECEIVED) ? 1 : 0);
    return [{ level: linux.IPPROTO_TCP, type: linux.TCP_INQ, data: int(left) }];
  }

  get(socket: KernelSocket, level: number, option: number, size: number): CallResult {
    if (level === linux.SOL_SOCKET) return this.#getSocketLevel(socket, option, size);
    const ip = level === linux.IPPROTO_IP ? ipOptions.get(option) : undefined;
    if (ip !== undefined && socket instanceof StreamSocket) {
      return output(int(this.#load(socket, ip[0])), size);
    }
    if (level !== linux.IPPROTO_TCP || !(socket instanceof StreamSocket)) {
      return level === linux.IPPROTO_TCP
        ? failure(ERRNO_ENOPROTOOPT)
        : unsupported("getsockopt", level, option);
    }
    const opening = openingOptions.get(option);
    if (opening !== undefined) return output(int(this.#load(socket, opening)), size);
    if (option === linux.TCP_CONGESTION) return output(this.#getController(socket), size);
    if (option === linux.TCP_MAXSEG) return output(int(this.#segmentBytes(socket)), size);
    if (option === linux.TCP_NOTSENT_LOWAT) {
      return output(int(this.#set.get(`${socket.qd}/lowat`) ?? 0), size);
    }
    if (option === linux.TCP_INQ) return output(int(this.#set.get(`${socket.qd}/inq`) ?? 0), size);
    const counterpart = tcpOptions.get(option);
    if (counterpart === undefined) return unsupported("getsockopt", level, option);
    return output(int(this.#load(socket, counterpart[0]) / counterpart[1]), size);
  }

  #segmentBytes(socket: StreamSocket): number {
    const { mss, stateNumber } = socket.view;
    if (stateNumber !== CLOSED && stateNumber !== LISTEN) return mss || MSS_DEFAULT;
    return this.#load(socket, SOCKET_OPTION_MSS_MAX) || mss || MSS_DEFAULT;
  }

  #getSocketLevel(socket: KernelSocket, option: number, size: number): CallResult {
    const isStream = socket instanceof StreamSocket;
    switch (option) {
      case linux.SO_ERROR:
        return output(int(socket.takeError()), size);
      case linux.SO_TYPE:
        return output(int(isStream ? linux.SOCK_STREAM : linux.SOCK_DGRAM), size);
      case linux.SO_DOMAIN:
        return output(int(linux.AF_INET), size);
      case linux.SO_PROTOCOL:
        return output(int(isStream ? linux.IPPROTO_TCP : linux.IPPROTO_UDP), size);
      case linux.SO_ACCEPTCONN:
        return output(int(isStream && socket.isListening ? 1 : 0), size);
      case linux.SO_REUSEADDR:
      case linux.SO_REUSEPORT:
        return output(int(this.#set.get(`${socket.qd}/${option}`) ?? 0), size);
    }
    if (!isStream) return unsupported("getsockopt", linux.SOL_SOCKET, option);
    switch (option) {
      case linux.SO_KEEPALIVE:
        return output(int(this.#load(socket, SOCKET_OPTION_KEEP_ALIVE)), size);
      case linux.SO_MAX_PACING_RATE:
        return output(int(this.#load(socket, SOCKET_OPTION_PACING_RATE) || -1), size);
      case linux.SO_SNDBUF:
        return output(int(this.#load(socket, SOCKET_OPTION_SEND_BUFFER)), size);
      case linux.SO_RCVBUF:
        return output(int(this.#load(socket, SOCKET_OPTION_RECEIVE_BUFFER)), size);
      case linux.SO_LINGER: {
        const seconds = socket.lingerSeconds;
        const bytes = new Uint8Array(8);
        bytes.set(int(seconds < 0 ? 0 : 1));
        bytes.set(int(Math.max(0, seconds)), 4);
        return output(bytes, size);
      }
      default:
        return unsupported("getsockopt", linux.SOL_SOCKET, option);
    }
  }

  #load(socket: StreamSocket, option: number): number {
    return this.#machine.stack.exports.getOption(socket.qd, option);
  }
}

function unsupported(call: string, level: number, option: number): never {
  throw new UnsupportedError(
    `${call} of option ${option} at level ${level} is not supported by this stack`,
  );
}
