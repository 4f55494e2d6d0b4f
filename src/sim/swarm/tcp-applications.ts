/** The two applications of a TCP flow: one listens, the other connects, one connection after another. */
import { DemibunError } from "../../errors";
import type { Demikernel } from "../../pdpix/demikernel";
import type { QueueDescriptor, QueueResult } from "../../pdpix/queue-result";
import type { Applications } from "./applications";
import { HandlerEnd, handlerOf } from "./handler-end";
import { QueueEnd } from "./queue-end";
import type { ScenarioEnd, TcpFlow } from "./scenario";
import { isRude, type Role, Transfer } from "./transfer";

/** Between a failed attempt and the next. */
const RETRY_MS = 200;
/** Between a connection's end and the next one. */
const NEXT_MS = 3;
/** Connections that a server of Fast Open takes before their handshakes have ended. */
const REQUESTS = 4;
/** What a call says while a pool is empty. */
const lacks: ReadonlySet<string> = new Set(["EAGAIN", "ENOBUFS", "EMFILE"]);
/** What an attempt to connect may say while the network does not carry packets. */
const unreachable: ReadonlySet<string> = new Set(["EHOSTUNREACH", "ENETUNREACH"]);

export class TcpApplications {
  readonly flow: TcpFlow;
  readonly #applications: Applications;
  readonly #serverAddress: string;
  readonly #isRude: boolean;
  #connections = 0;
  #attempts = 0;
  #stop: (() => void) | undefined;
  /** A client has given a connection up of which the server may know. */
  #wasGivenUp = false;

  constructor(applications: Applications, flow: TcpFlow, serverAddress: string) {
    this.flow = flow;
    this.#applications = applications;
    this.#serverAddress = serverAddress;
    this.#isRude = isRude(flow);
  }

  /** All connections were made and are over at the client. */
  get isDone(): boolean {
    return this.#connections >= this.flow.connections;
  }

  toString(): string {
    return `${this.#connections} of ${this.flow.connections} connections of ${this.flow.name} are over`;
  }

  /** Takes no more connections. */
  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  // The server, started at every boot of its host.

