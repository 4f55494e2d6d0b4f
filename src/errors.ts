/**
 * The one error of the package. AssemblyScript and the shims return a negative errno; here it
 * becomes an exception with the name, the operation that failed and, where there is one, the
 * command that mends it.
 */
import * as layout from "../assembly/layout";

/** What each errno of assembly/layout.ts means for a caller of this API. */
const texts: Readonly<Record<string, string>> = {
  EPERM: "the operation needs a privilege this process does not have",
  ENOENT: "no such file or name",
  EINTR: "the call was interrupted",
  EIO: "the device failed",
  ENXIO: "no such device or address",
  EBADF: "the queue descriptor is closed or was never opened",
  EAGAIN: "nothing to do now; try again later",
  ENOMEM: "out of memory",
  EACCES: "permission denied",
  EFAULT: "a bad address was passed",
  EBUSY: "the device or resource is busy",
  EEXIST: "it exists already",
  ENODEV: "no such device",
  EINVAL: "an argument is not valid",
  ENFILE: "too many open files in the system",
  EMFILE: "too many open queues or files",
  ENOSPC: "no space left",
  EPIPE: "this side has already ended its sending direction",
  ERANGE: "a number is out of range",
  ENAMETOOLONG: "a name is too long",
  ENOSYS: "the call is not available here",
  EPROTO: "the peer broke the protocol",
  EOVERFLOW: "a value does not fit its type",
  ENOTSOCK: "the descriptor is not a socket",
  EDESTADDRREQ: "the socket has no local or remote address yet",
  EMSGSIZE: "the message is too long",
  EPROTOTYPE: "the protocol does not fit the socket type",
  ENOPROTOOPT: "no such socket option",
  EPROTONOSUPPORT: "the protocol is not supported",
  ENOTSUP: "not supported",
  EOPNOTSUPP: "not supported",
  EAFNOSUPPORT: "the address family is not supported",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "the address is not one of this stack's own",
  ENETDOWN: "the network interface is down",
  ENETUNREACH: "no route to the network",
  ECONNABORTED: "the connection was aborted on this side",
  ECONNRESET: "the peer reset the connection",
  ENOBUFS: "a pool of fixed size is exhausted",
  EISCONN: "the socket is already connected",
  ENOTCONN: "the socket is not connected",
  ESHUTDOWN: "the sending direction is closed",
  ETIMEDOUT: "the operation timed out",
  ECONNREFUSED: "the peer refused the connection",
  EHOSTDOWN: "the host is down",
  EHOSTUNREACH: "no route to the host",
  EALREADY: "an operation of this kind is already under way",
  EINPROGRESS: "the operation is already in progress",
  ECANCELED: "the operation was cancelled",
};

/** Linux errno number → code; where two codes share a number the first in layout.ts names it. */
const codes: ReadonlyMap<number, string> = (() => {
  const result = new Map<number, string>();
  for (const [name, value] of Object.entries(layout)) {
    if (!name.startsWith("ERRNO_")) continue;
    const code = name.slice("ERRNO_".length);
    if (!result.has(Number(value)) || code === "ENOTSUP") result.set(Number(value), code);
  }
  return result;
})();

/** Every errno this package knows: `{ errno, code, text }`, errno positive as in errno.h. */
export const errnoTable: readonly { errno: number; code: string; text: string }[] = [...codes].map(
  ([errno, code]) => ({ errno, code, text: texts[code] ?? code }),
);

/** The code of an errno of either sign, `"EINVAL"` for 22 and -22; `"E<number>"` when unknown. */
export function errnoCode(errno: number): string {
  return codes.get(Math.abs(errno)) ?? `E${Math.abs(errno)}`;
}

/** The meaning of an errno of either sign in a few words. */
export function errnoText(errno: number): string {
  return texts[errnoCode(errno)] ?? `unknown error ${Math.abs(errno)}`;
}

export interface DemibunErrorOptions {
  /** What was attempted, as the caller would name it: `"bind"`, `"open tap"`, `"config"`. */
  operation: string;
  /** Of either sign; kept positive. */
  errno: number;
  /** Replaces the errno's own text in the message; may go on for several lines. */
  detail?: string | undefined;
  /** What to do about it: names the command to run or the key to write. */
  hint?: string | undefined;
  cause?: unknown;
}

/** Thrown for misuse and for failures to open; failed operations on a queue are results instead. */
export class DemibunError extends Error {
  override readonly name = "DemibunError";
  /** Name of the errno, `"EADDRINUSE"`: stable, to be tested by programs. */
  readonly code: string;
  /** Positive Linux number of `code`. */
  readonly errno: number;
  /** What was attempted. */
  readonly operation: string;
  /** What to do about it, where that is known. */
  readonly hint: string | undefined;

  constructor({ operation, errno, detail, hint, cause }: DemibunErrorOptions) {
    const code = errnoCode(errno);
    const [summary, ...more] = (detail ?? errnoText(errno)).split("\n");
    const advice = hint === undefined ? [] : [`  hint: ${hint}`];
    super(
      [`${operation}: ${summary} (${code})`, ...more, ...advice].join("\n"),
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    this.errno = Math.abs(errno);
    this.operation = operation;
    this.hint = hint;
  }
}

/** Throws the error of `errno` (either sign), as a negative return of the stack or a shim. */
export function fail(operation: string, errno: number, hint?: string): never {
  throw new DemibunError({ operation, errno, hint });
}
