/** The resolved configuration: every value has a name in full, a unit and, where possible, a default. */
import type { CongestionControl } from "./congestion-control";
import type { EcnMode } from "./ecn";
import type { backendNames, FileConfig, libosNames, synCookieNames } from "./schema";

export type LibosName = (typeof libosNames)[number];
export type BackendName = (typeof backendNames)[number];

export interface KeepAliveConfig {
  readonly enabled: boolean;
  /** Idle time before the first probe. */
  readonly timeMs: number;
  readonly intervalMs: number;
  /** Probes without an answer that end a connection. */
  readonly probes: number;
}

export interface LingerConfig {
  readonly enabled: boolean;
  readonly timeSeconds: number;
}

export interface NeighbourConfig {
  /** Lower case with colons. */
  readonly linkAddress: string;
  readonly ipv4Address: string;
}

export interface InetstackConfig {
  /** Largest IP packet in bytes; undefined: the device's. */
  readonly mtu: number | undefined;
  /** Largest TCP payload to announce in bytes; undefined: what the MTU allows. */
  readonly mss: number | undefined;
  readonly enableJumboFrames: boolean;
  readonly udpChecksumOffload: boolean;
  readonly tcpChecksumOffload: boolean;
  readonly arpTable: readonly NeighbourConfig[];
  readonly arpRequestRetries: number;
  readonly arpRequestTimeoutMs: number;
  readonly arpCacheTtlMs: number;
  /** Pool sizes: counts, fixed at open. */
  readonly frames: number;
  readonly connections: number;
  readonly queues: number;
  readonly tokens: number;
  readonly datagramSockets: number;
  readonly neighbours: number;
  readonly reassemblySets: number;
  /** A power of two. */
  readonly ringEntries: number;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  /** What they grow to; 0: they stay as they are. */
  readonly receiveBufferMaxBytes: number;
  readonly sendBufferMaxBytes: number;
  /** Of the send buffer's bytes those never sent; 0: no limit of their own. */
  readonly unsentMaxBytes: number;
  readonly rtoMinMs: number;
  readonly timeWaitMs: number;
  readonly delayedAckMs: number;
  /** The first data of a connection are acknowledged without delay. */
  readonly quickAcks: boolean;
  /** Repetitions without an answer. */
  readonly synRetries: number;
  readonly synAckRetries: number;
  readonly dataRetries: number;
  readonly finTimeoutMs: number;
  /** When a listener answers SYNs by cookies. */
  readonly synCookies: (typeof synCookieNames)[number];
  readonly timestamps: boolean;
  readonly sack: boolean;
  readonly alternativeBackoff: boolean;
  readonly blackHoleDetection: boolean;
  readonly doubtPathMtu: boolean;
  readonly fastOpen: FastOpenConfig;
}

export interface FastOpenConfig {
  readonly client: boolean;
  readonly server: boolean;
  readonly allListeners: boolean;
  readonly withoutCookies: boolean;
  readonly pauseMs: number;
  /** Undefined: a random one. */
  readonly keys: string | undefined;
}

export interface Config {
  /** From LIBOS or the caller; "catpowder" by default. */
  readonly libos: LibosName;
  readonly demikernel: {
    /** Undefined only for a libOS that has no stack of its own. */
    readonly localIpv4Address: string | undefined;
    /** Bits of the network, 0 to 32. */
    readonly localIpv4Prefix: number;
    readonly gatewayIpv4Address: string | undefined;
    /** Lower case with colons; undefined: the device's own. */
    readonly localLinkAddress: string | undefined;
  };
  readonly rawSocket: {
    /** Undefined: the best that opens. */
    readonly backend: BackendName | undefined;
    readonly linuxInterfaceName: string | undefined;
  };
  readonly dpdk: { readonly ealArguments: readonly string[] };
  readonly tcpSocketOptions: {
    readonly keepAlive: KeepAliveConfig;
    readonly linger: LingerConfig;
    readonly noDelay: boolean;
    readonly congestionControl: CongestionControl;
    readonly ecn: EcnMode;
    readonly pacing: boolean;
  };
  readonly inetstack: InetstackConfig;
  readonly runtime: {
    /** Polling without work before the process sleeps. */
    readonly spinUs: number;
  };
}

function linkAddress(text: string): string {
  return text.toLowerCase().replaceAll("-", ":");
}

