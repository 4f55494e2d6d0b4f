/**
 * What Linux tells of a socket: struct tcp_info (linux/tcp.h), the congestion control's own
 * (linux/inet_diag.h), SO_MEMINFO (linux/sock_diag.h). An older kernel writes less: what it did not
 * write has no name.
 */
import { getsockopt, SOL_SOCKET, Struct } from "../../../../shims/libc";

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_CONGESTION = 13;
const TCP_CC_INFO = 26;
const SO_MEMINFO = 55;
const ROOM = 512;

type Width = 1 | 2 | 4 | 8;
/** A name and its width; fields follow each other without holes. */
type Field = readonly [name: string, width: Width];

function fields(width: Width, names: string): Field[] {
  return names.split(" ").map((name) => [name, width]);
}

const tcpInfo: readonly Field[] = [
  ...fields(1, "state ca_state retransmits probes backoff options scales flags"),
  ...fields(4, "rto ato snd_mss rcv_mss unacked sacked lost retrans fackets"),
  ...fields(4, "last_data_sent last_ack_sent last_data_recv last_ack_recv"),
  ...fields(4, "pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering"),
  ...fields(4, "rcv_rtt rcv_space total_retrans"),
  ...fields(8, "pacing_rate max_pacing_rate bytes_acked bytes_received"),
  ...fields(4, "segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out"),
  ...fields(8, "delivery_rate busy_time rwnd_limited sndbuf_limited"),
  ...fields(4, "delivered delivered_ce"),
  ...fields(8, "bytes_sent bytes_retrans"),
  ...fields(4, "dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash"),
  ...fields(2, "total_rto total_rto_recoveries"),
  ...fields(4, "total_rto_time received_ce delivered_e1_bytes delivered_e0_bytes"),
  ...fields(4, "delivered_ce_bytes received_e1_bytes received_e0_bytes received_ce_bytes"),
];

const bbr: readonly Field[] = fields(4, "bw_lo bw_hi min_rtt pacing_gain cwnd_gain");
const dctcp: readonly Field[] = [
  ...fields(2, "enabled ce_state"),
  ...fields(4, "alpha ab_ecn ab_tot"),
];
const vegas: readonly Field[] = fields(4, "enabled rttcnt rtt minrtt");
const memory = fields(
  4,
  "RMEM_ALLOC RCVBUF WMEM_ALLOC SNDBUF FWD_ALLOC WMEM_QUEUED OPTMEM BACKLOG DROPS",
);

function integer(view: DataView, at: number, width: Width): number {
  if (width === 1) return view.getUint8(at);
  if (width === 2) return view.getUint16(at, true);
  if (width === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

function decode(layout: readonly Field[], prefix: string, view: DataView): [string, number][] {
  const values: [string, number][] = [];
  let at = 0;
  for (const [name, width] of layout) {
    if (at + width > view.byteLength) break;
    values.push([prefix + name, integer(view, at, width)]);
    at += width;
  }
  return values;
}

/** The option's bytes; none when the socket does not have it. */
function optionOf(fd: number, level: number, option: number): DataView {
  const room = new Struct(ROOM);
  const length = getsockopt(fd, level, option, room);
  return new DataView(room.bytes.buffer, 0, Math.max(0, Math.min(ROOM, length)));
}

/** Takes the bytes that hold several values apart. */
function split(values: Map<string, number>): void {
  const scales = values.get("tcpi_scales");
  const flags = values.get("tcpi_flags");
  values.delete("tcpi_scales");
  values.delete("tcpi_flags");
  if (scales === undefined || flags === undefined) return;
  values.set("tcpi_snd_wscale", scales & 15);
  values.set("tcpi_rcv_wscale", scales >> 4);
  values.set("tcpi_delivery_rate_app_limited", flags & 1);
  values.set("tcpi_fastopen_client_fail", (flags >> 1) & 3);
}

function congestionValues(fd: number): [string, number][] {
  const name = optionOf(fd, IPPROTO_TCP, TCP_CONGESTION);
  const text = new TextDecoder().decode(name).split("\0")[0] ?? "";
  const layouts: Readonly<Record<string, readonly Field[]>> = { bbr, dctcp, vegas };
  const layout = layouts[text];
  if (layout === undefined) return [];
  return decode(layout, `${text}_`, optionOf(fd, IPPROTO_TCP, TCP_CC_INFO));
}

/** All that is known of the descriptor, by the names that scripts use. */
export function socketSnapshot(fd: number): Map<string, number> {
  const values = new Map([
    ...decode(tcpInfo, "tcpi_", optionOf(fd, IPPROTO_TCP, TCP_INFO)),
    ...congestionValues(fd),
    ...decode(memory, "SK_MEMINFO_", optionOf(fd, SOL_SOCKET, SO_MEMINFO)),
  ]);
  split(values);
  return values;
}
