/** struct sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)). */
import * as ipaddr from "ipaddr.js";
import { ERRNO_EINVAL } from "../../assembly/layout";
import { DemibunError } from "../../src/errors";
import { AF_INET, Struct } from "../libc";

export const AF_INET6 = 10;
const IPV4_SIZE = 16;
const IPV6_SIZE = 28;
const PORT = 2;
const IPV4_ADDRESS = 4;
const IPV6_ADDRESS = 8;
const IPV6_SCOPE = 24;

export interface IpSocketAddress {
  readonly family: "ipv4" | "ipv6";
  /** Dotted decimal, or RFC 5952 text. */
  readonly address: string;
  readonly port: number;
  /** Index of the interface that a link-local IPv6 address belongs to. */
  readonly scope?: number;
}

/** The four or sixteen bytes of an address in network byte order. Throws EINVAL. */
export function ipBytes(family: IpSocketAddress["family"], address: string): Uint8Array {
  const kind = family === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
  const valid =
    family === "ipv4" ? ipaddr.IPv4.isValidFourPartDecimal(address) : ipaddr.IPv6.isValid(address);
  if (valid) return Uint8Array.from(kind.parse(address).toByteArray());
  throw new DemibunError({
    operation: "socket address",
    errno: ERRNO_EINVAL,
    detail: `"${address}" is no ${family === "ipv4" ? "IPv4" : "IPv6"} address`,
    hint: family === "ipv4" ? "write it as 10.0.0.2" : "write it as fd00::2",
  });
}

/** The structure of its family, as long as that. Throws EINVAL. */
export function encodeSocketAddress(value: IpSocketAddress): Struct {
  const isIpv4 = value.family === "ipv4";
  const struct = new Struct(isIpv4 ? IPV4_SIZE : IPV6_SIZE);
  struct.view.setUint16(0, isIpv4 ? AF_INET : AF_INET6, true);
  struct.view.setUint16(PORT, value.port);
  struct.bytes.set(ipBytes(value.family, value.address), isIpv4 ? IPV4_ADDRESS : IPV6_ADDRESS);
  if (!isIpv4) struct.view.setUint32(IPV6_SCOPE, value.scope ?? 0, true);
  return struct;
}

/** Reads what the kernel wrote; undefined when it wrote no address. Throws EINVAL for another family. */
export function decodeSocketAddress(struct: Struct, length: number): IpSocketAddress | undefined {
  if (length === 0) return undefined;
  const { bytes, view } = struct;
  const family = view.getUint16(0, true);
  const port = view.getUint16(PORT);
  if (family === AF_INET && length >= IPV4_SIZE) {
    const address = new ipaddr.IPv4([...bytes.subarray(IPV4_ADDRESS, IPV4_ADDRESS + 4)]);
    return { family: "ipv4", address: address.toString(), port };
  }
  if (family === AF_INET6 && length >= IPV6_SIZE) {
    const address = new ipaddr.IPv6([...bytes.subarray(IPV6_ADDRESS, IPV6_ADDRESS + 16)]);
    const scope = view.getUint32(IPV6_SCOPE, true);
    const text = { family: "ipv6", address: address.toRFC5952String(), port } as const;
    return scope === 0 ? text : { ...text, scope };
  }
  throw new DemibunError({
    operation: "socket address",
    errno: ERRNO_EINVAL,
    detail: `an address of family ${family} and ${length} bytes is neither IPv4 nor IPv6`,
  });
}
