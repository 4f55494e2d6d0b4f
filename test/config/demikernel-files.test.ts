/** Files with the keys that Demikernel's own configurations have load unchanged. */
import { expect, test } from "bun:test";
import { parseConfig } from "../../src/config/load";

const bareMetal = `
demikernel:
  local_ipv4_addr: 192.168.7.20
  local_link_addr: "ff:ff:ff:ff:ff:ff"
raw_socket:
  linux_interface_name: "enp1s0"
  xdp_interface_index: 0
  xdp_cohost_mode: false
  xdp_always_poke_tx: false
  xdp_always_send_on_vf: false
  xdp_tcp_ports: [80, 443]
  xdp_udp_ports: [53]
  xdp_reserved_port_count: 8000
  xdp_reserved_port_protocol: tcp
  xdp_vf_interface_index: 0
  tx_buffer_count: 4096
  rx_buffer_count: 4096
  tx_ring_size: 128
  rx_ring_size: 128
dpdk:
  eal_init: ["", "-c", "0xff", "-n", "4", "-a", "00:08.0","--proc-type=auto"]
tcp_socket_options:
  keepalive:
    enabled: false
    time_millis: 0
    interval: 0
  linger:
    enabled: true
    time_seconds: 0
  nodelay: true
inetstack_config:
  mtu: 1500
  mss: 1500
  enable_jumbo_frames: false
  udp_checksum_offload: false
  tcp_checksum_offload: false
  arp_table:
    "0C:42:A1:00:00:01": "192.168.7.1"
    "0c-42-a1-00-00-02": "192.168.7.2"
  arp_request_retries: 5
  arp_request_timeout: 20
  arp_cache_ttl: 15

# vim: set tabstop=2 shiftwidth=2
`;

test("a file with every key of Demikernel resolves to full names and units", () => {
  const config = parseConfig(bareMetal, "default.yaml", { environment: {} });
  expect(config).toEqual({
    libos: "catpowder",
    demikernel: {
      localIpv4Address: "192.168.7.20",
      localIpv4Prefix: 24,
      gatewayIpv4Address: undefined,
      localLinkAddress: undefined,
    },
    rawSocket: { backend: undefined, linuxInterfaceName: "enp1s0" },
    dpdk: {
      ealArguments: ["", "-c", "0xff", "-n", "4", "-a", "00:08.0", "--proc-type=auto"],
    },
    tcpSocketOptions: {
      keepAlive: { enabled: false, timeMs: 0, intervalMs: 0, probes: 9 },
      // Enabled with 0 seconds would reset every connection on close; Demikernel never did.
      linger: { enabled: false, timeSeconds: 0 },
      noDelay: true,
      congestionControl: "cubic",
      ecn: "passive",
      pacing: false,
    },
    inetstack: {
      mtu: 1500,
      mss: 1460,
      enableJumboFrames: false,
      udpChecksumOffload: false,
      tcpChecksumOffload: false,
      arpTable: [
        { linkAddress: "0c:42:a1:00:00:01", ipv4Address: "192.168.7.1" },
        { linkAddress: "0c:42:a1:00:00:02", ipv4Address: "192.168.7.2" },
      ],
      arpRequestRetries: 5,
      arpRequestTimeoutMs: 20000,
      arpCacheTtlMs: 15000,
      frames: 16384,
      connections: 16384,
      queues: 32768,
      tokens: 65536,
      datagramSockets: 1024,
      neighbours: 1024,
      reassemblySets: 64,
      ringEntries: 2048,
      receiveBufferBytes: 131072,
      sendBufferBytes: 131072,
      receiveBufferMaxBytes: 6291456,
      sendBufferMaxBytes: 4194304,
      unsentMaxBytes: 0,
      quickAcks: true,
      rtoMinMs: 200,
      timeWaitMs: 60000,
      delayedAckMs: 40,
      synRetries: 7,
      synAckRetries: 5,
      dataRetries: 15,
      finTimeoutMs: 60_000,
      synCookies: "full",
      timestamps: true,
      sack: true,
      blackHoleDetection: true,
      doubtPathMtu: true,
      fastOpen: {
        client: true,
        server: true,
        allListeners: false,
        withoutCookies: false,
        pauseMs: 3_600_000,
        keys: undefined,
      },
      alternativeBackoff: true,
    },
    runtime: { spinUs: 50 },
  });
});

test("an older file with interface_name and a loopback address loads", () => {
  const text = `
demikernel:
  local_ipv4_addr: 127.0.0.1
  local_link_addr: "12:23:45:67:89:ab"
raw_socket:
  interface_name: "abcde"
inetstack_config:
  arp_table:
    "12:23:45:67:89:ab": "127.0.0.1"
  arp_cache_ttl: 600
`;
  const config = parseConfig(text, "alice.yaml", { environment: {} });
  expect(config.rawSocket.linuxInterfaceName).toBe("abcde");
  expect(config.demikernel.localLinkAddress).toBe("12:23:45:67:89:ab");
  expect(config.inetstack.arpCacheTtlMs).toBe(600000);
});

test("sections without keys and an empty file count as left out", () => {
  expect(parseConfig("dpdk:\nraw_socket:\n", "x", { libos: "catnap" }).dpdk.ealArguments).toEqual(
    [],
  );
  expect(parseConfig("", "x", { libos: "catnap", environment: {} }).libos).toBe("catnap");
});

test("the environment outranks the file", () => {
  const environment = { LIBOS: "catnip", MTU: "9000", MSS: "8000", NODELAY: "false", LINGER: "7" };
  const config = parseConfig(bareMetal, "default.yaml", { environment });
  expect(config.libos).toBe("catnip");
  expect([config.inetstack.mtu, config.inetstack.mss]).toEqual([9000, 8000]);
  expect(config.tcpSocketOptions.noDelay).toBe(false);
  expect(config.tcpSocketOptions.linger).toEqual({ enabled: true, timeSeconds: 7 });
  const off = parseConfig(bareMetal, "default.yaml", { environment: { LINGER: "off" } });
  expect(off.tcpSocketOptions.linger).toEqual({ enabled: false, timeSeconds: 0 });
});
