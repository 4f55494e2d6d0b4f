/** What `doctor` looks at on this machine, one finding each, with the command that mends it. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { engines } from "../../package.json";

export interface Finding {
  readonly name: string;
  /** "missing" keeps something from working; "absent" only narrows the choice. */
  readonly state: "ok" | "absent" | "missing";
  readonly detail: string;
  /** The command that mends it. */
  readonly hint?: string;
}

function ok(name: string, detail: string): Finding {
  return { name, state: "ok", detail };
}

function lacking(state: "absent" | "missing", name: string, detail: string, hint: string): Finding {
  return { name, state, detail, hint };
}

/** Text of a file of /proc, empty where the machine has none. */
function kernelText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function bunVersion(): Finding {
  const wanted = engines.bun;
  if (Bun.version === wanted) return ok("bun", Bun.version);
  return lacking("missing", "bun", `${Bun.version}, tested with ${wanted}`, "npm install");
}

function wasm(): Finding {
  const file = new URL("../../build/wasm/stack.wasm", import.meta.url).pathname;
  if (existsSync(file)) return ok("wasm", "the stack is built");
  return lacking("missing", "wasm", "the stack is not built", "npm run build");
}

function tunDevice(): Finding {
  const path = "/dev/net/tun";
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return ok("tun", `${path} can be opened`);
  } catch {
    return existsSync(path)
      ? lacking("absent", "tun", `${path} may not be opened`, `sudo chmod 0666 ${path}`)
      : lacking("absent", "tun", `no ${path}, needed by tap`, "sudo modprobe tun");
  }
}

/** Bits of CapEff (capabilities(7)) that the backends need. */
const capabilityBits = { CAP_NET_ADMIN: 12, CAP_NET_RAW: 13, CAP_BPF: 39 } as const;

/** The names of `wanted` that the mask (hexadecimal, as in /proc/self/status) does not have. */
export function lackingCapabilities(mask: string): string[] {
  const held = BigInt(`0x${mask || "0"}`);
  return Object.entries(capabilityBits)
    .filter(([, bit]) => ((held >> BigInt(bit)) & 1n) === 0n)
    .map(([name]) => name);
}

function capabilities(): Finding {
  const mask = /^CapEff:\s*([0-9a-f]+)/m.exec(kernelText("/proc/self/status"))?.[1] ?? "";
  const lack = lackingCapabilities(mask);
  if (lack.length === 0) return ok("capabilities", Object.keys(capabilityBits).join(" "));
  return lacking(
    "absent",
    "capabilities",
    `without ${lack.join(" ")}: tap works in a user namespace, xdp and packet do not`,
    "sudo -E env PATH=$PATH bun run demibun doctor",
  );
}

function userNamespaces(): Finding {
  const { success } = Bun.spawnSync(["unshare", "--user", "--map-root-user", "--net", "true"], {
    stdio: ["ignore", "ignore", "ignore"],
    timeout: 5000,
  });
  if (success) return ok("user namespaces", "an unprivileged user can have a network of their own");
  const restricted = kernelText("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === "1";
  return lacking(
    "absent",
    "user namespaces",
    "not allowed; `npm start` then needs root",
    restricted
      ? "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
      : "sudo sysctl -w user.max_user_namespaces=15000",
  );
}

/** Programs of the lab and the tests, and the Debian package each is in. */
const programs = {
  ip: "iproute2",
  nsenter: "util-linux",
  unshare: "util-linux",
  curl: "curl",
  gcc: "gcc",
} as const;

function tool(name: keyof typeof programs): Finding {
  const path = Bun.which(name);
  if (path !== null) return ok(name, path);
  const needed = name === "gcc" ? "absent" : "missing";
  return lacking(needed, name, "not installed", `sudo apt-get install -y ${programs[name]}`);
}

function ioUring(): Finding {
  const disabled = kernelText("/proc/sys/kernel/io_uring_disabled");
  if (disabled === "0") return ok("io_uring", "allowed");
  if (disabled === "") return lacking("absent", "io_uring", "not in this kernel", "uname -r");
  return lacking("absent", "io_uring", "disabled", "sudo sysctl -w kernel.io_uring_disabled=0");
}

/** Memory that AF_XDP, io_uring and RDMA may pin without CAP_IPC_LOCK, in bytes. */
const lockedBytesWanted = 64 * 1048576;

function lockedMemory(): Finding {
  const limit = /^Max locked memory\s+(\S+)/m.exec(kernelText("/proc/self/limits"))?.[1] ?? "0";
  if (limit === "unlimited" || Number(limit) >= lockedBytesWanted || process.getuid?.() === 0) {
    return ok("locked memory", limit === "unlimited" ? limit : `${limit} bytes`);
  }
  const kibibytes = lockedBytesWanted / 1024;
  return lacking("absent", "locked memory", `${limit} bytes`, `ulimit -l ${kibibytes}`);
}

/** Every finding about the machine itself; the backends add theirs by their probes. */
export function machineFindings(): Finding[] {
  return [
    bunVersion(),
    wasm(),
    tunDevice(),
    capabilities(),
    userNamespaces(),
    ...(Object.keys(programs) as (keyof typeof programs)[]).map(tool),
    ioUring(),
    lockedMemory(),
  ];
}
