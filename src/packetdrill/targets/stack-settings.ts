/** Shell commands of scripts as settings of the stack: sysctls, in the forms that scripts use. */
import type { CongestionControl } from "../../wasm/congestion-control";
import type { EcnMode } from "../../wasm/ecn";
import type { StackOptions, SynCookies } from "../../wasm/stack-options";
import { isIgnoredSysctl } from "./ignored-sysctls";
import { type ShellCommand, shellCommands } from "./shell";
import { type ReadFile, UnsupportedError } from "./target";

type Settings = { -readonly [Key in keyof StackOptions]?: StackOptions[Key] };

/** Programs that arrange what is around the stack's TCP, or that only say something. */
const harmlessPrograms: ReadonlySet<string> = new Set([
  "echo",
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
  dctcp: "dctcp",
};

/** Sysctls that name something the stack does in one way; what it is told must be that way. */
const fixedSysctls: Readonly<Record<string, readonly string[]>> = {
  "net.ipv4.tcp_dsack": ["1"],
  "net.ipv4.tcp_window_scaling": ["1"],
  "net.ipv4.tcp_congestion_control": Object.keys(linuxControllers),
  "net.ipv4.tcp_syn_linear_timeouts": ["0"],
};

const numericOptions = [
  "receiveBufferBytes",
  "sendBufferBytes",
  "receiveBufferMaxBytes",
  "sendBufferMaxBytes",
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
  "unsentMaxBytes",
  "connections",
  "frames",
  "arpTtlUs",
  "fastOpen",
  "fastOpenPauseMs",
] as const;
type NumericOption = (typeof numericOptions)[number];

/** Sysctls with a counterpart: the option, which of the numbers it is, and its unit in the option's. */
const sysctlOptions: Readonly<Record<string, readonly [NumericOption, number, unit?: number]>> = {
  "net.ipv4.tcp_wmem": ["sendBufferBytes", 1],
  "net.ipv4.tcp_rto_min_us": ["rtoMinUs", 0],
  "net.ipv4.tcp_notsent_lowat": ["unsentMaxBytes", 0],
  "net.ipv4.tcp_fastopen": ["fastOpen", 0],
  "net.ipv4.tcp_syn_retries": ["synRetries", 0],
  "net.ipv4.tcp_synack_retries": ["synAckRetries", 0],
  "net.ipv4.tcp_retries2": ["dataRetries", 0],
  "net.ipv4.tcp_fin_timeout": ["finTimeoutMs", 0, 1000],
  "net.ipv4.tcp_keepalive_time": ["keepAliveIdleMs", 0, 1000],
  "net.ipv4.tcp_keepalive_intvl": ["keepAliveIntervalMs", 0, 1000],
  "net.ipv4.tcp_keepalive_probes": ["keepAliveProbes", 0],
};

/** Linux's numbers for tcp_ecn, but for those of accurate ECN. */
const ecnModes: Readonly<Record<string, EcnMode>> = { 0: "off", 1: "on", 2: "passive" };

/** Linux's numbers for tcp_syncookies. */
const synCookies: Readonly<Record<string, SynCookies>> = { 0: "never", 1: "full", 2: "always" };
const booleanOptions = [
  "noDelay",
  "addRtoMin",
  "bareProbes",
  "countDelivered",
  "missingTimestamps",
  "reduceWindow",
  "timestamps",
  "sack",
  "quickAcks",
  "alternativeBackoff",
  "pacing",
  "tuneReceiveBuffer",
  "largeSyns",
  "tailProbes",
  "blackHoleDetection",
  "doubtPathMtu",
] as const;
type BooleanOption = (typeof booleanOptions)[number];

/** Sysctls that turn an option on by any number but 0. */
const sysctlSwitches: Readonly<Record<string, BooleanOption>> = {
  "net.ipv4.tcp_timestamps": "timestamps",
  "net.ipv4.tcp_sack": "sack",
  "net.ipv4.tcp_moderate_rcvbuf": "tuneReceiveBuffer",
  "net.ipv4.tcp_early_retrans": "tailProbes",
  "net.ipv4.tcp_mtu_probing": "blackHoleDetection",
};

function setSysctl(name: string, value: string, settings: Settings): void {
  if (name === "net.ipv4.tcp_syncookies") {
    const when = synCookies[value.trim()];
    if (when === undefined) throw new Error(`${name} cannot be ${JSON.stringify(value)}`);
    settings.synCookies = when;
    return;
  }
  if (name === "net.ipv4.tcp_rmem") {
    // tcp_adv_win_scale: half of the buffer is window. The scale is chosen for all of the largest.
    settings.receiveBufferBytes = numberIn(name, value, 1) >> 1;
    settings.receiveBufferMaxBytes = numberIn(name, value, 2);
    return;
  }
  if (name === "net.ipv4.tcp_fastopen_key") {
    settings.fastOpenKeys = value.trim();
    return;
  }
  if (name === "net.ipv4.tcp_fastopen_blackhole_timeout_sec") {
    settings.fastOpenPauseMs = numberIn(name, value, 0) * 1000;
    return;
  }
  const ecn = ecnModes[value.trim()];
  if (name === "net.ipv4.tcp_ecn" && ecn !== undefined) {
    settings.ecn = ecn;
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
  if (allowed?.includes(value.trim()) === true || isIgnoredSysctl(name)) return;
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
  // A buffer that a script names has that size.
  if (option === "receiveBufferBytes") settings.receiveBufferMaxBytes ??= 0;
  if (option !== undefined) return;
  if (turned !== undefined) settings[turned] = value.trim() !== "0";
  else throw new Error(`the stack has no option ${JSON.stringify(own)}`);
}

/** `name=value` of sysctl, or of a program that takes paths of /proc/sys. */
const ASSIGNMENT = /^([\w./-]+)=(.*)$/s;

/** What the public suites' scripts put back at their end, of the machine's settings. */
const RESTORES = /\bsysctl_restore_/;

function sysctlName(path: string): string {
  return path.replace(/^\/proc\/sys\//, "").replaceAll("/", ".");
}

function applyCommand({ words, output }: ShellCommand, settings: Settings): void {
  const program = words[0]?.split("/").at(-1) ?? "";
  const operands = words.slice(1).filter((word) => !word.startsWith("-"));
  if (program === "echo" && output?.startsWith("/proc/sys/") === true) {
    setSysctl(sysctlName(output), operands.join(" "), settings);
    return;
  }
  const assignments = operands.map((word) => ASSIGNMENT.exec(word));
  const isSettings =
    operands.length > 0 && operands.every((word) => /^\/proc\/sys\/.*=/.test(word));
  if (program === "sysctl" || isSettings) {
    for (const assignment of assignments) {
      if (assignment === null) continue;
      const [, name, value] = assignment as unknown as [string, string, string];
      setSysctl(sysctlName(name), value, settings);
    }
    return;
  }
  if (harmlessPrograms.has(program) || RESTORES.test(program)) return;
  throw new UnsupportedError(
    `the command ${JSON.stringify(words.join(" "))} has no shell to run in`,
  );
}

/** What the commands of one shell text set, and those of the files that it runs. */
export function settingsOf(text: string, readFile: ReadFile): Partial<StackOptions> {
  const settings: Settings = {};
  for (const command of shellCommands(text, readFile)) applyCommand(command, settings);
  return settings;
}
