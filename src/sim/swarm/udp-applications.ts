/** The two applications of a UDP flow: numbered datagrams go and come back, whole or not at all. */
import type { Demikernel } from "../../pdpix/demikernel";
import { UdpSocket } from "../../pdpix/udp-socket";
import { InvariantError } from "../invariants/invariant-error";
import type { Applications } from "./applications";
import { Content } from "./content";
import type { UdpFlow } from "./scenario";

/** The client still listens this long after its last datagram. */
const LAST_MS = 1500;
const NUMBER_BYTES = 2;

export class UdpApplications {
  readonly flow: UdpFlow;
  readonly #applications: Applications;
  readonly #serverAddress: string;
  readonly #content: Content;
  readonly #sockets = new Set<UdpSocket>();
  #sent = 0;
  #isOver = false;

  constructor(applications: Applications, flow: UdpFlow, serverAddress: string) {
    this.flow = flow;
    this.#applications = applications;
    this.#serverAddress = serverAddress;
    this.#content = new Content(flow.name);
  }

  get isDone(): boolean {
    return this.#isOver;
  }

  toString(): string {
    return `${this.#sent} of ${this.flow.datagrams} datagrams of ${this.flow.name} were sent`;
  }

  stop(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }

  listen(demikernel: Demikernel): void {
    this.#open(demikernel, this.flow.server, this.flow.port, (socket, bytes, port, address) => {
      socket.send(bytes, port, address);
    });
  }

  begin(demikernel: Demikernel): void {
    const { flow } = this;
    const socket = this.#open(demikernel, flow.client, 0, () => {});
    const send = (): void => {
      if (this.#applications.isClosing || this.#isOver) return;
      if (this.#sent === flow.datagrams) {
        this.#after(demikernel, LAST_MS, () => {
          this.#isOver = true;
        });
        return;
      }
      socket.send(this.#datagram(this.#sent++), flow.port, this.#serverAddress);
      this.#after(demikernel, flow.gapMs, send);
    };
    this.#after(demikernel, Math.max(0, flow.startMs - this.#applications.nowMs()), send);
  }

  #open(
    demikernel: Demikernel,
    host: string,
    port: number,
    answer: (socket: UdpSocket, bytes: Uint8Array, port: number, address: string) => void,
  ): UdpSocket {
    const socket = new UdpSocket(demikernel, {
      port,
      socket: {
        data: (from, bytes, fromPort, address) =>
          this.#applications.run(() => {
            this.#check(host, bytes);
            this.#applications.deliveredBytes += bytes.length;
            answer(from, bytes, fromPort, address);
          }),
      },
    });
    this.#sockets.add(socket);
    return socket;
  }

  /** Its number where there is room for it, then bytes that belong at that place. */
  #datagram(number: number): Uint8Array {
    const bytes = new Uint8Array(this.flow.datagramBytes);
    bytes.set(this.#content.piece(number, bytes.length));
    if (bytes.length >= NUMBER_BYTES) new DataView(bytes.buffer).setUint16(0, number);
    return bytes;
  }

  #check(host: string, bytes: Uint8Array): void {
    const { datagramBytes, datagrams, name } = this.flow;
    const fail = (detail: string): never => {
      const timeNs = this.#applications.nowMs() * 1e6;
      throw new InvariantError("delivery", host, timeNs, `a datagram of ${name} ${detail}`);
    };
    if (bytes.length !== datagramBytes) fail(`has ${bytes.length} bytes, not ${datagramBytes}`);
    if (datagramBytes < NUMBER_BYTES) return;
    const number = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0);
    if (number >= datagrams) fail(`has the number ${number} of ${datagrams}`);
    const wrong = this.#content.mismatch(number + NUMBER_BYTES, bytes.subarray(NUMBER_BYTES));
    if (wrong !== undefined) fail(`(${number}) has a wrong byte ${wrong + NUMBER_BYTES}`);
  }

  #after(demikernel: Demikernel, delayMs: number, run: () => void): void {
    demikernel.eventLoop.after(delayMs, () => this.#applications.run(run));
  }
}