function resolveInetstack(file: FileConfig["inetstack_config"]): InetstackConfig {
  // Demikernel's own example says mss 1500 beside mtu 1500; the headers need 40 bytes of it.
  const mssMax = file.mtu === undefined ? Number.POSITIVE_INFINITY : Math.max(file.mtu - 40, 28);
  return {
    mtu: file.mtu,
    mss: file.mss === undefined ? undefined : Math.min(file.mss, mssMax),
    enableJumboFrames: file.enable_jumbo_frames,
    udpChecksumOffload: file.udp_checksum_offload,
    tcpChecksumOffload: file.tcp_checksum_offload,
    arpTable: Object.entries(file.arp_table ?? {}).map(([key, ipv4Address]) => ({
      linkAddress: linkAddress(key),
      ipv4Address,
    })),
    arpRequestRetries: file.arp_request_retries,
    arpRequestTimeoutMs: file.arp_request_timeout * 1000,
    arpCacheTtlMs: file.arp_cache_ttl * 1000,
    frames: file.frames,
    connections: file.connections,
    queues: file.queues,
    tokens: file.tokens,
    datagramSockets: file.datagram_sockets,
    neighbours: file.neighbours,
    reassemblySets: file.reassembly_sets,
    ringEntries: file.ring_entries,
    receiveBufferBytes: file.receive_buffer_size,
    sendBufferBytes: file.send_buffer_size,
    receiveBufferMaxBytes: file.receive_buffer_max,
    sendBufferMaxBytes: file.send_buffer_max,
    unsentMaxBytes: file.unsent_max_size,
    rtoMinMs: file.rto_min_ms,
    timeWaitMs: file.time_wait_ms,
    delayedAckMs: file.delayed_ack_ms,
    quickAcks: file.quick_acks,
    synRetries: file.syn_retries,
    synAckRetries: file.syn_ack_retries,
    dataRetries: file.data_retries,
    finTimeoutMs: file.fin_timeout_ms,
    synCookies: file.syn_cookies ?? "full",
    timestamps: file.timestamps,
    sack: file.sack,
    alternativeBackoff: file.alternative_backoff,
    blackHoleDetection: file.black_hole_detection,
    doubtPathMtu: file.doubt_path_mtu,
    fastOpen: {
      client: file.fast_open.client,
      server: file.fast_open.server,
      allListeners: file.fast_open.all_listeners,
      withoutCookies: file.fast_open.without_cookies,
      pauseMs: file.fast_open.pause_ms,
      keys: file.fast_open.keys,
    },
  };
}

/** Gives every value of an accepted file its full name and unit. */
export function resolve(file: FileConfig, libos: LibosName): Config {
  const { demikernel, raw_socket: device, tcp_socket_options: tcp } = file;
  const link = linkAddress(demikernel.local_link_addr ?? "ff:ff:ff:ff:ff:ff");
  return {
    libos,
    demikernel: {
      localIpv4Address: demikernel.local_ipv4_addr,
      localIpv4Prefix: demikernel.local_ipv4_prefix,
      gatewayIpv4Address: demikernel.gateway_ipv4_addr,
      // Demikernel's templates leave the broadcast address where nobody has filled one in.
      localLinkAddress: link === "ff:ff:ff:ff:ff:ff" ? undefined : link,
    },
    rawSocket: {
      backend: device.backend,
      linuxInterfaceName: device.linux_interface_name ?? device.interface_name,
    },
    dpdk: { ealArguments: file.dpdk.eal_init ?? [] },
    tcpSocketOptions: {
      keepAlive: {
        enabled: tcp.keepalive.enabled,
        timeMs: tcp.keepalive.time_millis,
        intervalMs: tcp.keepalive.interval,
        probes: tcp.keepalive.probes,
      },
      linger: {
        // Demikernel's own files say "enabled, 0 seconds", where that only shortens TIME_WAIT. As
        // SO_LINGER it would reset every connection on close, so a file cannot ask for it.
        enabled: tcp.linger.enabled && tcp.linger.time_seconds > 0,
        timeSeconds: tcp.linger.time_seconds,
      },
      noDelay: tcp.nodelay,
      congestionControl: tcp.congestion_control ?? "cubic",
      ecn: tcp.ecn ?? "passive",
      pacing: tcp.pacing,
    },
    inetstack: resolveInetstack(file.inetstack_config),
    runtime: { spinUs: file.runtime.spin_us },
  };
}
