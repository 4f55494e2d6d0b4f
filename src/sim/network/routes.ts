/** A routing table: which way for an IPv4 address, the longest prefix deciding (RFC 1812 5.2.4.3). */

export interface Route<Exit> {
  /** The network as a number, bits behind the prefix zero. */
  readonly network: number;
  readonly prefixBits: number;
  readonly exit: Exit;
  /** The next router; undefined where the destination itself is on the exit's network. */
  readonly via: number | undefined;
}

export function maskOf(prefixBits: number): number {
  return prefixBits === 0 ? 0 : (0xffffffff << (32 - prefixBits)) >>> 0;
}

export class Routes<Exit> {
  /** Longest prefixes first; of the same length, the first that was added. */
  readonly #routes: Route<Exit>[] = [];

  add(route: Route<Exit>): void {
    const at = this.#routes.findIndex(({ prefixBits }) => prefixBits < route.prefixBits);
    this.#routes.splice(at < 0 ? this.#routes.length : at, 0, route);
  }

  find(address: number): Route<Exit> | undefined {
    return this.#routes.find(
      ({ network, prefixBits }) => (address & maskOf(prefixBits)) >>> 0 === network,
    );
  }
}
