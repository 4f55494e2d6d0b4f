/** The wire between the stack and the kernel: a TAP in one namespace or a veth pair between two. */
import { closeSync, constants, openSync } from "node:fs";
import { Namespace } from "./namespace";

export const stackAddress = "10.77.0.2";
export const kernelAddress = "10.77.0.1";
export const prefix = 24;
const QUEUE_LENGTH_PACKETS = "10000";

/** Where the stack's process runs, where the kernel's programs run, and what joins them. */
export interface Link extends AsyncDisposable {
  readonly kind: "tap" | "veth";
  readonly stackSide: Namespace;
  /** The same namespace for a TAP. */
  readonly kernelSide: Namespace;
  /** What the stack opens. */
  readonly stackInterface: string;
  /** Bears `kernelAddress`; what a capture listens on. */
  readonly kernelInterface: string;
}

/** Says whether this user may have TAP devices at all; packet sockets need no device node. */
export function canOpenTap(): boolean {
  try {
    closeSync(openSync("/dev/net/tun", constants.O_RDWR));
    return true;
  } catch {
    return false;
  }
}

/**
 * A TAP: its kernel end is the interface itself. It is made before any backend opens it, so it
 * outlives a backend that is killed, with the address it was given.
 */
export async function openTapLink(): Promise<Link> {
  const namespace = await Namespace.open();
  try {
    const name = "tap0";
    await namespace.run("ip", "tuntap", "add", name, "mode", "tap", "vnet_hdr");
    await namespace.run("ip", "link", "set", name, "txqueuelen", QUEUE_LENGTH_PACKETS);
    await giveAddress(namespace, name);
    return {
      kind: "tap",
      stackSide: namespace,
      kernelSide: namespace,
      stackInterface: name,
      kernelInterface: name,
      [Symbol.asyncDispose]: () => namespace[Symbol.asyncDispose](),
    };
  } catch (error) {
    await namespace[Symbol.asyncDispose]();
    throw error;
  }
}

/** A veth pair; the offloads stay as the kernel has them, backends turn off what they must. */
export async function openVethLink(): Promise<Link> {
  const stackSide = await Namespace.open();
  let other: Namespace | undefined;
  const dispose = async (): Promise<void> => {
    await other?.[Symbol.asyncDispose]();
    await stackSide[Symbol.asyncDispose]();
  };
  try {
    const kernelSide = await Namespace.open(stackSide);
    other = kernelSide;
    const [near, far] = ["demi0", "kernel0"] as const;
    const peer = ["peer", "name", far, "netns", `${kernelSide.pid}`];
    await stackSide.run("ip", "link", "add", near, "type", "veth", ...peer);
    await withoutIpv6(stackSide, near);
    await stackSide.run("ip", "link", "set", near, "up");
    await giveAddress(kernelSide, far);
    return {
      kind: "veth",
      stackSide,
      kernelSide,
      stackInterface: near,
      kernelInterface: far,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function giveAddress(namespace: Namespace, name: string): Promise<void> {
  await withoutIpv6(namespace, name);
  await namespace.run("ip", "address", "add", `${kernelAddress}/${prefix}`, "dev", name);
  await namespace.run("ip", "link", "set", name, "up");
}

/** Keeps router solicitations and the like, which nobody here answers, off the wire. */
async function withoutIpv6(namespace: Namespace, name: string): Promise<void> {
  await namespace.run("ip", "link", "set", name, "addrgenmode", "none");
}
