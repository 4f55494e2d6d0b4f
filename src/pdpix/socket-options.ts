/** Socket options between their public values and the stack's integers. */
import {
  ERRNO_EINVAL,
  ERRNO_ENOPROTOOPT,
  LINGER_OFF,
  SOCKET_OPTION_CONTROLLER,
  SOCKET_OPTION_CORK,
  SOCKET_OPTION_FAST_OPEN,
  SOCKET_OPTION_FAST_OPEN_CONNECT,
  SOCKET_OPTION_FAST_OPEN_NO_COOKIE,
  SOCKET_OPTION_ECN,
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
} from "../../assembly/layout";
import { DemibunError, fail } from "../errors";
import { type CongestionControl, congestionControls } from "../config/congestion-control";
import { type EcnMode, ecnModes } from "../config/ecn";
import { controllerName, controllerNumber } from "../wasm/congestion-control";
import { ecnMode, ecnNumber } from "../wasm/ecn";

export interface KeepAlive {
  readonly delayMs?: number;
  readonly intervalMs?: number;
  readonly probes?: number;
}

export interface SocketOptions {
  /** Sends small segments at once instead of gathering them (RFC 896). */
  noDelay: boolean;
  /** `{ seconds: 0 }` makes close abortive (RST); false closes in order in the background. */
  linger: false | { readonly seconds: number };
  /**
   * Probes the peer when nothing has been heard for `delayMs`, then each `intervalMs`; `probes` of
   * them without an answer end the connection with ETIMEDOUT. What is left out stays as it was; by
   * default 2 hours, 75 s and 9.
   */
  keepAlive: false | KeepAlive;
  /**
   * How long data may wait for an acknowledgment before the connection ends with ETIMEDOUT (RFC 5482),
   * up to three days; 0: the stack's number of repetitions decides.
   */
  userTimeoutMs: number;
  receiveBufferBytes: number;
  sendBufferBytes: number;
  /** Holds segments that are not full back for more, 200 ms at most; false lets them go. */
  cork: boolean;
  /** False: acknowledgments wait for data that carry them; true: the next ones leave at once. */
  quickAck: boolean;
  /** Largest MSS to announce and to use, 88…32,767, to be set before the connection; 0: the device's. */
  mssMaxBytes: number;
  /** Pushes complete only while fewer bytes than this have never been sent; 0: no such limit. */
  unsentMaxBytes: number;
  /** The IP header's byte of that name (DSCP in its upper six bits; ECN's two are left alone). */
  typeOfService: number;
  /** Routers that segments may pass, 1…255; 64 by default. */
  timeToLive: number;
  /** Who sizes the congestion window: CUBIC (RFC 9438), NewReno (RFC 5681) or DCTCP (RFC 8257). */
  congestionControl: CongestionControl;
  /**
   * Of a listener: how many connections it hands out at most whose handshake has not ended (RFC 7413
   * section 5.1). Their first data come with the SYN, which an attacker can repeat: only for requests
   * that may be carried out twice. 0: none.
   */
  fastOpenRequests: number;
  /**
   * Before connect: it asks the server for a cookie or, when there is one, is done at once and the SYN
   * leaves with the first push. A push may follow connect at once in either case.
   */
  fastOpenConnect: boolean;
  /** Repetitions of a connect's SYN without an answer, up to 127; 0: the stack's `syn_retries`. */
  synRetries: number;
  /** Data in SYNs need no cookie: for networks in which nobody forges addresses (section 6.1). */
  fastOpenNoCookie: boolean;
  /** Whether the connection to be made uses explicit congestion notification (RFC 3168). */
  ecn: EcnMode;
  /** Payload that leaves in a second at most; a number turns pacing on, 0 takes the limit away. */
  pacingBytesPerSecond: number;
}

const numbers: Readonly<Record<keyof SocketOptions, number>> = {
  noDelay: SOCKET_OPTION_NODELAY,
  linger: SOCKET_OPTION_LINGER,
  keepAlive: SOCKET_OPTION_KEEP_ALIVE,
  userTimeoutMs: SOCKET_OPTION_USER_TIMEOUT,
  receiveBufferBytes: SOCKET_OPTION_RECEIVE_BUFFER,
  sendBufferBytes: SOCKET_OPTION_SEND_BUFFER,
  congestionControl: SOCKET_OPTION_CONTROLLER,
  cork: SOCKET_OPTION_CORK,
  quickAck: SOCKET_OPTION_QUICK_ACK,
  mssMaxBytes: SOCKET_OPTION_MSS_MAX,
  unsentMaxBytes: SOCKET_OPTION_UNSENT_MAX,
  typeOfService: SOCKET_OPTION_TYPE_OF_SERVICE,
  timeToLive: SOCKET_OPTION_TIME_TO_LIVE,
  synRetries: SOCKET_OPTION_SYN_RETRIES,
  fastOpenRequests: SOCKET_OPTION_FAST_OPEN,
  fastOpenConnect: SOCKET_OPTION_FAST_OPEN_CONNECT,
  fastOpenNoCookie: SOCKET_OPTION_FAST_OPEN_NO_COOKIE,
  ecn: SOCKET_OPTION_ECN,
  pacingBytesPerSecond: SOCKET_OPTION_PACING_RATE,
};

