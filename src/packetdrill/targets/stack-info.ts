/** TCP_INFO of a connection of the stack, with the names and units of Linux's struct tcp_info. */
import {
  CLOSED,
  ECN,
  ESTABLISHED,
  FAST_DATA_ACKNOWLEDGED,
  FAST_UNCONFIRMED,
  SACK_PERMITTED,
  SCALING,
  TIMESTAMPS,
} from "../../../assembly/transport/tcp/record";
import type { CongestionState, ConnectionView } from "../../wasm/connections";
import { TCP_STATES } from "./stack-linux";
import { START_US } from "./stack-machine";
import type { StreamSocket } from "./stack-stream";

/** The stack's clock counts these (assembly/time/clock.ts). */
const TICK_US = 128;
const TCPI_OPT_TIMESTAMPS = 1;
const TCPI_OPT_SACK = 2;
const TCPI_OPT_WSCALE = 4;
const TCPI_OPT_ECN = 8;
const TCPI_OPT_SYN_DATA = 32;
/** enum tcp_ca_state. */
const congestionStates: Readonly<Record<CongestionState, number>> = {
  open: 0,
  disorder: 1,
  cwr: 2,
  recovery: 3,
  loss: 4,
};
/** TCP_INFINITE_SSTHRESH. */
const SSTHRESH_INFINITE = 0x7fffffff;
/** At and above this the stack's ssthresh has not been set. */
const SSTHRESH_UNSET_BYTES = 2 ** 30;

function agreedOptions(view: ConnectionView): number {
  return (
    ((view.agreed & TIMESTAMPS) !== 0 ? TCPI_OPT_TIMESTAMPS : 0) |
    ((view.agreed & SACK_PERMITTED) !== 0 ? TCPI_OPT_SACK : 0) |
    (view.has(SCALING) ? TCPI_OPT_WSCALE : 0) |
    ((view.fastOpen & FAST_DATA_ACKNOWLEDGED) !== 0 ? TCPI_OPT_SYN_DATA : 0) |
    ((view.agreed & ECN) !== 0 ? TCPI_OPT_ECN : 0)
  );
}

/** Segments that `bytes` make. */
function segments(bytes: number, mss: number): number {
  return Math.ceil(Math.max(0, bytes) / Math.max(1, mss));
}

/** Segments that have arrived, as if all but the last were full; a SYN counts with its data. */
function delivered(view: ConnectionView): number {
  const acknowledged = ((view.sendUna - view.initialSend) | 0) - 1;
  const isConfirmed = acknowledged >= 0 && (view.fastOpen & FAST_UNCONFIRMED) === 0;
  if (!isConfirmed) return 0;
  const isInSyn = view.fastOpenBytes > 0 && (view.fastOpen & FAST_DATA_ACKNOWLEDGED) !== 0;
  return 1 + segments(acknowledged - (isInSyn ? view.fastOpenBytes : 0), view.mss);
}

export interface InfoContext {
  readonly delayedAckUs: number;
  /** The stack's clock. */
  readonly nowUs: number;
  /** Largest IP packet of the device. */
  readonly mtu: number;
}

/** RFC 9293 section 3.7.1: headers of 40 bytes. */
function announcedMss({ mssMax }: ConnectionView, mtu: number): number {
  return mssMax === 0 ? mtu - 40 : Math.min(mssMax, mtu - 40);
}

export function tcpInfo(stream: StreamSocket, context: InfoContext): Map<string, number> {
  const { view, chronograph } = stream;
  const { mss, stateNumber, cwnd, ssthresh } = view;
  const { delayedAckUs } = context;
  const ageMs = (tick: number) => {
    const ticks = (Math.floor(context.nowUs / TICK_US) - tick) >>> 0;
    return Math.floor((ticks * TICK_US) / 1000);
  };
  // A FIN is a segment too, so it counts here.
  const inFlight = stateNumber >= ESTABLISHED ? (view.sendMax - view.sendUna) | 0 : 0;
  const scaling = view.has(SCALING);
  // Segments are counted, and mostly full.
  const repeated = view.retransmissions * mss;
  const { lost } = view;
  return new Map([
    ["tcpi_state", TCP_STATES[stateNumber] as number],
    ["tcpi_ca_state", congestionStates[view.congestionState]],
    ["tcpi_retransmits", view.retries],
    ["tcpi_probes", 0],
    ["tcpi_backoff", view.backoff],
    ["tcpi_options", agreedOptions(view)],
    ["tcpi_snd_wscale", scaling ? view.sendScale : 0],
    ["tcpi_rcv_wscale", scaling ? view.receiveScale : 0],
    ["tcpi_rto", stateNumber === CLOSED ? 0 : view.rtoUs * 2 ** Math.min(view.backoff, 16)],
    ["tcpi_ato", delayedAckUs],
    ["tcpi_snd_mss", mss],
    ["tcpi_rcv_mss", mss],
    ["tcpi_advmss", announcedMss(view, context.mtu)],
    ["tcpi_unacked", segments(inFlight, mss)],
    ["tcpi_sacked", segments(view.sackedBytes, mss)],
    ["tcpi_lost", segments(lost.all, mss)],
    ["tcpi_retrans", segments(lost.repeated, mss)],
    ["tcpi_fackets", 0],
    ["tcpi_rtt", Math.floor(view.srttUs)],
    ["tcpi_rttvar", Math.floor(view.rttvarUs)],
    [
      "tcpi_snd_ssthresh",
      ssthresh >= SSTHRESH_UNSET_BYTES ? SSTHRESH_INFINITE : Math.floor(ssthresh / mss),
    ],
    ["tcpi_snd_cwnd", mss === 0 ? 0 : Math.floor(cwnd / mss)],
    ["tcpi_reordering", 3],
    ["tcpi_total_retrans", view.retransmissions],
    ["tcpi_rcv_space", view.receiveBuffer],
    ["tcpi_delivered", delivered(view)],
    ["tcpi_bytes_acked", view.acknowledgedBytes],
    ["tcpi_bytes_received", view.receivedBytes],
    ["tcpi_bytes_retrans", repeated],
    ["tcpi_bytes_sent", view.acknowledgedBytes + view.flightBytes + repeated],
    ["tcpi_min_rtt", view.minRttUs],
    ["tcpi_delivery_rate", Math.round(view.deliveryRate)],
    ["tcpi_delivery_rate_app_limited", view.isRateLimited ? 1 : 0],
    ["tcpi_last_data_sent", ageMs(view.lastSentTick)],
    ["tcpi_last_ack_recv", ageMs(view.heardTick)],
    ["tcpi_notsent_bytes", view.unsentBytes],
    ["tcpi_snd_wnd", view.sendWindow],
    ["tcpi_rcv_wnd", view.receiveWindow],
    ...chronograph.info(START_US),
  ]);
}
