/**
 * The configuration file: Demikernel's keys, which load unchanged, and the ones this package adds.
 * One schema gives the types, the errors, config/schema.json and so an editor's completion.
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { congestionControls } from "./congestion-control";
import { ecnModes } from "./ecn";
import {
  choice,
  fastOpenKeys,
  flag,
  integer,
  ipv4Address,
  linkAddress,
  neighbourTable,
  ports,
  section,
  size,
  word,
  words,
} from "./field";

export const libosNames = [
  "catpowder",
  "catnip",
  "catnap",
  "catcollar",
  "catmem",
  "catloop",
  "catmint",
  "simulated",
] as const;

export const backendNames = ["tap", "xdp", "packet"] as const;

export const synCookieNames = ["full", "always", "never"] as const;

const uint32Max = 4294967295;
/** As the stack has it (assembly/transport/tcp/socket.ts). */
const keepAliveMaxMs = 32767000;
const million = 1048576;

const demikernel = section(
  {
    local_ipv4_addr: ipv4Address("The stack's own IPv4 address."),
    local_ipv4_prefix: size(0, 32, 24, "Bits of local_ipv4_addr that name its network."),
    gateway_ipv4_addr: ipv4Address(
      "Router for everything outside the own network. Default: none, only the own network.",
    ),
    local_link_addr: linkAddress(
      "The stack's MAC address. Default, and for ff:ff:ff:ff:ff:ff: the device's own.",
    ),
  },
  "The stack's own addresses.",
);

const rawSocket = section(
  {
    backend: choice(
      backendNames,
      "What moves the frames. Default: the best of xdp, packet and tap that opens.",
    ),
    linux_interface_name: word(
      "veth0",
      "The Linux interface: an existing one for xdp and packet, the TAP's name for tap.",
    ),
    interface_name: word("veth0", "Older name of linux_interface_name."),
    xdp_interface_index: integer(0, uint32Max, 0, "Windows interface index; without effect here."),
    xdp_vf_interface_index: integer(0, uint32Max, 0, "Windows only; without effect here."),
    xdp_cohost_mode: flag(false, "Windows only; without effect here."),
    xdp_always_poke_tx: flag(false, "Windows only; without effect here."),
    xdp_always_send_on_vf: flag(false, "Windows only; without effect here."),
    xdp_tcp_ports: ports("Windows only; without effect here."),
    xdp_udp_ports: ports("Windows only; without effect here."),
    xdp_reserved_port_count: integer(0, 65535, 0, "Windows only; without effect here."),
    xdp_reserved_port_protocol: choice(["tcp", "udp"], "Windows only; without effect here."),
    tx_buffer_count: integer(1, uint32Max, 4096, "Windows only; without effect here."),
    rx_buffer_count: integer(1, uint32Max, 4096, "Windows only; without effect here."),
    tx_ring_size: integer(1, 65536, 128, "Windows only; without effect here."),
    rx_ring_size: integer(1, 65536, 128, "Windows only; without effect here."),
  },
  "The network device of catpowder.",
);

const keepalive = section(
  {
    enabled: flag(false, "Probe idle connections."),
    time_millis: size(0, keepAliveMaxMs, 7200000, "Idle milliseconds before the first probe."),
    interval: size(0, keepAliveMaxMs, 75000, "Milliseconds between probes."),
    probes: size(1, 127, 9, "Probes without an answer that end a connection."),
  },
  "Keep-alive of new sockets.",
);

const linger = section(
  {
    enabled: flag(false, "Let close wait for unsent data."),
    time_seconds: size(0, 65535, 0, "Seconds that close waits at most; 0 counts as not enabled."),
  },
  "Linger of new sockets (SO_LINGER).",
);

const tcpSocketOptions = section(
  {
    keepalive: v.optional(keepalive, {}),
    linger: v.optional(linger, {}),
    nodelay: flag(true, "Send small segments at once (TCP_NODELAY)."),
    congestion_control: choice(
      congestionControls,
      "Who sizes congestion windows (TCP_CONGESTION). Default: cubic.",
    ),
    ecn: choice(
      ecnModes,
      "Explicit congestion notification: offered, only agreed to, or neither. Default: passive.",
    ),
    pacing: flag(false, "Spread segments over the round trip instead of sending bursts."),
  },
  "Options that new TCP sockets start with.",
);

const fastOpen = section(
  {
    client: flag(true, "Let sockets that ask for it send data in SYNs."),
    server: flag(true, "Let listeners that ask for it take data from SYNs."),
    all_listeners: flag(false, "Every listener takes data from SYNs, as many as its backlog."),
    without_cookies: flag(
      false,
      "No cookies are needed: only where nobody can send from another's address.",
    ),
    pause_ms: size(
      0,
      86400000,
      3600000,
      "Milliseconds without data in SYNs on a path that has lost some.",
    ),
    keys: fastOpenKeys(
      "Keys of the cookies given, the older one second; as Linux's tcp_fastopen_key, with which they are shared. Default: a random one.",
    ),
  },
  "TCP Fast Open (RFC 7413): data in the first packet of a connection.",
);

