/** What the TCP client on the stack and the kernel's server agree on. */

/** Who ends a connection, and how; the index is the first byte on the wire. */
export const orders = [
  "client first",
  "server first",
  "both at once",
  "client aborts",
  "server aborts",
] as const;

export type Order = (typeof orders)[number];

/** Order, three bytes of nothing, bytes each side sends (little-endian). */
export const HEADER_BYTES = 8;

export interface ServerReport {
  readonly order: Order;
  /** "end", an error's code, or "aborted" where the server did that. */
  readonly ended: string;
  readonly isEqual: boolean;
}

export interface ClientReport {
  readonly order: Order;
  readonly isEqual: boolean;
  /** What the receiving direction ended with, where it was waited for: "end" or an error's code. */
  readonly ended: string;
  /** The result of close. */
  readonly closed: string;
}
