/** Addresses as the API gives and takes them. */
import { ERRNO_EINVAL } from "../../assembly/layout";
import { DemibunError } from "../errors";
import { formatIpv4, parseIpv4 } from "../wasm/address";

/** Where to bind or connect. */
export interface Endpoint {
  /** IPv4 address in text; undefined or `"0.0.0.0"` binds to every address of the stack. */
  readonly hostname?: string | undefined;
  /** 0…65535; 0 lets the stack choose when binding. */
  readonly port: number;
}

/** Address and port of one end of a connection or datagram. */
export class SocketAddress {
  readonly #value: number;
  #text: string | undefined;
  readonly port: number;
  readonly family = "IPv4";

  constructor(value: number, port: number) {
    this.#value = value;
    this.port = port;
  }

  /** Text such as `"10.0.0.1"`, made at the first use. */
  get address(): string {
    this.#text ??= formatIpv4(this.#value);
    return this.#text;
  }

  /** The same as `address`, so that an address is an `Endpoint` too. */
  get hostname(): string {
    return this.address;
  }

  toString(): string {
    return `${this.address}:${this.port}`;
  }

  toJSON(): { address: string; port: number; family: "IPv4" } {
    return { address: this.address, port: this.port, family: this.family };
  }
}

/** The address of an endpoint as a u32; 0 for none given. Throws EINVAL. */
export function endpointAddress(endpoint: Endpoint, operation: string): number {
  const { hostname, port } = endpoint;
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new DemibunError({
      operation,
      errno: ERRNO_EINVAL,
      detail: `port ${port} is not a whole number from 0 to 65535`,
    });
  }
  return hostname === undefined ? 0 : parseIpv4(hostname, operation);
}