/** Options that are on or off. */
const switches: ReadonlySet<string> = new Set([
  "noDelay",
  "cork",
  "quickAck",
  "fastOpenConnect",
  "fastOpenNoCookie",
]);
/** Options of which 0 is a value. */
const fromZero: ReadonlySet<string> = new Set([
  "userTimeoutMs",
  "pacingBytesPerSecond",
  "mssMaxBytes",
  "unsentMaxBytes",
  "typeOfService",
  "fastOpenRequests",
  "synRetries",
]);

const keepAliveNumbers: Readonly<Record<keyof KeepAlive, number>> = {
  delayMs: SOCKET_OPTION_KEEP_ALIVE_IDLE,
  intervalMs: SOCKET_OPTION_KEEP_ALIVE_INTERVAL,
  probes: SOCKET_OPTION_KEEP_ALIVE_PROBES,
};

/** One of the stack's options: its number and its value. */
type Setting = readonly [option: number, value: number];

/** The stack's number of an option. Throws ENOPROTOOPT for a name that is none. */
function optionNumber(name: string, operation: string): number {
  const number = Object.hasOwn(numbers, name) ? numbers[name as keyof SocketOptions] : undefined;
  if (number === undefined) {
    fail(operation, ERRNO_ENOPROTOOPT, `options are: ${Object.keys(numbers).join(", ")}`);
  }
  return number;
}

/**
 * What to set in the stack, in order, for an option's value. Throws ENOPROTOOPT for a name that is
 * none, EINVAL when the value does not fit.
 */
export function encodeOption(name: keyof SocketOptions, value: unknown): readonly Setting[] {
  const number = optionNumber(name, "setOption");
  if (switches.has(name)) {
    if (typeof value === "boolean") return [[number, value ? 1 : 0]];
  } else if (name === "linger") {
    if (value === false) return [[number, LINGER_OFF]];
    const seconds = (value as { seconds?: unknown } | null)?.seconds;
    if (isCount(seconds) && seconds <= 65535) return [[number, seconds]];
  } else if (name === "keepAlive") {
    const times = encodeKeepAlive(value);
    if (times !== undefined) return [...times, [number, value === false ? 0 : 1]];
  } else if (name === "congestionControl") {
    const control = congestionControls.find((known) => known === value);
    if (control !== undefined) return [[number, controllerNumber(control)]];
  } else if (name === "ecn") {
    const mode = ecnModes.find((known) => known === value);
    if (mode !== undefined) return [[number, ecnNumber(mode)]];
  } else if (isPositive(value) || (value === 0 && fromZero.has(name))) {
    return [[number, value]];
  }
  throw new DemibunError({
    operation: "setOption",
    errno: ERRNO_EINVAL,
    detail: `${JSON.stringify(value)} is not a value of ${name}`,
  });
}

function encodeKeepAlive(value: unknown): Setting[] | undefined {
  if (value === false) return [];
  if (typeof value !== "object" || value === null) return undefined;
  const settings: Setting[] = [];
  for (const [name, number] of Object.entries(value)) {
    if (!Object.hasOwn(keepAliveNumbers, name) || !isPositive(number)) return undefined;
    settings.push([keepAliveNumbers[name as keyof KeepAlive], number]);
  }
  return settings;
}

/**
 * An option's value from the stack's, which `read` gets by their numbers. Throws ENOPROTOOPT for a
 * name that is none.
 */
export function decodeOption(
  name: keyof SocketOptions,
  read: (option: number) => number,
): SocketOptions[typeof name] {
  const value = read(optionNumber(name, "getOption"));
  if (switches.has(name)) return value !== 0;
  if (name === "linger") return value === LINGER_OFF ? false : { seconds: value };
  if (name === "congestionControl") return controllerName(value);
  if (name === "ecn") return ecnMode(value);
  if (name !== "keepAlive") return value;
  if (value === 0) return false;
  const { delayMs, intervalMs, probes } = keepAliveNumbers;
  return { delayMs: read(delayMs), intervalMs: read(intervalMs), probes: read(probes) };
}

function isPositive(value: unknown): value is number {
  return isCount(value) && value > 0 && value < 2 ** 31;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}