  listen(demikernel: Demikernel): void {
    const { port, backlog, server, serverEnd } = this.flow;
    if (this.flow.interface === "handlers") {
      const handler = handlerOf(this.#applications, () => this.#handlerEnd("server", demikernel));
      const fastOpenRequests = this.flow.fastOpen === undefined ? undefined : REQUESTS;
      const listener = demikernel.tcp.listen({ port, backlog, fastOpenRequests, socket: handler });
      this.#stop = () => listener.stop();
      return;
    }
    const qd = demikernel.socket("stream");
    setOptions(demikernel, qd, serverEnd);
    if (this.flow.fastOpen !== undefined) {
      demikernel.setOption(qd, "fastOpenRequests", REQUESTS);
      demikernel.setOption(qd, "fastOpenNoCookie", this.flow.fastOpen === "without cookies");
    }
    demikernel.bind(qd, { port });
    demikernel.listen(qd, backlog);
    this.#stop = () => this.#callAgain(demikernel, () => void demikernel.close(qd));
    const accept = (): void =>
      this.#callAgain(demikernel, () => {
        demikernel.onCompleted(demikernel.accept(qd), {
          completed: (result) => this.#applications.run(() => accepted(result)),
        });
      });
    const accepted = (result: QueueResult): void => {
      if (result.opcode === "accept") {
        this.#queueEnd("server", demikernel, result.accepted, server).start();
        accept();
      } else if (result.opcode === "failed") {
        this.#applications.noteTrap(result.error);
      }
    };
    accept();
  }

  // The client, started at every boot of its host.

  begin(demikernel: Demikernel): void {
    const delayMs = Math.max(0, this.flow.startMs - this.#applications.nowMs());
    this.#after(demikernel, delayMs, () => this.#connect(demikernel));
  }

  #connect(demikernel: Demikernel): void {
    if (this.isDone || this.#applications.isClosing) return;
    this.#attempts++;
    if (this.flow.interface === "handlers") this.#connectHandler(demikernel);
    else this.#connectQueue(demikernel);
  }

  #connectQueue(demikernel: Demikernel): void {
    const { client, clientEnd, port } = this.flow;
    let qd: QueueDescriptor | undefined;
    try {
      qd = demikernel.socket("stream");
      setOptions(demikernel, qd, clientEnd);
      if (this.flow.fastOpen !== undefined) {
        demikernel.setOption(qd, "fastOpenConnect", true);
        demikernel.setOption(qd, "fastOpenNoCookie", this.flow.fastOpen === "without cookies");
      }
      const socket = qd;
      const token = demikernel.connect(qd, { hostname: this.#serverAddress, port });
      demikernel.onCompleted(token, {
        completed: (result) =>
          this.#applications.run(() => {
            if (result.opcode === "connect") {
              this.#queueEnd("client", demikernel, socket, client).start();
            } else if (result.opcode === "failed") {
              this.#refused(demikernel, result.error, socket);
            }
          }),
      });
    } catch (error) {
      this.#refused(demikernel, error, qd);
    }
  }

  #connectHandler(demikernel: Demikernel): void {
    const { port, fastOpen } = this.flow;
    const socket = handlerOf(this.#applications, () => this.#handlerEnd("client", demikernel));
    demikernel.tcp
      .connect({ hostname: this.#serverAddress, port, socket, fastOpen: fastOpen !== undefined })
      .catch((error) => this.#applications.run(() => this.#refused(demikernel, error, undefined)));
  }

  #queueEnd(role: Role, demikernel: Demikernel, qd: QueueDescriptor, host: string): QueueEnd {
    return new QueueEnd(this.#applications, host, demikernel, qd, this.#transfer(role), (error) =>
      this.#ended(role, demikernel, error),
    );
  }

  #handlerEnd(role: Role, demikernel: Demikernel): HandlerEnd {
    const host = this.flow[role];
    return new HandlerEnd(this.#applications, host, demikernel, this.#transfer(role), (error) =>
      this.#ended(role, demikernel, error),
    );
  }

  #transfer(role: Role): Transfer {
    const random = this.#applications.random.split(`${this.flow.name}/${role}/${this.#attempts}`);
    return new Transfer(this.flow, role, random, {
      host: this.flow[role],
      nowNs: () => this.#applications.nowMs() * 1e6,
    });
  }

  /** A connection is over at one of its ends. */
  #ended(role: Role, demikernel: Demikernel, error: DemibunError | undefined): void {
    const mayBeLost =
      this.#applications.mayCrash(this.flow) || (error !== undefined && this.#wasCut(role, error));
    if (error !== undefined && !this.#isRude && !mayBeLost) {
      const detail = `the ${role} of ${this.flow.name} lost its connection: ${error.message}`;
      this.#applications.connectionLost(this.flow[role], detail);
      return;
    }
    if (role === "server") return;
    if (error === undefined || this.#isRude) {
      this.#connections++;
      if (error === undefined && !this.#isRude) this.#applications.completed++;
      else this.#applications.aborted++;
      this.#after(demikernel, NEXT_MS, () => this.#connect(demikernel));
    } else {
      this.#applications.aborted++;
      this.#after(demikernel, RETRY_MS, () => this.#connect(demikernel));
    }
  }

  /**
   * The network was cut when the SYN left, of which connect had not waited for an answer; the server
   * that had taken its data hears of the end when it repeats its SYN-ACK.
   */
  #wasCut(role: Role, { code }: DemibunError): boolean {
    if (this.flow.fastOpen === undefined || this.#applications.scenario.kinds.length === 0) {
      return false;
    }
    if (role === "server") return this.#wasGivenUp && code === "ECONNRESET";
    this.#wasGivenUp ||= unreachable.has(code);
    return unreachable.has(code);
  }

  /** An attempt to connect failed: it is repeated where that can be somebody else's fault. */
  #refused(demikernel: Demikernel, error: unknown, qd: QueueDescriptor | undefined): void {
    if (!(error instanceof DemibunError)) throw error;
    this.#applications.noteTrap(error);
    if (qd !== undefined) this.#callAgain(demikernel, () => void demikernel.close(qd));
    const { code, message } = error;
    const { scenario } = this.#applications;
    const isCut = unreachable.has(code) && scenario.kinds.length > 0;
    this.#wasGivenUp ||= isCut;
    if (!lacks.has(code) && !isCut && !this.#applications.mayCrash(this.flow) && !this.#isRude) {
      const detail = `the client of ${this.flow.name} could not connect: ${message}`;
      this.#applications.connectionLost(this.flow.client, detail);
      return;
    }
    this.#applications.retried++;
    this.#after(demikernel, RETRY_MS, () => this.#connect(demikernel));
  }

  /** A call that is made again while a pool lacks something. */
  #callAgain(demikernel: Demikernel, call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!(error instanceof DemibunError)) throw error;
      this.#applications.noteTrap(error);
      if (lacks.has(error.code)) {
        this.#after(demikernel, RETRY_MS, () => this.#callAgain(demikernel, call));
      }
    }
  }

  #after(demikernel: Demikernel, delayMs: number, run: () => void): void {
    demikernel.eventLoop.after(delayMs, () => this.#applications.run(run));
  }
}

function setOptions(demikernel: Demikernel, qd: QueueDescriptor, end: ScenarioEnd): void {
  const { noDelay, sendBufferBytes, receiveBufferBytes } = end;
  if (noDelay !== undefined) demikernel.setOption(qd, "noDelay", noDelay);
  if (sendBufferBytes !== undefined) demikernel.setOption(qd, "sendBufferBytes", sendBufferBytes);
  if (receiveBufferBytes !== undefined) {
    demikernel.setOption(qd, "receiveBufferBytes", receiveBufferBytes);
  }
}
