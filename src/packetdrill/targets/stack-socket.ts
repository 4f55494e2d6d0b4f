/** What calls need of either kind of socket. An attempt that would block answers undefined. */
import type { CallResult, SocketAddress } from "./target";

export interface SendOptions {
  readonly isBlocking: boolean;
  /** MSG_MORE. */
  readonly more: boolean;
  /** MSG_EOR. */
  readonly endsRecord: boolean;
  readonly address: SocketAddress | undefined;
}

export interface KernelSocket {
  readonly kind: "stream" | "datagram";
  readonly qd: number;
  bind(address: SocketAddress): CallResult;
  listen(backlog: number): CallResult;
  accept(): CallResult | undefined;
  connect(address: SocketAddress, isBlocking: boolean): CallResult | undefined;
  receive(size: number): CallResult | undefined;
  send(contents: Uint8Array, options: SendOptions): CallResult | undefined;
  shutdown(how: number): CallResult;
  /** The token of the stack's close. */
  close(): number;
  /** POLL… bits that hold now. */
  poll(): number;
  takeError(): number;
  readonly edge: string;
  readonly readableBytes: number;
  readonly unsentBytes: { readonly all: number; readonly neverSent: number };
}

export function success(value: number): CallResult {
  return { value, errno: 0 };
}

export function failure(errno: number): CallResult {
  return { value: -1, errno };
}
