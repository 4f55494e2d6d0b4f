/** A script's option lines as settings of its run. */
import { nearest } from "../../nearest";
import type { Script, ScriptOption } from "../language/script";
import { ScriptError } from "../language/script-error";
import { type TargetOptions, UnsupportedError } from "../targets/target";

export interface RunOptions extends TargetOptions {
  /**
   * False: as the original program has it, which looks at nothing after the last event, at no packet of
   * a socket once the script has made another one, at no
   * timestamp unless `--tcp_ts_tick_usecs` is given, and sees what offloads have put together: PSH of
   * a packet in several segments is the offload's.
   */
  readonly isStrict: boolean;
  /** Port that `bind(fd, ..., ...)` takes, and of packets before any bind. */
  readonly bindPort: number;
  /** Port that `connect(fd, ..., ...)` goes to. */
  readonly connectPort: number;
  /** Undefined: the target's own. */
  readonly toleranceUs: number | undefined;
  /** Percent of the time since the event before. */
  readonly tolerancePercent: number;
  /** Microseconds in one tick of TCP timestamps; 0: their values are not looked at. */
  readonly timestampTickUs: number;
  /** One packet of the script is one packet of the system. */
  readonly strictSegments: boolean;
  /** Shell commands and failed assertions of code (`%{ }%`) that are told but do not fail. */
  readonly nonFatal: ReadonlySet<string>;
  /** Files with shell commands to run before time zero. */
  readonly initScripts: readonly string[];
}

const versions: Readonly<Record<string, 4 | 6>> = {
  ipv4: 4,
  ipv6: 6,
  "ipv4-mapped-ipv6": 4,
};

const defaults = {
  4: { local: "192.168.0.1", remote: "192.0.2.1", gateway: "192.168.0.2", prefix: 16 },
  6: { local: "fd3d:a0b:17d6::1", remote: "2001:db8::1", gateway: "fd3d:a0b:17d6::2", prefix: 48 },
} as const;

const DEFAULT_MTU = 1500;
const DEFAULT_PORT = 8080;
/** Of strict runs; 0 otherwise. */
const STRICT_TICK_US = 1000;

/** Options without effect in an interpreter that runs one script on one machine. */
const ignored: ReadonlySet<string> = new Set([
  "define",
  "dialect",
  "speed",
  "verbose",
  "debug",
  "dry_run",
  "dump_config",
  "so_filename",
  "tcp_ts_ecr_scaled",
  "persistent_tun_dev",
  "send_omit_free",
  "code",
  "code_command",
  "code_format",
  "code_sockopt",
  "netdev_name",
]);

const known = [
  "ip_version",
  "local_ip",
  "remote_ip",
  "gateway_ip",
  "netmask_ip",
  "mtu",
  "bind_port",
  "connect_port",
  "tolerance_usecs",
  "tolerance_percent",
  "tcp_ts_tick_usecs",
  "strict_segments",
  "non_fatal",
  "init_scripts",
] as const;

/** Bits of a dotted netmask, or of a prefix length written as a number. */
function prefixOf(mask: string): number {
  if (/^\d+$/.test(mask)) return Number(mask);
  const bits = mask
    .split(".")
    .map((part) => Number(part).toString(2).padStart(8, "0"))
    .join("");
  return bits.lastIndexOf("1") + 1;
}

function fail(option: ScriptOption, reason: string): never {
  throw new ScriptError("syntax", option.position, reason);
}

function numberOf(option: ScriptOption | undefined): number | undefined {
  if (option === undefined) return undefined;
  const value = Number(option.value);
  if (option.value === undefined || !(value >= 0)) {
    return fail(option, `--${option.name} wants a number, e.g. --${option.name}=1000`);
  }
  return value;
}

function check(script: Script): void {
  for (const option of script.options) {
    if (ignored.has(option.name) || known.some((name) => name === option.name)) continue;
    if (option.name.startsWith("wire_")) {
      throw new UnsupportedError(
        `--${option.name}: there is no second machine here; scripts run on one (--live or not)`,
      );
    }
    const meant = nearest(option.name, known);
    const guess = meant === undefined ? "" : `; did you mean --${meant}?`;
    fail(option, `there is no option --${option.name}${guess}`);
  }
}

/** Throws a `ScriptError` for options that do not exist or have no sound value. */
export function runOptions(script: Script, isStrict: boolean): RunOptions {
  check(script);
  const find = (name: (typeof known)[number]) =>
    script.options.filter((option) => option.name === name).at(-1);
  const version = find("ip_version");
  const ipVersion = versions[version?.value ?? "ipv4"];
  if (ipVersion === undefined) {
    return fail(version as ScriptOption, "--ip_version is ipv4, ipv4-mapped-ipv6 or ipv6");
  }
  const usual = defaults[ipVersion];
  const netmask = find("netmask_ip")?.value;
  const list = (name: (typeof known)[number]) =>
    (find(name)?.value ?? "").split(",").filter((word) => word !== "");
  return {
    isStrict,
    ipVersion,
    localAddress: find("local_ip")?.value ?? usual.local,
    remoteAddress: find("remote_ip")?.value ?? usual.remote,
    gatewayAddress: find("gateway_ip")?.value ?? usual.gateway,
    prefix: netmask === undefined ? usual.prefix : prefixOf(netmask),
    mtu: numberOf(find("mtu")) ?? DEFAULT_MTU,
    bindPort: numberOf(find("bind_port")) ?? DEFAULT_PORT,
    connectPort: numberOf(find("connect_port")) ?? DEFAULT_PORT,
    toleranceUs: numberOf(find("tolerance_usecs")),
    tolerancePercent: numberOf(find("tolerance_percent")) ?? 0,
    timestampTickUs: numberOf(find("tcp_ts_tick_usecs")) ?? (isStrict ? STRICT_TICK_US : 0),
    strictSegments: find("strict_segments") !== undefined,
    nonFatal: new Set(list("non_fatal")),
    initScripts: list("init_scripts"),
  };
}