const inetstack = section(
  {
    mtu: integer(68, 65535, 1500, "Largest IP packet in bytes. Default: the device's."),
    mss: integer(
      88,
      65535,
      1460,
      "Largest TCP payload to announce in bytes; mtu less 40 at most. Default: that.",
    ),
    enable_jumbo_frames: flag(false, "Accepted as Demikernel's; the MTU alone decides here."),
    udp_checksum_offload: flag(true, "Let the device check and fill UDP checksums where it can."),
    tcp_checksum_offload: flag(true, "Let the device check and fill TCP checksums where it can."),
    arp_table: neighbourTable("Static neighbours: MAC address → IPv4 address."),
    arp_request_retries: size(0, 255, 5, "Repeated requests before a query fails."),
    arp_request_timeout: size(1, 3600, 20, "Seconds that one query lasts at most."),
    arp_cache_ttl: size(1, 4294, 15, "Seconds that a learnt neighbour is valid."),
    frames: size(64, million, 16384, "Frames of 2,048 bytes in the pool."),
    connections: size(1, million, 16384, "TCP connections at most."),
    queues: size(1, 2 * million, 32768, "Open queue descriptors at most."),
    tokens: size(16, million, 65536, "Operations under way at most."),
    datagram_sockets: size(1, 65536, 1024, "UDP sockets at most."),
    neighbours: size(8, 65536, 1024, "Neighbours (ARP entries) at most."),
    reassembly_sets: size(1, 65536, 64, "IP packets being reassembled at most."),
    ring_entries: size(64, 65536, 2048, "Entries of each ring to the device, a power of two."),
    receive_buffer_size: size(
      1024,
      1073725440,
      131072,
      "Receive window that a TCP connection begins with, in bytes.",
    ),
    receive_buffer_max: size(
      0,
      1073725440,
      6291456,
      "What it grows to while the application keeps up, in bytes; 0: it does not grow.",
    ),
    send_buffer_size: size(
      1024,
      1073725440,
      131072,
      "Unacknowledged bytes that a TCP connection takes at first.",
    ),
    send_buffer_max: size(
      0,
      1073725440,
      4194304,
      "What it grows to with the congestion window, in bytes; 0: it does not grow.",
    ),
    unsent_max_size: size(
      0,
      1073725440,
      0,
      "Bytes of a send buffer that may wait unsent at most (TCP_NOTSENT_LOWAT); 0 for all of it.",
    ),
    rto_min_ms: size(1, 60000, 200, "Shortest retransmission timeout in milliseconds."),
    time_wait_ms: size(0, 240000, 60000, "Length of TIME_WAIT in milliseconds."),
    timestamps: flag(
      true,
      "Offer TCP timestamps: measured round trips, protection from old segments.",
    ),
    alternative_backoff: flag(
      true,
      "Let an echo of congestion reduce the window by less than a loss does.",
    ),
    sack: flag(true, "Offer selective acknowledgements of what arrives beyond a gap."),
    black_hole_detection: flag(
      true,
      "Try smaller TCP segments when large ones time out again and again.",
    ),
    doubt_path_mtu: flag(
      true,
      "Keep a segment size that has worked until a timeout confirms what a router says of it.",
    ),
    quick_acks: flag(
      true,
      "Acknowledge the first data of a connection, and those after a pause, without delay.",
    ),
    delayed_ack_ms: size(0, 500, 40, "Longest delay of an acknowledgement in milliseconds."),
    syn_retries: size(1, 127, 7, "Repetitions of a SYN before a connect gives up."),
    syn_ack_retries: size(0, 127, 5, "Repetitions of a SYN-ACK before its place is free again."),
    data_retries: size(3, 127, 15, "Repetitions of data before a connection gives up."),
    fin_timeout_ms: size(
      0,
      3600000,
      60000,
      "Milliseconds that a closed connection waits for its peer's FIN.",
    ),
    fast_open: v.optional(fastOpen, {}),
    syn_cookies: choice(
      synCookieNames,
      "When a listener answers SYNs without keeping state. Default: full, when its backlog is.",
    ),
  },
  "The TCP/IP stack: sizes are fixed when it opens.",
);

const dpdk = section(
  { eal_init: words("Arguments of rte_eal_init, the program's name first.") },
  "The network device of catnip.",
);

const runtime = section(
  {
    spin_us: size(
      0,
      1000000,
      50,
      "Microseconds of polling without work before the process sleeps.",
    ),
  },
  "How a program waits.",
);

export const fileSchema = v.strictObject({
  demikernel: v.optional(demikernel, {}),
  raw_socket: v.optional(rawSocket, {}),
  dpdk: v.optional(dpdk, {}),
  tcp_socket_options: v.optional(tcpSocketOptions, {}),
  inetstack_config: v.optional(inetstack, {}),
  runtime: v.optional(runtime, {}),
});

/** What a configuration file says, with the defaults filled in. */
export type FileConfig = v.InferOutput<typeof fileSchema>;

/** Words for our own error messages, of no meaning in a JSON schema. */
function withoutErrorTexts(key: string, value: unknown): unknown {
  return key === "expected" || key === "example" ? undefined : value;
}

/** The JSON schema of the file, as config/schema.json has it. */
export function jsonSchemaText(): string {
  const schema = toJsonSchema(fileSchema, { errorMode: "ignore", typeMode: "input" });
  const titled = { title: "demibun configuration", ...schema };
  return `${JSON.stringify(titled, withoutErrorTexts, 2)}\n`;
}
