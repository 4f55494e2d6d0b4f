/** An end of a connection on the handler objects of `tcp.listen` and `tcp.connect`. */
import type { DemibunError } from "../../errors";
import type { Demikernel } from "../../pdpix/demikernel";
import type { TcpHandler, TcpSocket } from "../../pdpix/tcp-socket";
import type { Applications, OpenEnd } from "./applications";
import type { Ended } from "./queue-end";
import type { Transfer } from "./transfer";

const UNREAD_MS = 40;
/** One write at most: a socket pushes it whole, and a small pool may never have more at once. */
const WRITE_BYTES_MAX = 8192;

type Socket = TcpSocket<undefined>;

export class HandlerEnd implements OpenEnd {
  readonly flow;
  readonly host: string;
  progressMs: number;
  readonly #applications: Applications;
  readonly #demikernel: Demikernel;
  readonly #transfer: Transfer;
  readonly #ended: Ended;
  #socket: Socket | undefined;
  #isWaiting = false;
  #isBlocked = false;
  #isOver = false;

  constructor(
    applications: Applications,
    host: string,
    demikernel: Demikernel,
    transfer: Transfer,
    ended: Ended,
  ) {
    this.flow = transfer.flow;
    this.host = host;
    this.progressMs = applications.nowMs();
    this.#applications = applications;
    this.#demikernel = demikernel;
    this.#transfer = transfer;
    this.#ended = ended;
    applications.open.add(this);
  }

  open(socket: Socket): void {
    this.#socket = socket;
    this.#write();
  }

  data(bytes: Uint8Array): void {
    const transfer = this.#transfer;
    this.progressMs = this.#applications.nowMs();
    this.#applications.deliveredBytes += bytes.length;
    transfer.take(bytes);
    const stallMs = transfer.takeStallMs();
    if (stallMs > 0) {
      this.#socket?.pause();
      this.#after(stallMs, () => this.#socket?.resume());
    }
    this.#write();
  }

  drain(): void {
    this.#isBlocked = false;
    this.#write();
  }

  end(): void {
    this.progressMs = this.#applications.nowMs();
    this.#transfer.takeEnd();
    this.#write();
  }

  close(error: DemibunError | undefined): void {
    this.#isOver = true;
    this.#applications.open.delete(this);
    if (error !== undefined) this.#applications.noteTrap(error);
    const transfer = this.#transfer;
    const isComplete = transfer.isAllSent && transfer.received === transfer.expectedBytes;
    this.#ended(isComplete ? undefined : error);
  }

  abandon(): void {
    this.#socket?.terminate();
  }

  toString(): string {
    return String(this.#transfer);
  }

  #write(): void {
    const socket = this.#socket;
    const transfer = this.#transfer;
    const { gapMs } = transfer.end.writing;
    while (socket?.writable && !this.#isWaiting && !this.#isBlocked) {
      const bytes = transfer.next(WRITE_BYTES_MAX);
      if (bytes.length === 0) break;
      const written = socket.write(bytes);
      transfer.sent += written;
      if (written > 0) this.progressMs = this.#applications.nowMs();
      this.#isBlocked = written < bytes.length;
      if (gapMs !== undefined && !transfer.isAllSent) {
        this.#isWaiting = true;
        this.#after(gapMs, () => {
          this.#isWaiting = false;
          this.#write();
        });
      }
    }
    this.#act();
  }

  #act(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#isOver) return;
    // A socket keeps what it was given until it is sent, whatever follows.
    switch (this.#transfer.step(true)) {
      case "end sending":
        this.#transfer.sendingEnded = true;
        socket.end();
        break;
      case "close":
        socket.close();
        break;
      case "abort":
        socket.terminate();
        break;
      case "leave unread":
        socket.pause();
        this.#after(UNREAD_MS, () => socket.close());
        break;
    }
  }

  #after(delayMs: number, run: () => void): void {
    this.#demikernel.eventLoop.after(delayMs, () => this.#applications.run(run));
  }
}

/** Handlers that hand each socket's events to its end. */
export function handlerOf(
  applications: Applications,
  endOf: (socket: Socket) => HandlerEnd,
): TcpHandler<undefined> {
  const ends = new Map<Socket, HandlerEnd>();
  const tell = (socket: Socket, event: (end: HandlerEnd) => void): void => {
    applications.run(() => {
      const end = ends.get(socket);
      if (end !== undefined) event(end);
    });
  };
  return {
    open(socket) {
      applications.run(() => {
        const end = endOf(socket);
        ends.set(socket, end);
        end.open(socket);
      });
    },
    data: (socket, bytes) => tell(socket, (end) => end.data(bytes)),
    drain: (socket) => tell(socket, (end) => end.drain()),
    end: (socket) => tell(socket, (end) => end.end()),
    close: (socket, error) => tell(socket, (end) => end.close(error)),
  };
}
