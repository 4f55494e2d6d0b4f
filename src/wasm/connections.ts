/**
 * Reads connection records while the stack does not run: for checks after every event of a
 * simulation, TCP_INFO and plots. Nothing here writes.
 */
import {
  CONNECTION_SIZE,
  FRAME_LENGTH,
  FRAME_LOST,
  FRAME_MARK,
  FRAME_NEXT,
  FRAME_REPEATED,
  FRAME_SACKED,
  KIND_STREAM,
  QD_FIRST,
  QUEUE_FLAGS,
  QUEUE_KIND,
  QUEUE_OBJECT,
  QUEUE_SIZE,
} from "../../assembly/layout";
import * as record from "../../assembly/transport/tcp/record";
import type { Stack } from "./stack";

/** In the order of their numbers (assembly/transport/tcp/record.ts). */
export const stateNames = [
  "CLOSED",
  "LISTEN",
  "SYN-SENT",
  "SYN-RECEIVED",
  "ESTABLISHED",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "CLOSE-WAIT",
  "CLOSING",
  "LAST-ACK",
  "TIME-WAIT",
] as const;

export type TcpState = (typeof stateNames)[number];

/** What the sender makes of the last acknowledgments, by Linux's names (tcp_ca_state). */
export type CongestionState = "open" | "disorder" | "cwr" | "recovery" | "loss";

/** Of assembly/transport/tcp/short-float.ts. */
function fromShortFloat(short: number): number {
  return (short & 0xfff) * 2 ** (short >>> 12);
}

/** Bytes between the SYN with number `initial` and `next`, which has passed 2^32 `wraps` times. */
function since(initial: number, next: number, wraps: number): number {
  const bytes = wraps * 2 ** 32 + next - ((initial + 1) >>> 0);
  return bytes < 0 ? bytes + 2 ** 32 : bytes;
}

/** One record, read where it lies: `at` chooses it, and the getters tell what it holds now. */
export class ConnectionView {
  readonly #view: DataView;
  /** Address of the record. */
  at = 0;

  constructor(stack: Stack) {
    this.#view = new DataView(stack.memory.buffer);
  }

