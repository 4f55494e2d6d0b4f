/** What Linux tells about a network interface, and the little that a backend sets (netdevice(7)). */
import * as ipaddr from "ipaddr.js";
import { ERRNO_EINVAL, ERRNO_ENODEV } from "../assembly/layout";
import { DemibunError } from "../src/errors";
import { AF_INET, close, ioctl, SOCK_CLOEXEC, SOCK_DGRAM, Struct, socket } from "./libc";

const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCGIFMTU = 0x8921;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const SIOCSIFTXQLEN = 0x8943;
const SIOCETHTOOL = 0x8946;
const ETHTOOL_GDRVINFO = 3;
/** struct ethtool_drvinfo with its fields driver and bus_info. */
const DRIVER_INFO_SIZE = 196;
const DRIVER_NAME = 4;
const DRIVER_FIELD = 32;
const DRIVER_BUS = 100;

const NAME_MAX = 15;
const REQUEST_SIZE = 40;
const REQUEST_VALUE = 16;
const HARDWARE_ADDRESS = 18;
const IFF_UP = 1;
const MAC_SIZE = 6;

/** struct ifreq with its name set. */
export function interfaceRequest(name: string): Struct {
  const request = new Struct(REQUEST_SIZE);
  const encoded = new TextEncoder().encode(name);
  if (encoded.length === 0 || encoded.length > NAME_MAX) {
    throw new DemibunError({
      operation: "open interface",
      errno: ERRNO_EINVAL,
      detail: `"${name}" is no interface name: 1 to ${NAME_MAX} bytes are allowed`,
      hint: "ip -brief link  lists the interfaces",
    });
  }
  request.bytes.set(encoded);
  return request;
}

/** One request about an interface; returns the filled request or -errno. */
export function query(
  name: string,
  code: number,
  fill?: (request: Struct) => void,
): Struct | number {
  const request = interfaceRequest(name);
  fill?.(request);
  const fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  const result = ioctl(fd, code, request.address);
  close(fd);
  return result < 0 ? result : request;
}

/** The interface's view of one request; throws when there is no such interface. */
function required(name: string, code: number): Struct {
  const request = query(name, code);
  if (typeof request !== "number") return request;
  const missing = Math.abs(request) === ERRNO_ENODEV;
  throw new DemibunError({
    operation: "open interface",
    errno: request,
    detail: missing ? `there is no interface "${name}" here` : undefined,
    hint: "ip -brief link  lists the interfaces; raw_socket.linux_interface_name names one",
  });
}

export interface InterfaceFacts {
  readonly index: number;
  readonly mac: Uint8Array;
  /** Largest IP packet in bytes. */
  readonly mtu: number;
}

/** Throws DemibunError (ENODEV, EINVAL) when there is no interface of that name. */
export function interfaceFacts(name: string): InterfaceFacts {
  const index = required(name, SIOCGIFINDEX).view.getUint32(REQUEST_VALUE, true);
  const mtu = required(name, SIOCGIFMTU).view.getUint32(REQUEST_VALUE, true);
  const hardware = required(name, SIOCGIFHWADDR).bytes;
  const mac = hardware.slice(HARDWARE_ADDRESS, HARDWARE_ADDRESS + MAC_SIZE);
  return { index, mac, mtu };
}

export function isInterface(name: string): boolean {
  return typeof query(name, SIOCGIFINDEX) !== "number";
}

/** struct ethtool_drvinfo, all zero when the driver tells nothing. */
function driverInformation(name: string): Struct {
  const information = new Struct(DRIVER_INFO_SIZE);
  information.view.setUint32(0, ETHTOOL_GDRVINFO, true);
  query(name, SIOCETHTOOL, (request) => request.setPointer(REQUEST_VALUE, information));
  return information;
}

/** The name of the interface's driver, empty when it tells none. */
export function interfaceDriver(name: string): string {
  const field = driverInformation(name).bytes.subarray(DRIVER_NAME, DRIVER_NAME + DRIVER_FIELD);
  return new TextDecoder().decode(field.subarray(0, field.indexOf(0)));
}

/** Says whether no hardware bus stands behind the interface (veth, tap, bridge). */
export function isVirtual(name: string): boolean {
  return driverInformation(name).bytes[DRIVER_BUS] === 0;
}

/** Sets the interface up where this process may; says whether it is up now. */
export function bringUp(name: string): boolean {
  const request = query(name, SIOCGIFFLAGS);
  if (typeof request === "number") return false;
  const flags = request.view.getUint16(REQUEST_VALUE, true);
  if ((flags & IFF_UP) !== 0) return true;
  const set = query(name, SIOCSIFFLAGS, ({ view }) => {
    view.setUint16(REQUEST_VALUE, flags | IFF_UP, true);
  });
  return typeof set !== "number";
}

/** Sets how many packets the kernel queues for the device, where this process may. */
export function setQueueLength(name: string, packets: number): void {
  query(name, SIOCSIFTXQLEN, ({ view }) => view.setUint32(REQUEST_VALUE, packets, true));
}

/** A random unicast address from the locally administered range (IEEE 802, section 8.4). */
export function randomMac(): Uint8Array {
  const mac = crypto.getRandomValues(new Uint8Array(MAC_SIZE));
  mac[0] = ((mac[0] as number) & 0xfc) | 2;
  return mac;
}

/** The four bytes of an IPv4 address in network byte order. */
export function addressBytes(address: string): Uint8Array {
  if (!ipaddr.IPv4.isValidFourPartDecimal(address)) {
    throw new DemibunError({
      operation: "open interface",
      errno: ERRNO_EINVAL,
      detail: `"${address}" is no IPv4 address`,
      hint: "write it as four decimal numbers: 10.0.0.2",
    });
  }
  return Uint8Array.from(ipaddr.IPv4.parse(address).toByteArray());
}
