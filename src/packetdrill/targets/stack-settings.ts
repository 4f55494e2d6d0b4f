/** Shell commands of scripts as settings of the stack: sysctls, in the forms that scripts use. */
import type { CongestionControl } from "../../wasm/congestion-control";
import type { StackOptions, SynCookies } from "../../wasm/stack-options";
import { UnsupportedError } from "./target";

type Settings = { -readonly [Key in keyof StackOptions]?: StackOptions[Key] };

/** Programs that arrange the network around the kernel, which the stack does not have. */
const harmlessPrograms: ReadonlySet<string> = new Set([
  "tc",
  "ip",
  "ifconfig",
  "route",
  "ethtool",
  "iptables",
  "ip6tables",
  "nft",
  "modprobe",
  "true",
  ":",
  "sync",
]);

/** Values of net.ipv4.tcp_congestion_control, and of the socket option TCP_CONGESTION. */
export const linuxControllers: Readonly<Record<string, CongestionControl>> = {
  reno: "newreno",
  cubic: "cubic",
};

/** Sysctls that name something the stack does in one way; what it is told must be that way. */
const fixedSysctls: Readonly<Record<string, readonly string[]>> = {
  "net.ipv4.tcp_dsack": ["1"],
  "net.ipv4.tcp_window_scaling": ["1"],
  "net.ipv4.tcp_ecn": ["0", "2"],
  "net.ipv4.tcp_fastopen": ["0"],
  "net.ipv4.tcp_congestion_control": Object.keys(linuxControllers),
  "net.ipv4.tcp_frto": ["0"],
  "net.ipv4.tcp_syn_linear_timeouts": ["0"],
};

/** Sysctls without a counterpart, whatever their value. */
const ignoredSysctls =
  /^net\.(core|ipv6)\.|^net\.ipv4\.(tcp_(moderate_rcvbuf|no_metrics_save|autocorking|early_retrans|recovery|slow_start_after_idle|min_tso_segs|tso_win_divisor|tso_rtt_log|pacing_.*|limit_output_bytes|notsent_lowat|shrink_window|allowed_congestion_control|min_snd_mss|base_mss|max_syn_backlog|tw_reuse.*|timestamps_.*|invalid_ratelimit|challenge_ack_limit|mem|adv_win_scale|app_win|workaround_signed_windows|thin_linear_timeouts|comp_sack_.*|plb_.*|migrate_req|reflect_tos|backlog_ack_defer|ehash_entries|orphan_retries|abort_on_overflow|rfc1337|stdurg|retrans_collapse|reordering|max_reordering|available_congestion_control|retries1)|ip_local_port_range|ip_no_pmtu_disc|icmp_.*|conf\..*|route\..*|fib_.*|neigh\..*|udp_.*|ip_forward|somaxconn)$/;

const numericOptions = [
  "receiveBufferBytes",
  "sendBufferBytes",
  "rtoMinUs",
  "timeWaitUs",
  "delayedAckUs",
  "synRetries",
  "synAckRetries",
  "dataRetries",
  "finTimeoutMs",
  "keepAliveIdleMs",
  "keepAliveIntervalMs",
  "keepAliveProbes",
  "mssBytes",
  "connections",
  "frames",
  "arpTtlUs",
] as const;
type NumericOption = (typeof numericOptions)[number];

/** Sysctls with a counterpart: the option, which of the numbers it is, and its unit in the option's. */
const sysctlOptions: Readonly<Record<string, readonly [NumericOption, number, unit?: number]>> = {
  "net.ipv4.tcp_rmem": ["receiveBufferBytes", 1],
  "net.ipv4.tcp_wmem": ["sendBufferBytes", 1],
  "net.ipv4.tcp_rto_min_us": ["rtoMinUs", 0],
  "net.ipv4.tcp_syn_retries": ["synRetries", 0],
  "net.ipv4.tcp_synack_retries": ["synAckRetries", 0],
  "net.ipv4.tcp_retries2": ["dataRetries", 0],
  "net.ipv4.tcp_fin_timeout": ["finTimeoutMs", 0, 1000],
  "net.ipv4.tcp_keepalive_time": ["keepAliveIdleMs", 0, 1000],
  "net.ipv4.tcp_keepalive_intvl": ["keepAliveIntervalMs", 0, 1000],
  "net.ipv4.tcp_keepalive_probes": ["keepAliveProbes", 0],
};

