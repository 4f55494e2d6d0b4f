/** The backends there are. Configuration, --help, doctor and the contract tests read this list. */
import { ERRNO_EINVAL, ERRNO_ENODEV } from "../assembly/layout";
import { DemibunError } from "../src/errors";
import type { Backend, BackendDefinition, BackendOptions } from "./contract";
import { interfaceDriver, isInterface } from "./interface";
import { packet } from "./packet/packet";
import { tap } from "./tap/tap";
import { xdp } from "./xdp/xdp";

export const backends: readonly BackendDefinition[] = [xdp, packet, tap];

/** Linux's name for the driver of TUN and TAP devices. */
const TAP_DRIVER = "tun";

/** The backends that fit what the interface is, best first. */
function candidates(name: string): readonly BackendDefinition[] {
  if (isInterface(name)) return interfaceDriver(name) === TAP_DRIVER ? [tap] : [xdp, packet];
  // A TAP is made when it is opened, but a mistyped NIC must not become one.
  if (name.startsWith("tap")) return [tap];
  throw new DemibunError({
    operation: "open interface",
    errno: ERRNO_ENODEV,
    detail: `there is no interface "${name}" here`,
    hint: "ip -brief link  lists the interfaces; raw_socket.backend: tap makes a new one",
  });
}

/**
 * Opens the backend of that name, or the best one when none is named. Throws DemibunError: EINVAL
 * for a name that is none, and what the backend's `open` throws.
 */
export function openBackend(name: string | undefined, options: BackendOptions): Backend {
  if (name === undefined) return openBest(options);
  const definition = backends.find((backend) => backend.name === name);
  if (definition !== undefined) return definition.open(options);
  throw new DemibunError({
    operation: "open interface",
    errno: ERRNO_EINVAL,
    detail: `there is no backend "${name}"`,
    hint: `raw_socket.backend: ${backends.map((backend) => backend.name).join(" | ")}`,
  });
}

/**
 * Opens the best backend that opens: a TAP as tap, another interface as xdp or else packet. The
 * error of the last resort tells why each of them failed.
 */
export function openBest(options: BackendOptions): Backend {
  const failures: { name: string; error: DemibunError }[] = [];
  for (const { name, open } of candidates(options.interfaceName)) {
    try {
      return open(options);
    } catch (error) {
      if (!(error instanceof DemibunError)) throw error;
      failures.push({ name, error });
    }
  }
  const last = failures.at(-1)?.error;
  if (failures.length === 1 && last !== undefined) throw last;
  const reasons = failures.map(({ name, error }) => `\n  ${name}: ${error.message.split("\n")[0]}`);
  throw new DemibunError({
    operation: "open interface",
    errno: last?.errno ?? ERRNO_ENODEV,
    detail: `no backend opens ${options.interfaceName}:${reasons.join("")}\n `,
    hint: last?.hint,
    cause: failures.map(({ error }) => error),
  });
}
