/** The kernel answers over a TUN. */
import { afterEach, describe, expect, test } from "bun:test";
import { poll } from "../../shims/sockets/calls";
import { encodePoll } from "../../shims/sockets/readiness";
import { configureTun, type TunSettings } from "../../shims/tun/configure";
import { currentNetwork, enterNewNetwork } from "../../shims/tun/namespace";
import { Tun } from "../../shims/tun/tun";
import { buildIpv4, buildIpv6 } from "../../src/packet/build";
import { type Addresses, buildIcmp, buildTcp } from "../../src/packet/build-transport";
import { parseIp } from "../../src/packet/parse";
import {
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from "../../src/packet/protocols";
import { type Packet, TCP_ACK, TCP_RST, TCP_SYN } from "../../src/packet/types";
import { inOwnNetwork } from "./own-network";

const TIMEOUT_MS = 20_000;
const POLLIN = 1;

const ipv4: TunSettings = { family: "ipv4", address: "192.168.0.1", prefix: 16, mtu: 1500 };
const ipv6: TunSettings = { family: "ipv6", address: "fd00::1", prefix: 48, mtu: 1280 };
const remotes = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };

function toKernel({ family, address }: TunSettings): Addresses {
  return { source: remotes[family], destination: address };
}

function packetOf(addresses: Addresses, protocol: number, payload: Uint8Array): Uint8Array {
  const build = addresses.source.includes(":") ? buildIpv6 : buildIpv4;
  return build({ ...addresses, protocol }, payload);
}

function inside(): void {
  let tun: Tun | undefined;

  afterEach(() => {
    tun?.[Symbol.dispose]();
    tun = undefined;
  });

  function opened(settings: TunSettings): Tun {
    enterNewNetwork();
    const device = new Tun("tun0");
    tun = device;
    configureTun(device.name, settings);
    return device;
  }

  /** The next packet of that protocol; the kernel has its own to send. */
  function answer(device: Tun, protocol: number): Packet {
    const entries = encodePoll([{ fd: device.fd, events: POLLIN }]);
    while (poll(entries, 1, 5000) === 1) {
      const bytes = device.read();
      const packet = bytes === undefined ? undefined : parseIp(bytes);
      if (packet?.ip?.protocol === protocol) return packet;
    }
    throw new Error("no answer");
  }

  describe.each([ipv4, ipv6])("$family", (settings) => {
    const addresses = toKernel(settings);
    const isIpv4 = settings.family === "ipv4";

    test("the kernel answers an echo request", () => {
      const protocol = isIpv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
      const data = new TextEncoder().encode("are you there?");
      const request = { type: isIpv4 ? 8 : 128, code: 0, rest: 0x1234_0001 };
      const device = opened(settings);
      const echo = buildIcmp(request, data, isIpv4 ? undefined : addresses);
      device.write(packetOf(addresses, protocol, echo));
      const { icmp, ip, payload, problems } = answer(device, protocol);
      expect([icmp?.type, icmp?.rest]).toEqual([isIpv4 ? 0 : 129, 0x1234_0001]);
      expect([ip?.source, ip?.destination]).toEqual([addresses.destination, addresses.source]);
      expect(new TextDecoder().decode(payload)).toBe("are you there?");
      expect(problems).toEqual([]);
    });

    test("a SYN to a closed port is answered by a whole RST", () => {
      const device = opened(settings);
      const ports = { sourcePort: 40_000, destinationPort: 81 };
      const syn = buildTcp({ ...ports, flags: TCP_SYN, sequence: 7 }, new Uint8Array(), addresses);
      device.write(packetOf(addresses, PROTOCOL_TCP, syn));
      const { tcp, problems } = answer(device, PROTOCOL_TCP);
      expect([tcp?.flags, tcp?.acknowledgment]).toEqual([TCP_RST | TCP_ACK, 8]);
      expect(problems).toEqual([]);
    });

    test("what the kernel sends is as long as the MTU allows, and no longer", () => {
      const device = opened(settings);
      const size = isIpv4 ? 28 : 48;
      const send = (bytes: number) => {
        const script =
          `const socket = await Bun.udpSocket({ hostname: "${settings.address}" });` +
          `socket.send(new Uint8Array(${bytes}), 9, "${addresses.source}"); socket.close();`;
        Bun.spawnSync([process.execPath, "-e", script], { timeout: TIMEOUT_MS });
      };
      send(settings.mtu - size);
      const whole = answer(device, PROTOCOL_UDP);
      expect(whole.ip?.totalLength).toBe(settings.mtu);
      send(settings.mtu);
      const fragment = answer(device, PROTOCOL_UDP);
      expect(fragment.ip?.totalLength).toBeLessThanOrEqual(settings.mtu);
    });
  });

  test("reading without a packet tells so, and a name cannot be opened twice", () => {
    const device = opened(ipv4);
    expect(device.read()).toBeUndefined();
    expect(() => new Tun("tun0")).toThrow("another process has tun0 open");
    expect(() => new Tun("lo")).toThrow("lo exists and is no TUN device");
    const bad = { ...ipv4, address: "10.0.0.300" };
    expect(() => configureTun("tun0", bad)).toThrow("is no IPv4 address");
    expect(() => device.write(new Uint8Array(3))).toThrow("EINVAL");
  });

  test("every new network is empty", () => {
    const first = opened(ipv4);
    const network = currentNetwork();
    enterNewNetwork();
    expect(currentNetwork()).not.toBe(network);
    using second = new Tun("tun0");
    expect(second.fd).not.toBe(first.fd);
  });
}

inOwnNetwork(import.meta.path, "a TUN in a network of its own", inside);
