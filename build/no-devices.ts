/** Stands in for src/pdpix/open.ts where there are no devices: in Node.js and in browsers. */
import { ERRNO_ENOSYS } from "../assembly/layout";
import { DemibunError } from "../src/errors";

/** Always rejects with ENOSYS. */
export async function openInstance(): Promise<never> {
  throw new DemibunError({
    operation: "open",
    errno: ERRNO_ENOSYS,
    detail: "devices can be opened in Bun only",
    hint: "run the program with bun, or make hosts in a simulation of demibun/sim",
  });
}
