/** The libOSes by name: what each one is and how it opens. */
import { ERRNO_EINVAL, ERRNO_ENOSYS } from "../../assembly/layout";
import type { Backend } from "../../shims/contract";
import type { Config } from "../config/config";
import { DemibunError } from "../errors";
import type { LibOs } from "./libos";

export interface LibOsDefinition {
  readonly name: string;
  readonly summary: string;
  /** Undefined while the libOS is not part of this version. */
  readonly open?: (config: Config, nowUs: number, backend?: Backend) => Promise<LibOs>;
}

export const liboses: readonly LibOsDefinition[] = [
  {
    name: "catpowder",
    summary: "our TCP/IP stack over AF_XDP, AF_PACKET or TAP",
    open: async (config, nowUs, backend) =>
      (await import("./catpowder")).openCatpowder(config, nowUs, backend),
  },
  { name: "catnip", summary: "our TCP/IP stack over DPDK; needs a DPDK installation" },
  { name: "catnap", summary: "the kernel's sockets; needs nothing" },
  { name: "catcollar", summary: "the kernel's sockets over io_uring; needs Linux 6.1" },
  { name: "catmem", summary: "queues in shared memory between processes; needs memfd" },
  { name: "catloop", summary: "TCP's semantics over catmem; needs memfd" },
  { name: "catmint", summary: "RDMA; needs rdma-core and an RDMA device (rdma_rxe will do)" },
];

/** Opens a libOS by name. Errors: EINVAL (no such name), ENOSYS (not in this version), its own. */
export async function openLibOs(
  name: string,
  config: Config,
  nowUs: number,
  backend?: Backend,
): Promise<LibOs> {
  const definition = liboses.find((candidate) => candidate.name === name);
  const openable = liboses.filter(({ open }) => open !== undefined).map((libos) => libos.name);
  if (definition === undefined) {
    throw new DemibunError({
      operation: "open",
      errno: ERRNO_EINVAL,
      detail: `there is no libOS ${JSON.stringify(name)}`,
      hint: `set LIBOS to one of: ${liboses.map((libos) => libos.name).join(", ")}`,
    });
  }
  if (definition.open === undefined) {
    throw new DemibunError({
      operation: "open",
      errno: ERRNO_ENOSYS,
      detail: `${name} (${definition.summary}) is not part of this version`,
      hint: `run with LIBOS=${openable.join(" or LIBOS=")}`,
    });
  }
  return definition.open(config, nowUs, backend);
}
