/** Both ends of a connection in two modules, with applications in TypeScript. */
import {
  CONTROL_ADDRESS,
  KIND_STREAM,
  OPCODE_ACCEPT,
  OPCODE_CLOSE,
  OPCODE_POP,
  OPCODE_PUSH,
} from "../../assembly/layout";
import { storeIpv4 } from "../../src/wasm/address";
import { Host } from "./host";
import { assertNothingLost, plainInterface } from "./stack-options";
import { Wire } from "./wire";

export const ECHO_BYTES = 64;
export const SEGMENT_BYTES = 1460;
const PORT = 7;
/** Pushes that the sender keeps pending. */
const PENDING_MAX = 8;
/** Rounds without anything to do after which something must have been lost. */
export const IDLE_MAX = 100_000;

/** Two hosts joined by a wire, the second of which listens. */
export class Pair {
  readonly client: Host;
  readonly server: Host;
  readonly wire: Wire;
  readonly #listener: number;
  /** Both ends of the connection opened last. */
  connected = 0;
  accepted = 0;

  constructor(module: WebAssembly.Module) {
    this.client = new Host(0, module);
    this.server = new Host(1, module);
    this.wire = new Wire(this.client.stack, this.server.stack);
    const { stack, exports } = this.server;
    this.#listener = stack.check("socket", exports.socket(KIND_STREAM));
    storeIpv4(stack.bytes, CONTROL_ADDRESS, plainInterface(1).address);
    stack.check("bind", exports.bind(this.#listener, PORT));
    stack.check("listen", exports.listen(this.#listener, 128));
  }

  /** Calls the ends' handlers for each completion until one of them returns true. */
  drive(onClient: (host: Host) => boolean, onServer: (host: Host) => boolean): void {
    const { client, server } = this;
    let idle = 0;
    let done = false;
    while (!done) {
      client.exports.flush();
      server.exports.flush();
      idle = this.wire.carry() === 0 ? idle + 1 : 0;
      if (idle > IDLE_MAX) throw new Error("nothing moves any more");
      client.poll();
      server.poll();
      while (server.next()) done = onServer(server) || done;
      while (client.next()) done = onClient(client) || done;
    }
  }

  connect(): void {
    const { client, server } = this;
    this.connected = client.stack.check("socket", client.exports.socket(KIND_STREAM));
    client.stack.check("accept", server.exports.accept(this.#listener));
    storeIpv4(client.stack.bytes, CONTROL_ADDRESS, plainInterface(1).address);
    client.stack.check("connect", client.exports.connect(this.connected, PORT));
    let left = 2;
    const established = (host: Host): boolean => {
      if (host.opcode === OPCODE_ACCEPT) this.accepted = host.accepted;
      return --left === 0;
    };
    this.drive(established, established);
  }

  echo(rounds: number): number {
    const { client, server } = this;
    let done = 0;
    server.exports.pop(this.accepted, 0);
    client.exports.pop(this.connected, 0);
    client.pushCopy(this.connected, ECHO_BYTES);
    this.drive(
      (host) => {
        if (host.opcode !== OPCODE_POP) return false;
        host.popCopy();
        if (++done === rounds) return true;
        host.pushCopy(host.qd, ECHO_BYTES);
        host.exports.pop(host.qd, 0);
        return false;
      },
      (host) => {
        if (host.opcode !== OPCODE_POP) return false;
        host.popCopy();
        host.pushCopy(host.qd, ECHO_BYTES);
        if (done + 1 < rounds) host.exports.pop(host.qd, 0);
        return false;
      },
    );
    return done;
  }

  bulk(total: number): number {
    const { client, server } = this;
    let sent = 0;
    let received = 0;
    let pending = 0;
    const fill = (): void => {
      while (pending < PENDING_MAX && sent < total) {
        if (!client.pushCopy(this.connected, SEGMENT_BYTES)) return;
        sent += SEGMENT_BYTES;
        pending++;
      }
    };
    server.exports.pop(this.accepted, 0);
    fill();
    this.drive(
      (host) => {
        if (host.opcode === OPCODE_PUSH) pending--;
        fill();
        return false;
      },
      (host) => {
        host.popCopy();
        received += host.bytes;
        if (received < total) host.exports.pop(this.accepted, 0);
        return received === total;
      },
    );
    return received;
  }

  cycles(count: number): number {
    for (let index = 0; index < count; index++) {
      this.connect();
      this.server.exports.pop(this.accepted, 0);
      this.client.exports.close(this.connected);
      let left = 2;
      this.drive(
        (host) => host.opcode === OPCODE_CLOSE && --left === 0,
        (host) => {
          if (host.opcode === OPCODE_POP) host.exports.close(this.accepted);
          return host.opcode === OPCODE_CLOSE && --left === 0;
        },
      );
    }
    return count;
  }

  assertNothingLost(): void {
    assertNothingLost(this.client.stack);
    assertNothingLost(this.server.stack);
  }

  [Symbol.dispose](): void {
    this.client.stack[Symbol.dispose]();
    this.server.stack[Symbol.dispose]();
  }
}