/** Linux's numbers for tcp_syncookies. */
const synCookies: Readonly<Record<string, SynCookies>> = { 0: "never", 1: "full", 2: "always" };
const booleanOptions = [
  "noDelay",
  "timestamps",
  "sack",
  "blackHoleDetection",
  "doubtPathMtu",
] as const;
type BooleanOption = (typeof booleanOptions)[number];

/** Sysctls that turn an option on by any number but 0. */
const sysctlSwitches: Readonly<Record<string, BooleanOption>> = {
  "net.ipv4.tcp_timestamps": "timestamps",
  "net.ipv4.tcp_sack": "sack",
  "net.ipv4.tcp_mtu_probing": "blackHoleDetection",
};

function setSysctl(name: string, value: string, settings: Settings): void {
  if (name === "net.ipv4.tcp_syncookies") {
    const when = synCookies[value.trim()];
    if (when === undefined) throw new Error(`${name} cannot be ${JSON.stringify(value)}`);
    settings.synCookies = when;
    return;
  }
  const counterpart = sysctlOptions[name];
  if (counterpart !== undefined) {
    const [option, index, unit = 1] = counterpart;
    settings[option] = numberIn(name, value, index) * unit;
    return;
  }
  const turned = sysctlSwitches[name];
  if (turned !== undefined) {
    settings[turned] = numberIn(name, value, 0) !== 0;
    return;
  }
  const controller = linuxControllers[value.trim()];
  if (name === "net.ipv4.tcp_congestion_control" && controller !== undefined) {
    settings.congestionControl = controller;
    return;
  }
  if (name.startsWith("demibun.")) {
    setOption(name, value, settings);
    return;
  }
  const allowed = fixedSysctls[name];
  if (allowed?.includes(value.trim()) === true || ignoredSysctls.test(name)) return;
  throw new UnsupportedError(
    allowed === undefined
      ? `sysctl ${name} means nothing to this stack`
      : `${name} = ${value.trim()} is not supported by this stack, which has ${allowed.join(" or ")}`,
  );
}

/** A sysctl's number at this place. */
function numberIn(name: string, value: string, index: number): number {
  const number = Number(value.trim().split(/\s+/)[index]);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new Error(`${name} cannot be ${JSON.stringify(value)}`);
}

/** `demibun.<option>`: the stack's own options by their own names. */
function setOption(name: string, value: string, settings: Settings): void {
  const own = name.slice("demibun.".length);
  const option = numericOptions.find((known) => known === own);
  const turned = booleanOptions.find((known) => known === own);
  if (option !== undefined) settings[option] = numberIn(name, value, 0);
  else if (turned !== undefined) settings[turned] = value.trim() !== "0";
  else throw new Error(`the stack has no option ${JSON.stringify(own)}`);
}

/** One simple command: words without quotes around them. */
function applyCommand(command: string, settings: Settings): void {
  const echo = /^echo\s+(?:-\w+\s+)?(.*?)\s*>>?\s*\/proc\/sys\/(\S+)$/s.exec(command);
  if (echo !== null) {
    const [, value = "", path = ""] = echo;
    setSysctl(path.replaceAll("/", "."), unquote(value), settings);
    return;
  }
  const words = splitWords(command);
  const program = words[0]?.split("/").at(-1) ?? "";
  if (program === "sysctl") {
    for (const word of words.slice(1)) {
      const assignment = /^([\w.-]+)=(.*)$/s.exec(word.replaceAll("/", "."));
      if (assignment !== null)
        setSysctl(assignment[1] as string, assignment[2] as string, settings);
    }
    return;
  }
  if (!harmlessPrograms.has(program)) {
    throw new UnsupportedError(`the command ${JSON.stringify(command)} has no shell to run in`);
  }
}

function unquote(text: string): string {
  return text.replace(/^(["'])(.*)\1$/s, "$2");
}

/** Splits at blanks outside quotes; quotes go, also inside words as in name="a b". */
function splitWords(command: string): string[] {
  const words = command.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}

/** What the commands of one shell text set. Comments, redirections to /dev/null and `|| true` go. */
export function settingsOf(text: string): Partial<StackOptions> {
  const settings: Settings = {};
  const plain = text
    .replace(/\\\n/g, " ")
    .replace(/(^|\s)#.*$/gm, "$1")
    .replace(/\s*(?:[12&]?>\s*\/dev\/null|2>&1)/g, "");
  for (const command of plain.split(/;|&&|\|\||\n/)) {
    if (command.trim() !== "") applyCommand(command.trim(), settings);
  }
  return settings;
}
