/** An end of a connection on the calls of queues, made of callbacks: no promise has to have a turn. */
import { DemibunError } from "../../errors";
import type { Demikernel } from "../../pdpix/demikernel";
import type { QueueDescriptor, QueueResult, QueueToken } from "../../pdpix/queue-result";
import type { ScatterGatherArray } from "../../pdpix/scatter-gather-array";
import type { Applications, OpenEnd } from "./applications";
import type { Transfer } from "./transfer";

const PUSHES_MAX = 3;
/** When a pool lacks something, it is asked again after this. */
const RETRY_MS = 7;
/** From the last read to a close that leaves data unread. */
const UNREAD_MS = 40;

/** `error`: the connection was lost; undefined after an orderly close. */
export type Ended = (error: DemibunError | undefined) => void;

export class QueueEnd implements OpenEnd {
  readonly flow;
  readonly host: string;
  progressMs: number;
  readonly #applications: Applications;
  readonly #demikernel: Demikernel;
  readonly #qd: QueueDescriptor;
  readonly #transfer: Transfer;
  readonly #ended: Ended;
  #pushes = 0;
  #sizeMax = Number.POSITIVE_INFINITY;
  #isWaiting = false;
  #isReading = false;
  #isLeaving = false;
  #isClosing = false;
  #error: DemibunError | undefined;

  constructor(
    applications: Applications,
    host: string,
    demikernel: Demikernel,
    qd: QueueDescriptor,
    transfer: Transfer,
    ended: Ended,
  ) {
    this.flow = transfer.flow;
    this.host = host;
    this.progressMs = applications.nowMs();
    this.#applications = applications;
    this.#demikernel = demikernel;
    this.#qd = qd;
    this.#transfer = transfer;
    this.#ended = ended;
    applications.open.add(this);
  }

  start(): void {
    this.#read();
    this.#write();
  }

  abandon(): void {
    this.#abort();
  }

  toString(): string {
    return `${this.#transfer}${this.#isClosing ? ", closing" : ""}`;
  }

  #write(): void {
    const transfer = this.#transfer;
    const { gapMs } = transfer.end.writing;
    const pushesMax = gapMs === undefined ? PUSHES_MAX : 1;
    while (!this.#isClosing && !this.#isWaiting && this.#pushes < pushesMax) {
      const bytes = transfer.next(this.#sizeMax);
      if (bytes.length === 0) break;
      const token = this.#attempt(() => this.#demikernel.tryPush(this.#qd, bytes));
      if (token === undefined) {
        // The whole pool may be smaller than a large piece.
        this.#sizeMax = Math.max(1, bytes.length >>> 1);
        this.#writeLater(RETRY_MS);
        break;
      }
      this.#sizeMax *= 2;
      transfer.sent += bytes.length;
      this.#pushes++;
      this.#listen(token, this.#pushed);
    }
    this.#act();
  }

  #writeLater(delayMs: number): void {
    if (this.#isWaiting || this.#isClosing) return;
    this.#isWaiting = true;
    this.#after(delayMs, () => {
      this.#isWaiting = false;
      this.#write();
    });
  }

  readonly #pushed = (result: QueueResult): void => {
    this.#pushes--;
    if (this.#failed(result)) return;
    this.#progress();
    const { gapMs } = this.#transfer.end.writing;
    if (gapMs === undefined || this.#transfer.isAllSent) this.#write();
    else this.#writeLater(gapMs);
  };

  #read(): void {
    const transfer = this.#transfer;
    if (this.#isReading || this.#isLeaving || this.#isClosing || transfer.peerEnded) return;
    this.#isReading = true;
    const stallMs = transfer.takeStallMs();
    if (stallMs > 0) this.#after(stallMs, () => this.#pop());
    else this.#pop();
  }

  #pop(): void {
    if (this.#isClosing) return;
    const { sizeMax } = this.#transfer.end.reading;
    const token = this.#attempt(() => this.#demikernel.pop(this.#qd, sizeMax));
    if (token !== undefined) this.#listen(token, this.#popped);
    else if (!this.#isClosing) this.#after(RETRY_MS, () => this.#pop());
  }

  readonly #popped = (result: QueueResult): void => {
    this.#isReading = false;
    if (this.#failed(result) || result.opcode !== "pop") return;
    this.#take(result.sga);
    this.#read();
    this.#write();
  };

  #take(sga: ScatterGatherArray): void {
    const transfer = this.#transfer;
    this.#progress();
    this.#applications.deliveredBytes += sga.byteLength;
    if (sga.byteLength === 0) transfer.takeEnd();
    else for (const segment of sga.segments) transfer.take(segment);
    sga.free();
  }

  #act(): void {
    if (this.#isClosing || this.#isLeaving) return;
    switch (this.#transfer.step(this.#pushes === 0)) {
      case "end sending":
        this.#transfer.sendingEnded = true;
        this.#attempt(() => this.#demikernel.shutdownWrite(this.#qd));
        break;
      case "close":
        this.#close();
        break;
      case "abort":
        this.#abort();
        break;
      case "leave unread":
        this.#isLeaving = true;
        this.#after(UNREAD_MS, () => this.#close());
        break;
    }
  }

  #abort(): void {
    if (this.#isClosing) return;
    this.#attempt(() => this.#demikernel.setOption(this.#qd, "linger", { seconds: 0 }));
    this.#close();
  }

  #close(): void {
    if (this.#isClosing) return;
    let token: QueueToken;
    try {
      token = this.#demikernel.close(this.#qd);
    } catch (error) {
      if (!(error instanceof DemibunError)) throw error;
      if (error.code === "EAGAIN") this.#after(RETRY_MS, () => this.#close());
      else this.#gone(error);
      return;
    }
    this.#isClosing = true;
    this.#listen(token, (result) => this.#closed(result));
  }

  #closed(result: QueueResult): void {
    const transfer = this.#transfer;
    // A reset may overtake the acknowledgment of our FIN; everything had been delivered then.
    const isOver = transfer.isAllSent && transfer.received === transfer.expectedBytes;
    this.#gone(result.opcode === "failed" && !isOver ? result.error : undefined);
  }

  #gone(error: DemibunError | undefined): void {
    this.#isClosing = true;
    this.#applications.open.delete(this);
    if (error !== undefined) this.#applications.noteTrap(error);
    this.#ended(this.#error ?? error);
  }

  /** Whether an operation failed, which ends the connection. */
  #failed(result: QueueResult): boolean {
    if (this.#isClosing) {
      if (result.opcode === "pop") result.sga.free();
      return true;
    }
    if (result.opcode !== "failed") return false;
    this.#applications.noteTrap(result.error);
    this.#error ??= result.error;
    this.#close();
    return true;
  }

  /** A call that may lack something just now (undefined) or find the connection lost. */
  #attempt<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof DemibunError)) throw error;
      this.#applications.noteTrap(error);
      if (error.code !== "EAGAIN" && error.code !== "ENOBUFS" && !this.#isClosing) {
        this.#error ??= error;
        this.#close();
      }
      return undefined;
    }
  }

  #listen(token: QueueToken, completed: (result: QueueResult) => void): void {
    this.#demikernel.onCompleted(token, {
      completed: (result) => this.#applications.run(() => completed(result)),
    });
  }

  #after(delayMs: number, run: () => void): void {
    this.#demikernel.eventLoop.after(delayMs, () => this.#applications.run(run));
  }

  #progress(): void {
    this.progressMs = this.#applications.nowMs();
  }
}
