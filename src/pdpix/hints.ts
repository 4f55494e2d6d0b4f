/** What to do about an operation's refusal, by its errno; only where that is not obvious. */
import {
  ERRNO_EADDRINUSE,
  ERRNO_EADDRNOTAVAIL,
  ERRNO_EAGAIN,
  ERRNO_EDESTADDRREQ,
  ERRNO_EMFILE,
  ERRNO_EMSGSIZE,
  ERRNO_ENETUNREACH,
  ERRNO_ENOBUFS,
} from "../../assembly/layout";

const hints: ReadonlyMap<number, string> = new Map([
  [ERRNO_EADDRINUSE, "choose another port, or port 0 for any free one"],
  [
    ERRNO_EADDRNOTAVAIL,
    "bind to demikernel.local_ipv4_addr of the configuration, or leave the hostname out",
  ],
  [
    ERRNO_EAGAIN,
    "collect results with wait, waitAny or waitNext, or raise inetstack_config.tokens",
  ],
  [ERRNO_EDESTADDRREQ, "bind the socket first"],
  [ERRNO_EMFILE, "close queues, or raise inetstack_config.queues and connections"],
  [ERRNO_EMSGSIZE, "a datagram holds at most 65,507 bytes"],
  [ERRNO_ENETUNREACH, "set demikernel.gateway_ipv4_addr in the configuration"],
  [ERRNO_ENOBUFS, "free popped arrays, or raise inetstack_config.frames and connections"],
]);

export function hintFor(errno: number): string | undefined {
  return hints.get(Math.abs(errno));
}
