/** What must hold in every run, by name. */
import { formatIpv4 } from "../../wasm/address";

export type Invariant =
  /** Delivered bytes are a prefix of the sent ones, and equal after an orderly close. */
  | "delivery"
  /** SND.UNA ≤ SND.NXT ≤ SND.MAX, none of them and not RCV.NXT ever going back. */
  | "sequence"
  /** The right edge of the announced window never moves left (RFC 9293 section 3.8.6). */
  | "window-retracted"
  /** No more is announced than the buffer takes. */
  | "window-size"
  /** New data keeps within the congestion window (RFC 5681). */
  | "congestion-window"
  /** New data keeps within the peer's window. */
  | "send-window"
  /** What counts as lost, or as arrived out of order, is what the frames' marks say. */
  | "scoreboard"
  /** Only transitions of RFC 9293 figure 5, and what each state presumes. */
  | "state"
  /** The retransmission timer runs if and only if something is outstanding (RFC 6298 section 5). */
  | "timer"
  /** Every frame parses, with good lengths and checksums. */
  | "frame"
  /** No segment exceeds what the peer's MSS and the MTU allow. */
  | "segment-size"
  /** Nothing is sent beyond the FIN. */
  | "after-fin"
  /** Nothing is acknowledged that was not sent, and acknowledgments never go back. */
  | "acknowledgment"
  /** Frames a host sends of itself are bounded. */
  | "storm"
  /** Nothing is out of any pool when nothing is going on. */
  | "pools"
  /** No connection is lost or refused while nothing happens that may end it. */
  | "connection"
  /** Once the network has healed, everything completes within a bound. */
  | "liveness";

export class InvariantError extends Error {
  readonly invariant: Invariant;
  readonly host: string;
  readonly timeNs: number;

  constructor(invariant: Invariant, host: string, timeNs: number, detail: string) {
    super(`${invariant}: host ${host} at ${(timeNs / 1e6).toFixed(3)} ms: ${detail}`);
    this.name = "InvariantError";
    this.invariant = invariant;
    this.host = host;
    this.timeNs = timeNs;
  }
}

/** `10.0.0.1:80 > 10.0.0.2:1025`, as a connection is named in messages. */
export function connectionName(connection: {
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
}): string {
  const { localAddress, localPort, remoteAddress, remotePort } = connection;
  return `${formatIpv4(localAddress)}:${localPort} > ${formatIpv4(remoteAddress)}:${remotePort}`;
}
