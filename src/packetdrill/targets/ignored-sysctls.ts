/** Sysctls that set nothing here, whatever their value: the stack has no counterpart, or none that a script could see. */

/** Of net.ipv4.tcp_…. */
const tcpNames: ReadonlySet<string> = new Set([
  "abort_on_overflow",
  "adv_win_scale",
  "allowed_congestion_control",
  "app_win",
  "autocorking",
  "available_congestion_control",
  "backlog_ack_defer",
  "base_mss",
  "challenge_ack_limit",
  "comp_sack_delay_ns",
  "comp_sack_nr",
  "comp_sack_slack_ns",
  "ecn_option",
  "ehash_entries",
  "fack",
  "fastopen_cookies",
  "frto",
  "invalid_ratelimit",
  "limit_output_bytes",
  "max_reordering",
  "max_syn_backlog",
  "mem",
  "migrate_req",
  "min_snd_mss",
  "min_tso_segs",
  "no_metrics_save",
  "orphan_retries",
  "pacing_ca_ratio",
  "pacing_ss_ratio",
  "recovery",
  "reflect_tos",
  "reordering",
  "retrans_collapse",
  "retries1",
  "rfc1337",
  "shrink_window",
  "slow_start_after_idle",
  "stdurg",
  "thin_linear_timeouts",
  "tso_rtt_log",
  "tso_win_divisor",
  "tw_reuse",
  "tw_reuse_delay",
  "workaround_signed_windows",
]);

/** Whole families: other layers, and what the machine has around TCP. */
const families: readonly string[] = [
  "net.core.",
  "net.ipv6.",
  "net.ipv4.conf.",
  "net.ipv4.route.",
  "net.ipv4.neigh.",
  "net.ipv4.fib_",
  "net.ipv4.icmp_",
  "net.ipv4.udp_",
  "net.ipv4.tcp_plb_",
  "net.ipv4.tcp_timestamps_",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_no_pmtu_disc",
  "net.ipv4.ip_forward",
  "net.ipv4.somaxconn",
];

const TCP = "net.ipv4.tcp_";

export function isIgnoredSysctl(name: string): boolean {
  if (name.startsWith(TCP) && tcpNames.has(name.slice(TCP.length))) return true;
  return families.some((family) => name.startsWith(family));
}
