/** A network of this thread's own: nothing that is opened afterwards can touch the machine's. */
import { dlopen, FFIType } from "bun:ffi";
import { readlinkSync } from "node:fs";
import { DemibunError } from "../../src/errors";
import { bringUp } from "../interface";
import { checked } from "../libc";

const CLONE_NEWNET = 0x40000000;

const { symbols } = dlopen("libc.so.6", {
  unshare: { args: [FFIType.i32], returns: FFIType.i32 },
});

/**
 * Moves the calling thread, and the children that it starts from now on, into a new and empty
 * network namespace with its loopback interface up. It lives as long as the thread stays, or a
 * descriptor that was opened in it. There is no way back: meant for a process of its own. Throws
 * EPERM without CAP_SYS_ADMIN.
 */
export function enterNewNetwork(): void {
  const code = checked(symbols.unshare(CLONE_NEWNET));
  if (code < 0) {
    throw new DemibunError({
      operation: "enter network",
      errno: code,
      detail: "this process may not make network namespaces",
      hint: "run it as root, or inside a user namespace: unshare -Urn COMMAND",
    });
  }
  bringUp("lo");
}

/** Identifies the network that this thread is in: `net:[4026531833]`. */
export function currentNetwork(): string {
  return readlinkSync("/proc/thread-self/ns/net");
}
