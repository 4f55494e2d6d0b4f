/** Socket options between their public values and the stack's integers. */
import {
  ERRNO_EINVAL,
  ERRNO_ENOPROTOOPT,
  LINGER_OFF,
  SOCKET_OPTION_LINGER,
  SOCKET_OPTION_NODELAY,
  SOCKET_OPTION_RECEIVE_BUFFER,
  SOCKET_OPTION_SEND_BUFFER,
} from "../../assembly/layout";
import { DemibunError, fail } from "../errors";

export interface SocketOptions {
  /** Sends small segments at once instead of gathering them (RFC 896). */
  noDelay: boolean;
  /** `{ seconds: 0 }` makes close abortive (RST); false closes in order in the background. */
  linger: false | { readonly seconds: number };
  receiveBufferBytes: number;
  sendBufferBytes: number;
}

const numbers: Readonly<Record<keyof SocketOptions, number>> = {
  noDelay: SOCKET_OPTION_NODELAY,
  linger: SOCKET_OPTION_LINGER,
  receiveBufferBytes: SOCKET_OPTION_RECEIVE_BUFFER,
  sendBufferBytes: SOCKET_OPTION_SEND_BUFFER,
};

/** The stack's number of an option. Throws ENOPROTOOPT for a name that is none. */
export function optionNumber(name: string, operation: string): number {
  const number = Object.hasOwn(numbers, name) ? numbers[name as keyof SocketOptions] : undefined;
  if (number === undefined) {
    fail(operation, ERRNO_ENOPROTOOPT, `options are: ${Object.keys(numbers).join(", ")}`);
  }
  return number;
}

/** The stack's integer for an option's value. Throws EINVAL when the value does not fit. */
export function encodeOption(name: keyof SocketOptions, value: unknown): number {
  if (name === "noDelay") {
    if (typeof value === "boolean") return value ? 1 : 0;
  } else if (name === "linger") {
    if (value === false) return LINGER_OFF;
    const seconds = (value as { seconds?: unknown } | null)?.seconds;
    if (isCount(seconds) && seconds <= 65535) return seconds;
  } else if (isCount(value) && value > 0 && value < 2 ** 31) {
    return value;
  }
  throw new DemibunError({
    operation: "setOption",
    errno: ERRNO_EINVAL,
    detail: `${JSON.stringify(value)} is not a value of ${name}`,
  });
}

export function decodeOption(name: keyof SocketOptions, value: number): SocketOptions[typeof name] {
  if (name === "noDelay") return value !== 0;
  if (name === "linger") return value === LINGER_OFF ? false : { seconds: value };
  return value;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}
