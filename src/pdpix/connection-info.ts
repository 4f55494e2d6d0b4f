/** What TCP_INFO is elsewhere: one connection's state as a plain object. */
import { ERRNO_ENOTCONN } from "../../assembly/layout";
import {
  CLOSED,
  ECN,
  FAST_ASKED,
  FAST_DATA_ACKNOWLEDGED,
  LISTEN,
  SACK_PERMITTED,
  SCALING,
  TIMESTAMPS,
} from "../../assembly/transport/tcp/record";
import { fail } from "../errors";
import type { CongestionState, Connections, ConnectionView, TcpState } from "../wasm/connections";
import { SocketAddress } from "./socket-address";

/** A copy: it does not follow the connection. Times are microseconds, amounts are bytes. */
export interface ConnectionInfo {
  /** RFC 9293 section 3.3.2. */
  readonly state: TcpState;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** SRTT and RTTVAR of RFC 6298; undefined until a round trip has been measured. */
  readonly rttUs: number | undefined;
  readonly rttVariationUs: number | undefined;
  /** The least of the round trips measured so far. */
  readonly minRttUs: number | undefined;
  /** Retransmission timeout before back-off. */
  readonly rtoUs: number;
  /** How often the timeout has been doubled since the last progress. */
  readonly backoff: number;
  readonly cwndBytes: number;
  /** Undefined until the first loss: slow start has no end yet. */
  readonly ssthreshBytes: number | undefined;
  readonly congestionState: CongestionState;
  readonly duplicateAcks: number;
  /** Segments sent again since the connection began, the SYN's repetitions included. */
  readonly retransmissions: number;
  /** Of the bytes in flight what the peer has told to have beyond a gap. */
  readonly sackedBytes: number;
  /** What the peer has acknowledged, and what has arrived from it in order, since the beginning. */
  readonly acknowledgedBytes: number;
  readonly receivedBytes: number;
  /**
   * How fast the path delivered what was sent in a recent round trip; undefined until one has been
   * measured. `limited`: the application or the peer's window kept it from being more.
   */
  readonly deliveryRate: { readonly bytesPerSecond: number; readonly limited: boolean } | undefined;
  /** Payload of the largest segment that may be sent. */
  readonly mssBytes: number;
  /** What the peer lets us have in flight, and what it may still send to us. */
  readonly sendWindowBytes: number;
  readonly receiveWindowBytes: number;
  readonly sendBufferBytes: number;
  readonly receiveBufferBytes: number;
  /** Sent and not acknowledged; taken from pushes and never sent; received in order, not popped. */
  readonly inFlightBytes: number;
  readonly unsentBytes: number;
  readonly unreadBytes: number;
  /** Frames kept beyond a gap. */
  readonly outOfOrderFrames: number;
  /** RFC 7323's shifts of the windows that the peer (send) and we (receive) announce, if agreed. */
  readonly windowScale: { readonly send: number; readonly receive: number } | undefined;
  /** Both ends agreed on timestamps (RFC 7323), on selective acknowledgments (RFC 2018). */
  readonly timestamps: boolean;
  readonly sack: boolean;
  /**
   * What became of Fast Open (RFC 7413): "none", also when nothing was asked for; "requested", the SYN
   * asked for a cookie or had data that were not acknowledged; "accepted", the data in the SYN were.
   */
  readonly fastOpen: FastOpenState;
  /** Both ends agreed on explicit congestion notification (RFC 3168). */
  readonly ecn: boolean;
}

export type FastOpenState = "none" | "requested" | "accepted";

/** From here on the stack's ssthresh is a limit that nothing reaches. */
const SSTHRESH_UNSET_BYTES = 2 ** 30;

/** Errors: ENOTCONN. */
export function readConnectionInfo(connections: Connections, qd: number): ConnectionInfo {
  const view = connections.of(qd);
  if (view === undefined || view.stateNumber === CLOSED || view.stateNumber === LISTEN) {
    fail("info", ERRNO_ENOTCONN, "connect the socket first; a listener has no connection");
  }
  return {
    state: view.state,
    local: new SocketAddress(view.localAddress, view.localPort),
    remote: new SocketAddress(view.remoteAddress, view.remotePort),
    ...timing(view),
    ...congestion(view),
    ...windows(view),
    inFlightBytes: view.flightBytes,
    unsentBytes: view.unsentBytes,
    unreadBytes: view.receiveQueued,
    ...amounts(view),
    outOfOrderFrames: view.reassemblyCount,
    timestamps: (view.agreed & TIMESTAMPS) !== 0,
    sack: (view.agreed & SACK_PERMITTED) !== 0,
    fastOpen: fastOpenState(view),
    ecn: (view.agreed & ECN) !== 0,
  };
}

function fastOpenState({ fastOpen, fastOpenBytes }: ConnectionView): FastOpenState {
  if ((fastOpen & FAST_DATA_ACKNOWLEDGED) !== 0) return "accepted";
  return (fastOpen & FAST_ASKED) !== 0 || fastOpenBytes > 0 ? "requested" : "none";
}

function timing(view: ConnectionView) {
  const isMeasured = view.srttUs > 0;
  return {
    rttUs: isMeasured ? view.srttUs : undefined,
    rttVariationUs: isMeasured ? view.rttvarUs : undefined,
    minRttUs: isMeasured ? view.minRttUs : undefined,
    rtoUs: view.rtoUs,
    backoff: view.backoff,
  };
}

function amounts(view: ConnectionView) {
  const { sackedBytes, acknowledgedBytes, receivedBytes, deliveryRate } = view;
  const rate = { bytesPerSecond: Math.round(deliveryRate), limited: view.isRateLimited };
  return {
    sackedBytes,
    acknowledgedBytes,
    receivedBytes,
    deliveryRate: deliveryRate > 0 ? rate : undefined,
  };
}

function congestion(view: ConnectionView) {
  const { cwnd, ssthresh, congestionState, duplicateAcks, retransmissions } = view;
  return {
    cwndBytes: cwnd,
    ssthreshBytes: ssthresh >= SSTHRESH_UNSET_BYTES ? undefined : ssthresh,
    congestionState,
    duplicateAcks,
    retransmissions,
  };
}

function windows(view: ConnectionView) {
  return {
    mssBytes: view.mss,
    sendWindowBytes: view.sendWindow,
    receiveWindowBytes: view.receiveWindow,
    sendBufferBytes: view.sendBuffer,
    receiveBufferBytes: view.receiveBuffer,
    windowScale: view.has(SCALING)
      ? { send: view.sendScale, receive: view.receiveScale }
      : undefined,
  };
}
