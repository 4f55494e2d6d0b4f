/** catpowder: our TCP/IP stack over AF_XDP, AF_PACKET or TAP. */
import {
  ERRNO_EINVAL,
  FAST_OPEN_ALL_LISTENERS,
  FAST_OPEN_CLIENT,
  FAST_OPEN_CLIENT_NO_COOKIE,
  FAST_OPEN_SERVER,
  FAST_OPEN_SERVER_NO_COOKIE,
} from "../../assembly/layout";
import type { Backend } from "../../shims/contract";
import type { Config, FastOpenConfig } from "../config/config";
import { DemibunError } from "../errors";
import { parseIpv4, parseMac } from "../wasm/address";
import { stackModule } from "../wasm/module";
import { Stack } from "../wasm/stack";
import { defaultStackOptions, type StackOptions } from "../wasm/stack-options";
import { DeviceLibOs, type Sleeper } from "./device-libos";
import type { LibOs } from "./libos";

/** RFC 1122 section 2.3.2.1: no more than about one request a second for one address. */
const ARP_TIMEOUT_MAX_MS = 1000;

/** The stack's options that a configuration asks for. */
export function stackOptions(config: Config): StackOptions {
  const { inetstack, tcpSocketOptions } = config;
  return {
    frames: inetstack.frames,
    connections: inetstack.connections,
    queues: inetstack.queues,
    tokens: inetstack.tokens,
    datagramSockets: inetstack.datagramSockets,
    neighbours: inetstack.neighbours,
    interfaces: 1,
    ringEntries: inetstack.ringEntries,
    reassemblySets: inetstack.reassemblySets,
    receiveBufferBytes: inetstack.receiveBufferBytes,
    sendBufferBytes: inetstack.sendBufferBytes,
    receiveBufferMaxBytes: inetstack.receiveBufferMaxBytes,
    sendBufferMaxBytes: inetstack.sendBufferMaxBytes,
    tuneReceiveBuffer: true,
    unsentMaxBytes: inetstack.unsentMaxBytes,
    rtoMinUs: inetstack.rtoMinMs * 1000,
    // As RFC 6298 and RFC 9293 have them.
    addRtoMin: false,
    bareProbes: false,
    countDelivered: false,
    missingTimestamps: false,
    reduceWindow: false,
    tailProbes: true,
    timeWaitUs: inetstack.timeWaitMs * 1000,
    delayedAckUs: inetstack.delayedAckMs * 1000,
    quickAcks: inetstack.quickAcks,
    mssBytes: inetstack.mss ?? 0,
    blackHoleDetection: inetstack.blackHoleDetection,
    doubtPathMtu: inetstack.doubtPathMtu,
    noDelay: tcpSocketOptions.noDelay,
    synCookies: inetstack.synCookies,
    timestamps: inetstack.timestamps,
    sack: inetstack.sack,
    synRetries: inetstack.synRetries,
    synAckRetries: inetstack.synAckRetries,
    dataRetries: inetstack.dataRetries,
    finTimeoutMs: inetstack.finTimeoutMs,
    // Demikernel's own files say 0 where keep-alive is off.
    keepAlive: tcpSocketOptions.keepAlive.enabled,
    keepAliveIdleMs: tcpSocketOptions.keepAlive.timeMs || defaultStackOptions.keepAliveIdleMs,
    keepAliveIntervalMs:
      tcpSocketOptions.keepAlive.intervalMs || defaultStackOptions.keepAliveIntervalMs,
    keepAliveProbes: tcpSocketOptions.keepAlive.probes,
    congestionControl: tcpSocketOptions.congestionControl,
    fastOpen: fastOpenBits(inetstack.fastOpen),
    fastOpenPauseMs: inetstack.fastOpen.pauseMs,
    largeSyns: defaultStackOptions.largeSyns,
    fastOpenKeys: inetstack.fastOpen.keys,
    ecn: tcpSocketOptions.ecn,
    pacing: tcpSocketOptions.pacing,
    alternativeBackoff: inetstack.alternativeBackoff,
    arpTtlUs: inetstack.arpCacheTtlMs * 1000,
    arpRetries: inetstack.arpRequestRetries,
    arpTimeoutUs: Math.min(inetstack.arpRequestTimeoutMs, ARP_TIMEOUT_MAX_MS) * 1000,
  };
}

function fastOpenBits(fastOpen: FastOpenConfig): number {
  const { client, server, allListeners, withoutCookies } = fastOpen;
  return (
    (client ? FAST_OPEN_CLIENT : 0) |
    (server ? FAST_OPEN_SERVER : 0) |
    (allListeners ? FAST_OPEN_ALL_LISTENERS : 0) |
    (withoutCookies ? FAST_OPEN_CLIENT_NO_COOKIE | FAST_OPEN_SERVER_NO_COOKIE : 0)
  );
}

function required(value: string | undefined, key: string, example: string): string {
  if (value !== undefined) return value;
  throw new DemibunError({
    operation: "open catpowder",
    errno: ERRNO_EINVAL,
    detail: `the configuration does not say ${key}`,
    hint: `write ${key}: ${example} in the file that CONFIG_PATH names`,
  });
}

async function openDevice(config: Config, address: string): Promise<Backend> {
  const { backend, linuxInterfaceName } = config.rawSocket;
  const { openBackend, openBest } = await import("../../shims/registry");
  const { localLinkAddress } = config.demikernel;
  const { mtu } = config.inetstack;
  const options = {
    interfaceName: required(linuxInterfaceName, "raw_socket.linux_interface_name", "eth1"),
    address,
    ...(localLinkAddress === undefined ? {} : { mac: parseMac(localLinkAddress, "open") }),
    ...(mtu === undefined ? {} : { mtu }),
  };
  return backend === undefined ? openBest(options) : openBackend(backend, options);
}

/**
 * Opens the stack on a device. Errors: EINVAL (the configuration lacks something), those of the
 * backend (ENODEV, EPERM, EBUSY, …), ENOENT (not built).
 */
export async function openCatpowder(
  config: Config,
  nowUs: number,
  given?: Backend,
): Promise<LibOs> {
  const { demikernel, inetstack } = config;
  const key = "demikernel.local_ipv4_addr";
  const text = required(demikernel.localIpv4Address, key, "10.0.0.1");
  const address = parseIpv4(text, key);
  const backend = given ?? (await openDevice(config, text));
  const { openSleeper } = await import("../../shims/sleep/sleeper");
  const sleeper: Sleeper = openSleeper();
  try {
    const stack = Stack.open(stackModule(), stackOptions(config), nowUs);
    const { localLinkAddress } = demikernel;
    const libos = new DeviceLibOs("catpowder", stack, backend, sleeper, {
      address,
      prefix: demikernel.localIpv4Prefix,
      mac: localLinkAddress === undefined ? undefined : parseMac(localLinkAddress, "open"),
      mtu: inetstack.mtu,
    });
    if (demikernel.gatewayIpv4Address !== undefined) {
      stack.setGateway(0, parseIpv4(demikernel.gatewayIpv4Address, "gateway"));
    }
    for (const { ipv4Address, linkAddress } of inetstack.arpTable) {
      stack.setNeighbour(
        0,
        parseIpv4(ipv4Address, "arp_table"),
        parseMac(linkAddress, "arp_table"),
      );
    }
    return libos;
  } catch (error) {
    sleeper[Symbol.dispose]();
    backend[Symbol.dispose]();
    throw error;
  }
}
