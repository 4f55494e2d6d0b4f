/** What operations return and what they resolve to. */
import type { DemibunError } from "../errors";
import type { ScatterGatherArray } from "./scatter-gather-array";
import type { SocketAddress } from "./socket-address";

/** Names an open queue (a socket). */
export type QueueDescriptor = number & { readonly __brand: "QueueDescriptor" };
/** Names a pending operation; an exact integer that is never used twice. */
export type QueueToken = number & { readonly __brand: "QueueToken" };

export type SocketKind = "stream" | "datagram";

interface Completed {
  readonly qd: QueueDescriptor;
  readonly qt: QueueToken;
}

/**
 * The result of an operation. A popped array without bytes is the end of a stream; the application
 * owns every popped array. A failed operation is a result too, not an exception.
 */
export type QueueResult =
  | (Completed & { readonly opcode: "push" | "connect" | "close" })
  | (Completed & { readonly opcode: "pop"; readonly sga: ScatterGatherArray })
  | (Completed & {
      readonly opcode: "accept";
      readonly accepted: QueueDescriptor;
      readonly peer: SocketAddress;
    })
  | (Completed & { readonly opcode: "failed"; readonly error: DemibunError });