  get stateNumber(): number {
    return this.#byte(record.CONNECTION_STATE);
  }
  /** RFC 9293 section 3.3.2. */
  get state(): TcpState {
    return stateNames[this.stateNumber] as TcpState;
  }
  /** Bits of record.ts: FIN_QUEUED, RECOVERY, … */
  get flags(): number {
    return this.#half(record.CONNECTION_FLAGS);
  }
  /** Addresses as numbers, 10.0.0.1 being 0x0a000001. */
  get localAddress(): number {
    return this.#view.getUint32(this.at + record.CONNECTION_LOCAL);
  }
  get remoteAddress(): number {
    return this.#view.getUint32(this.at + record.CONNECTION_REMOTE);
  }
  get remotePort(): number {
    return this.#view.getUint16(this.at + record.CONNECTION_PORTS);
  }
  get localPort(): number {
    return this.#view.getUint16(this.at + record.CONNECTION_PORTS + 2);
  }
  /** RCV.NXT. */
  get receiveNext(): number {
    return this.#word(record.CONNECTION_RECEIVE_NEXT);
  }
  /** RCV.NXT + RCV.WND as announced. */
  get receiveEdge(): number {
    return this.#word(record.CONNECTION_RECEIVE_EDGE);
  }
  /** SND.UNA. */
  get sendUna(): number {
    return this.#word(record.CONNECTION_SEND_UNA);
  }
  /** SND.NXT; goes back to SND.UNA at a timeout. */
  get sendNext(): number {
    return this.#word(record.CONNECTION_SEND_NEXT);
  }
  /** The highest sequence number ever sent, plus one. */
  get sendMax(): number {
    return this.#word(record.CONNECTION_SEND_MAX);
  }
  /** Sequence number after the last queued byte. */
  get sendEnd(): number {
    return this.#word(record.CONNECTION_SEND_END);
  }
  /** SND.WND in bytes. */
  get sendWindow(): number {
    return this.#word(record.CONNECTION_SEND_WINDOW);
  }
  /** The largest window the peer ever announced, in bytes. */
  get windowMax(): number {
    return this.#word(record.CONNECTION_WINDOW_MAX);
  }
  /** Congestion window in bytes. */
  get cwnd(): number {
    return this.#word(record.CONNECTION_CWND);
  }
  get ssthresh(): number {
    return this.#word(record.CONNECTION_SSTHRESH);
  }
  /** Eff.snd.MSS. */
  get mss(): number {
    return this.#half(record.CONNECTION_MSS);
  }
  get sendScale(): number {
    return this.#byte(record.CONNECTION_SEND_SCALE);
  }
  get receiveScale(): number {
    return this.#byte(record.CONNECTION_RECEIVE_SCALE);
  }
  /** Bytes in order that nobody has popped. */
  get receiveQueued(): number {
    return this.#word(record.CONNECTION_RECEIVE_QUEUED);
  }
  get receiveBuffer(): number {
    return this.#word(record.CONNECTION_RECEIVE_BUFFER);
  }
  get sendBuffer(): number {
    return this.#word(record.CONNECTION_SEND_BUFFER);
  }
  /** Frames held beyond RCV.NXT. */
  get reassemblyCount(): number {
    return this.#word(record.CONNECTION_REASSEMBLY_COUNT);
  }
  /** Smoothed round-trip time in microseconds; 0: none measured yet. */
  get srttUs(): number {
    return this.#word(record.CONNECTION_SRTT) / 8;
  }
  get rttvarUs(): number {
    return this.#word(record.CONNECTION_RTTVAR) / 4;
  }
  /** Before back-off. */
  get rtoUs(): number {
    return this.#word(record.CONNECTION_RTO);
  }
  /** Bits of record.ts: UNDO_WATCHED, FRTO_SENT, … */
  get undoState(): number {
    return this.#byte(record.CONNECTION_UNDO_STATE);
  }
  /** Doublings of the timeout. */
  get backoff(): number {
    return this.#byte(record.CONNECTION_BACKOFF);
  }
  get retries(): number {
    return this.#byte(record.CONNECTION_RETRIES);
  }
  get duplicateAcks(): number {
    return this.#byte(record.CONNECTION_DUPLICATE_ACKS);
  }
  /** RFC 6582's recover. */
  get recover(): number {
    return this.#word(record.CONNECTION_RECOVER);
  }
  /** ISS. */
  get initialSend(): number {
    return this.#word(record.CONNECTION_INITIAL_SEND);
  }
  /** IRS. */
  get initialReceive(): number {
    return this.#word(record.CONNECTION_INITIAL_RECEIVE);
  }
  /** A positive errno once something killed the connection. */
  get error(): number {
    return this.#half(record.CONNECTION_ERROR);
  }
  get congestionState(): CongestionState {
    if (this.has(record.RECOVERY)) return "recovery";
    if (this.retries > 0 && this.stateNumber >= record.ESTABLISHED) return "loss";
    const isReducing = (this.#byte(record.CONNECTION_ECN_STATE) & record.ECN_REDUCING) !== 0;
    if (isReducing) return "cwr";
    return this.duplicateAcks > 0 ? "disorder" : "open";
  }
  /** Bytes of data sent and not acknowledged; SYN and FIN are none. */
  get flightBytes(): number {
    if (this.stateNumber < record.ESTABLISHED) return 0;
    const end = Math.min((this.sendMax - this.sendUna) | 0, (this.sendEnd - this.sendUna) | 0);
    return Math.max(0, end);
  }
  /** Bytes of data queued and never sent. */
  get unsentBytes(): number {
    if (this.stateNumber < record.ESTABLISHED) return 0;
    return Math.max(0, (this.sendEnd - this.sendMax) | 0);
  }
  /** RCV.WND: what the peer may still send. */
  get receiveWindow(): number {
    return (this.receiveEdge - this.receiveNext) >>> 0;
  }
  /** Segments that this connection has sent again. */
  get retransmissions(): number {
    if (this.stateNumber === record.LISTEN) return 0;
    return this.#word(record.CONNECTION_RETRANSMISSIONS);
  }
  /** Bits of record.ts: TIMESTAMPS, SACK_PERMITTED. */
  get agreed(): number {
    return this.#byte(record.CONNECTION_AGREED);
  }
  /** Bytes in flight that the peer has acknowledged selectively. */
  get sackedBytes(): number {
    return this.#word(record.CONNECTION_SACKED_BYTES);
  }
  /** Bytes in flight that were found lost, sent again or not, and those sent again of them. */
  get lost(): { readonly all: number; readonly repeated: number } {
    let all = 0;
    let repeated = 0;
    const word = (at: number) => this.#view.getUint32(at, true);
    for (let frame = this.#word(record.CONNECTION_SEND_HEAD); frame !== 0;) {
      const mark = word(frame + FRAME_MARK);
      const bytes = this.#view.getUint16(frame + FRAME_LENGTH, true);
      if ((mark & (FRAME_REPEATED | FRAME_LOST)) !== 0 && (mark & FRAME_SACKED) === 0) {
        all += bytes;
        if ((mark & FRAME_REPEATED) !== 0) repeated += bytes;
      }
      frame = word(frame + FRAME_NEXT);
    }
    return { all, repeated };
  }
  /** Bytes found lost and not sent again yet. */
  get lostBytes(): number {
    return this.#word(record.CONNECTION_LOST_BYTES);
  }
  /** The same two amounts by the marks of the frames that wait for acknowledgment. */
  get marked(): { readonly sacked: number; readonly lost: number } {
    let sacked = 0;
    let lost = 0;
    const word = (at: number) => this.#view.getUint32(at, true);
    for (let frame = this.#word(record.CONNECTION_SEND_HEAD); frame !== 0;) {
      const mark = word(frame + FRAME_MARK);
      const bytes = this.#view.getUint16(frame + FRAME_LENGTH, true);
      if ((mark & FRAME_SACKED) !== 0) sacked += bytes;
      if ((mark & FRAME_LOST) !== 0) lost += bytes;
      frame = word(frame + FRAME_NEXT);
    }
    return { sacked, lost };
  }
  /** When data last came, in the clock's ticks. */
  get receivedTick(): number {
    return this.#word(record.CONNECTION_RECEIVED_TICK);
  }
  /** Bytes of ours that the peer has acknowledged, and of the peer's that arrived in order. */
  get acknowledgedBytes(): number {
    if (this.stateNumber < record.ESTABLISHED) return 0;
    const fin = this.sendUna === (this.sendEnd + 1) >>> 0 && this.has(record.FIN_QUEUED) ? 1 : 0;
    const wraps = this.#byte(record.CONNECTION_SEND_WRAPS);
    return since(this.initialSend, this.sendUna, wraps) - fin;
  }
  get receivedBytes(): number {
    if (this.stateNumber < record.ESTABLISHED) return 0;
    const fin = this.has(record.FIN_RECEIVED) ? 1 : 0;
    const wraps = this.#byte(record.CONNECTION_RECEIVE_WRAPS);
    return since(this.initialReceive, this.receiveNext, wraps) - fin;
  }
  /** Least round-trip time measured so far in microseconds; 0: none yet. */
  get minRttUs(): number {
    return fromShortFloat(this.#half(record.CONNECTION_MIN_RTT));
  }
  /** Bytes a second that the path has lately delivered; 0: not measured yet. */
  get deliveryRate(): number {
    return record.RATE_UNIT * fromShortFloat(this.#half(record.CONNECTION_DELIVERY_RATE));
  }
  /** The application, or the peer's window, gave less than that the path might have taken. */
  get isRateLimited(): boolean {
    return (this.#half(record.CONNECTION_CHOICES) & record.RATE_LIMITED) !== 0;
  }
  /** The same of data that left, and of the peer's acknowledgments. */
  get lastSentTick(): number {
    return this.#word(record.CONNECTION_LAST_SENT_TICK);
  }
  get heardTick(): number {
    return this.#word(record.CONNECTION_HEARD_TICK);
  }
  /** Pushes wait while so many bytes have never been sent; 0: no such limit. */
  get unsentMax(): number {
    return this.#word(record.CONNECTION_UNSENT_MAX);
  }
  /** Largest MSS that the application lets us announce; 0: what the interface takes. */
  get mssMax(): number {
    return this.#half(record.CONNECTION_MSS_MAX);
  }
  /** FAST_… bits of record.ts. */
  get fastOpen(): number {
    return this.#half(record.CONNECTION_FAST_OPEN);
  }
  /** Bytes of data that our SYN carried. */
  get fastOpenBytes(): number {
    return this.#half(record.CONNECTION_FAST_OPEN_BYTES);
  }
  /** Listener: connections that wait for an accept. */
  get acceptable(): number {
    return this.stateNumber === record.LISTEN ? this.#half(record.CONNECTION_ACCEPTABLE) : 0;
  }
  /** Listener: connections in SYN-RECEIVED. */
  get halfOpen(): number {
    return this.stateNumber === record.LISTEN ? this.#half(record.CONNECTION_HALF_OPEN) : 0;
  }
  /** The retransmission, persist or TIME-WAIT timer runs. */
  get timerArmed(): boolean {
    return this.#byte(record.CONNECTION_TIMER_ARMED) !== 0;
  }
  get ackTimerArmed(): boolean {
    return this.#byte(record.CONNECTION_ACK_TIMER_ARMED) !== 0;
  }
  /** A queue descriptor refers to the record. */
  get isOwned(): boolean {
    return this.#word(record.CONNECTION_QUEUE) !== 0;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  #word(offset: number): number {
    return this.#view.getUint32(this.at + offset, true);
  }
  #half(offset: number): number {
    return this.#view.getUint16(this.at + offset, true);
  }
  #byte(offset: number): number {
    return this.#view.getUint8(this.at + offset);
  }
}

/** The connections of one stack. */
export class Connections {
  readonly #stack: Stack;
  readonly #view: ConnectionView;

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#view = new ConnectionView(stack);
  }

  /** Visits every record in use; the view is valid during the call only. */
  each(visit: (connection: ConnectionView) => void): void {
    const { map, options, bytes } = this.#stack;
    for (let index = 0; index < options.connections; index++) {
      const at = map.connectionRecords + index * CONNECTION_SIZE;
      if (bytes[at + record.CONNECTION_STATE] === record.CLOSED) continue;
      this.#view.at = at;
      visit(this.#view);
    }
  }

  /** The record behind a stream's descriptor; undefined when there is none. */
  of(qd: number): ConnectionView | undefined {
    const { map, options, bytes, words } = this.#stack;
    const index = qd - QD_FIRST;
    if (!(index >= 0 && index < options.queues)) return undefined;
    const at = map.queueRecords + index * QUEUE_SIZE;
    if (bytes[at + QUEUE_KIND] !== KIND_STREAM || bytes[at + QUEUE_FLAGS] !== 0) return undefined;
    const object = words[(at + QUEUE_OBJECT) >>> 2] as number;
    if (object === 0) return undefined;
    const view = new ConnectionView(this.#stack);
    view.at = object;
    return view;
  }
}
