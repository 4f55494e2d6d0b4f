/** Addresses, routes and size of a TUN device (netdevice(7), rtnetlink(7), linux/ipv6_route.h). */
import { existsSync, writeFileSync } from "node:fs";
import { DemibunError } from "../../src/errors";
import { bringUp, interfaceFacts, query } from "../interface";
import { AF_INET, bind, close, cString, ioctl, SOCK_DGRAM, Struct, socket } from "../libc";
import { AF_INET6, encodeSocketAddress, ipBytes } from "../sockets/address";

const SIOCADDRT = 0x890b;
const SIOCSIFADDR = 0x8916;
const SIOCSIFNETMASK = 0x891c;
const SIOCSIFMTU = 0x8922;
const REQUEST_VALUE = 16;
/** struct in6_ifreq: address, prefix length, interface. */
const IPV6_REQUEST_SIZE = 24;
/** struct rtentry. */
const ROUTE_SIZE = 120;
const ROUTE_DESTINATION = 8;
const ROUTE_GATEWAY = 24;
const ROUTE_MASK = 40;
const ROUTE_FLAGS = 56;
const ROUTE_DEVICE = 88;
/** struct in6_rtmsg; an all-zero destination of no length is the default route. */
const IPV6_ROUTE_SIZE = 80;
const IPV6_ROUTE_METRIC = 56;
const IPV6_ROUTE_FLAGS = 72;
const IPV6_ROUTE_INTERFACE = 76;
const IPV6_METRIC = 1;
const RTF_UP = 1;
const SETTLE_MS = 1000;

export interface TunSettings {
  /** The kernel's own address on the device. */
  readonly address: string;
  /** Bits of `address` that name its network. */
  readonly prefix: number;
  readonly family: "ipv4" | "ipv6";
  /** Largest IP packet in bytes. */
  readonly mtu: number;
}

function checked(code: number, what: string): void {
  if (code >= 0) return;
  throw new DemibunError({ operation: "configure tun", errno: code, detail: `${what} failed` });
}

/** Makes one ioctl on a socket of the family. */
function control(family: number, request: number, argument: Struct): number {
  const fd = socket(family, SOCK_DGRAM, 0);
  if (fd < 0) return fd;
  const code = ioctl(fd, request, argument.address);
  close(fd);
  return code;
}

function set(name: string, request: number, value: Uint8Array, what: string): void {
  const result = query(name, request, ({ bytes }) => bytes.set(value, REQUEST_VALUE));
  checked(typeof result === "number" ? result : 0, what);
}

function ipv4Bytes(address: string): Uint8Array {
  return encodeSocketAddress({ family: "ipv4", address, port: 0 }).bytes;
}

function maskOf(prefix: number): string {
  const mask = prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 0xff).join(".");
}

function addIpv4(name: string, { address, prefix }: TunSettings): void {
  set(name, SIOCSIFADDR, ipv4Bytes(address), `adding ${address}`);
  set(name, SIOCSIFNETMASK, ipv4Bytes(maskOf(prefix)), `setting the netmask of ${address}`);
}

function routeIpv4(name: string): void {
  const route = new Struct(ROUTE_SIZE);
  for (const field of [ROUTE_DESTINATION, ROUTE_GATEWAY, ROUTE_MASK]) {
    route.view.setUint16(field, AF_INET, true);
  }
  route.view.setUint16(ROUTE_FLAGS, RTF_UP, true);
  route.setPointer(ROUTE_DEVICE, cString(name));
  checked(control(AF_INET, SIOCADDRT, route), "the default route");
}

/** Keeps the kernel from sending of its own accord: no link-local address, no router search. */
function quietIpv6(name: string, isUsed: boolean): void {
  const folder = `/proc/sys/net/ipv6/conf/${name}`;
  if (!existsSync(folder)) return;
  const quiet = { accept_dad: 0, addr_gen_mode: 1, router_solicitations: 0 };
  for (const [key, value] of Object.entries({ disable_ipv6: isUsed ? 0 : 1, ...quiet })) {
    writeFileSync(`${folder}/${key}`, `${value}`);
  }
}

function addIpv6(name: string, { address, prefix }: TunSettings): void {
  const request = new Struct(IPV6_REQUEST_SIZE);
  request.bytes.set(ipBytes("ipv6", address));
  request.view.setUint32(16, prefix, true);
  request.view.setUint32(20, interfaceFacts(name).index, true);
  checked(control(AF_INET6, SIOCSIFADDR, request), `adding ${address}`);
  awaitIpv6(address);
}

/** Waits until the kernel has taken the address into use, which it does in the background. */
function awaitIpv6(address: string): void {
  const own = encodeSocketAddress({ family: "ipv6", address, port: 0 });
  let code = -1;
  for (let waitedMs = 0; code < 0 && waitedMs < SETTLE_MS; waitedMs++) {
    if (waitedMs > 0) Bun.sleepSync(1);
    const fd = socket(AF_INET6, SOCK_DGRAM, 0);
    code = bind(fd, own);
    close(fd);
  }
  checked(code, `binding ${address}`);
}

function routeIpv6(name: string): void {
  const route = new Struct(IPV6_ROUTE_SIZE);
  route.view.setUint32(IPV6_ROUTE_METRIC, IPV6_METRIC, true);
  route.view.setUint32(IPV6_ROUTE_FLAGS, RTF_UP, true);
  route.view.setUint32(IPV6_ROUTE_INTERFACE, interfaceFacts(name).index, true);
  checked(control(AF_INET6, SIOCADDRT, route), "the default route");
}

/** Gives the device its address and the default route, and sets it up. Throws EPERM, EINVAL … */
export function configureTun(name: string, settings: TunSettings): void {
  const mtu = new Uint8Array(4);
  new DataView(mtu.buffer).setUint32(0, settings.mtu, true);
  set(name, SIOCSIFMTU, mtu, `an MTU of ${settings.mtu}`);
  const isIpv4 = settings.family === "ipv4";
  quietIpv6(name, !isIpv4);
  bringUp(name);
  if (isIpv4) addIpv4(name, settings);
  else addIpv6(name, settings);
  if (isIpv4) routeIpv4(name);
  else routeIpv6(name);
}
