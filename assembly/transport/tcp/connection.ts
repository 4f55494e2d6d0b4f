/**
 * The connection record (RFC 9293's transmission control block) and the pool of them.
 *
 * 256 bytes, four cache lines: the first two are all that a segment in order touches. A listening
 * socket is a record too, with its accept queue where a connection has its receive queue.
 */
import {
  CONNECTION_SIZE,
  COUNTER_TCP_TIME_WAIT_RECYCLED,
  OPEN_RECEIVE_BUFFER,
  OPEN_SEND_BUFFER,
  OPEN_TCP_FLAGS,
  CONTROL_OPEN,
  LINGER_OFF,
} from "../../layout";
import { count } from "../../counters";
import { Interface } from "../../link/interface";
import { Neighbour } from "../../link/neighbour";
import { Frame } from "../../memory/frame";
import { carve } from "../../memory/region";
import { Queue } from "../../queue/queue";
import { TIMER_TCP, TIMER_TCP_ACK } from "../../time/expire";
import { forgetTimer, Timer } from "../../time/wheel";
import { recycleTimeWait } from "./time-wait";

// RFC 9293 section 3.3.2. The order matters: from ESTABLISHED on, a connection is synchronised.
export const CLOSED: u8 = 0;
export const LISTEN: u8 = 1;
export const SYN_SENT: u8 = 2;
export const SYN_RECEIVED: u8 = 3;
export const ESTABLISHED: u8 = 4;
export const FIN_WAIT_1: u8 = 5;
export const FIN_WAIT_2: u8 = 6;
export const CLOSE_WAIT: u8 = 7;
export const CLOSING: u8 = 8;
export const LAST_ACK: u8 = 9;
export const TIME_WAIT: u8 = 10;

/** Nagle's algorithm is off. */
export const NO_DELAY: u16 = 1;
/** The application sends no more: a FIN follows the queued data. */
export const FIN_QUEUED: u16 = 2;
/** The peer's FIN has arrived in order. */
export const FIN_RECEIVED: u16 = 4;
/** An acknowledgement must leave with the next flush. */
export const ACK_NOW: u16 = 8;
/** On the ready list. */
export const READY: u16 = 16;
/** In fast recovery (RFC 6582). */
export const RECOVERY: u16 = 32;
/** No queue descriptor refers to the record any more. */
export const ORPHAN: u16 = 64;
/** `rttSequence` is being timed. */
export const RTT_TIMING: u16 = 128;
/** Opened by connect: a reset before it is established means refused (RFC 9293 3.10.7.4). */
export const ACTIVE: u16 = 256;
/** The timer probes a closed window instead of retransmitting. */
export const PERSIST: u16 = 512;
/** In the hash table. */
export const HASHED: u16 = 1024;
/** Holds a use count of its local port. */
export const PORT_TAKEN: u16 = 2048;
/** SYN or SYN-ACK was sent again: start with the loss window (RFC 6298 5.7, RFC 6928 2). */
export const SYN_REPEATED: u16 = 4096;
/** A partial acknowledgement has been seen in this recovery (RFC 6582 section 3.2, Impatient). */
export const PARTIAL_SEEN: u16 = 8192;
/** The peer's SYN had a window scale option, so ours has one too (RFC 7323 section 2.2). */
export const SCALING: u16 = 16384;

@unmanaged
export class Connection {
  /** Next record of the same hash bucket; next free record while in the pool. */
  hashNext: usize;
  /** Ports as a received header holds them: remote in the low half, local in the high half. */
  ports: u32;
  bucket: u32;
  state: u8;
  duplicateAcks: u8;
  flags: u16;
  localHigh: u64;
  localMapped: u32;
  local: u32;
  remoteHigh: u64;
  remoteMapped: u32;
  remote: u32;
  /** RCV.NXT. */
  receiveNext: u32;
  /** RCV.NXT + RCV.WND as last announced: the right edge that never moves left. */
  receiveEdge: u32;
  /** SND.UNA. */
  sendUna: u32;
  /** SND.NXT; goes back to SND.UNA when the retransmission timer expires. */
  sendNext: u32;

  /** The highest sequence number ever sent, plus one. */
  sendMax: u32;
  /** SND.WND in bytes. */
  sendWindow: u32;
  sendWl1: u32;
  sendWl2: u32;
  cwnd: u32;
  ssthresh: u32;
  /** Eff.snd.MSS: payload bytes of a full segment. */
  mss: u16;
  sendScale: u8;
  receiveScale: u8;
  nic: Interface;
  neighbour: Neighbour | null;
  nextHop: u32;
  /** Frames from SND.UNA on, one flat chain through `next`, each with its `sequence`. */
  sendHead: Frame | null;
  sendTail: Frame | null;
  /** The frame that holds SND.NXT; null when nothing is unsent. */
  sendPoint: Frame | null;
  /** Sequence number after the last queued byte; the FIN's, when one is queued. */
  sendEnd: u32;
  queue: Queue | null;
  readyNext: Connection | null;

  /** Bytes in order that the application has not popped, one flat chain. Listener: accept queue. */
  receiveHead: Frame | null;
  receiveTail: Frame | null;
  receiveQueued: u32;
  receiveBuffer: u32;
  sendBuffer: u32;
  /** Packets beyond RCV.NXT in order of sequence, through `link`. */
  reassemblyHead: Frame | null;
  reassemblyCount: u32;
  /** Smoothed round-trip time in 1/8 µs and its variation in 1/4 µs (RFC 6298); 0: no sample. */
  srtt: u32;
  rttvar: u32;
  /** Retransmission timeout in µs, before back-off. */
  rto: u32;
  rttSequence: u32;
  rttStart: u32;
  /** RFC 6582: highest sequence number sent when loss was last seen. */
  recover: u32;
  /** Doublings of the timeout, and retransmissions without an answer. */
  backoff: u8;
  retries: u8;
  /** Full-sized segments' worth of bytes received and not yet acknowledged. */
  ackBytes: u16;
  /** The listener a half-open or not yet accepted connection belongs to. TIME_WAIT: previous. */
  listener: Connection | null;
  /** Next in the accept queue. TIME_WAIT: next. */
  acceptNext: Connection | null;

  // 16 bytes each, inlined so that the record is one piece.
  timerNext: usize;
  timerFrom: usize;
  timerDeadline: u32;
  timerKind: u32;
  ackTimerNext: usize;
  ackTimerFrom: usize;
  ackTimerDeadline: u32;
  ackTimerKind: u32;
  /** ISS and IRS. */
  initialSend: u32;
  initialReceive: u32;
  /** Largest window the peer ever announced (RFC 9293 3.8.6.2.1, Max(SND.WND)). */
  windowMax: u32;
  /** Milliseconds of the clock when the last challenge ACK was sent (RFC 5961 section 7). */
  challengeMs: u32;
  /** What killed the connection: a positive errno, 0 while it lives. */
  error: u16;
  /** Listener: limit of half-open plus waiting connections. */
  backlog: u16;
  /** Listener: connections in SYN_RECEIVED, and established ones nobody accepted yet. */
  halfOpen: u16;
  acceptable: u16;
  linger: i32;
  /** Bytes of super-frame already promised; unused until pacing comes. */
  reserved: u32;

  @inline has(flag: u16): bool {
    return (this.flags & flag) != 0;
  }
  @inline set(flag: u16): void {
    this.flags |= flag;
  }
  @inline clear(flag: u16): void {
    this.flags &= ~flag;
  }
  @inline get timer(): Timer {
    return changetype<Timer>(changetype<usize>(this) + offsetof<Connection>("timerNext"));
  }
  @inline get ackTimer(): Timer {
    return changetype<Timer>(changetype<usize>(this) + offsetof<Connection>("ackTimerNext"));
  }
  /** Bytes sent and not acknowledged, FIN and SYN included. */
  @inline get flight(): u32 {
    return this.sendNext - this.sendUna;
  }
  /**
   * SEG.SEQ of a segment without data. The peer refuses numbers below those it has received, which
   * SND.NXT may be after a timeout, and a probe's beyond its window.
   */
  @inline get bareSequence(): u32 {
    return this.has(PERSIST) ? this.sendNext : this.sendMax;
  }
  /** First of the accept queue (listener). */
  @inline get acceptHead(): Connection | null {
    return changetype<Connection | null>(changetype<usize>(this.receiveHead));
  }
  set acceptHead(first: Connection | null) {
    this.receiveHead = changetype<Frame | null>(changetype<usize>(first));
  }
  @inline get acceptTail(): Connection | null {
    return changetype<Connection | null>(changetype<usize>(this.receiveTail));
  }
  set acceptTail(last: Connection | null) {
    this.receiveTail = changetype<Frame | null>(changetype<usize>(last));
  }
}

if (offsetof<Connection>() != CONNECTION_SIZE) ERROR("Connection drifted from layout.ts");

let records: usize = 0;
let recordCount: u32 = 0;
let openCount: u32 = 0;
let freeFirst: usize = 0;

export function openConnections(limit: u32): void {
  recordCount = limit;
  openCount = 0;
  records = carve(limit * CONNECTION_SIZE, 64);
  freeFirst = 0;
  for (let index = <i32>limit - 1; index >= 0; index--) {
    const connection = changetype<Connection>(records + <usize>index * CONNECTION_SIZE);
    connection.hashNext = freeFirst;
    freeFirst = changetype<usize>(connection);
  }
}

export function connectionsOpen(): u32 {
  return openCount;
}

export function connectionsTotal(): u32 {
  return recordCount;
}

/** The record at `index` of the pool, in use or not; free ones are CLOSED and have no queue. */
export function connectionAt(index: u32): Connection {
  return changetype<Connection>(records + <usize>index * CONNECTION_SIZE);
}

export function connectionOfTimer(timer: Timer): Connection {
  return changetype<Connection>(changetype<usize>(timer) - offsetof<Connection>("timerNext"));
}

export function connectionOfAckTimer(timer: Timer): Connection {
  return changetype<Connection>(changetype<usize>(timer) - offsetof<Connection>("ackTimerNext"));
}

/**
 * Takes a record with the configured defaults. When all are in use the oldest in TIME_WAIT gives
 * way (RFC 1337's hazards are smaller than refusing service); null when there is none.
 */
export function takeConnection(): Connection | null {
  if (freeFirst == 0) {
    if (!recycleTimeWait()) return null;
    count(COUNTER_TCP_TIME_WAIT_RECYCLED);
  }
  const connection = changetype<Connection>(freeFirst);
  freeFirst = connection.hashNext;
  openCount++;
  memory.fill(changetype<usize>(connection), 0, CONNECTION_SIZE);
  connection.localMapped = 0xffff0000;
  connection.remoteMapped = 0xffff0000;
  connection.timer.kind = TIMER_TCP;
  connection.ackTimer.kind = TIMER_TCP_ACK;
  connection.receiveBuffer = load<u32>(CONTROL_OPEN, OPEN_RECEIVE_BUFFER);
  connection.sendBuffer = load<u32>(CONTROL_OPEN, OPEN_SEND_BUFFER);
  connection.linger = LINGER_OFF;
  if ((load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS) & 1) != 0) connection.set(NO_DELAY);
  return connection;
}

/** Gives a record back; the caller has emptied its queues and taken it out of every list. */
export function returnConnection(connection: Connection): void {
  forgetTimer(connection.timer);
  forgetTimer(connection.ackTimer);
  connection.state = CLOSED;
  connection.queue = null;
  connection.hashNext = freeFirst;
  freeFirst = changetype<usize>(connection);
  openCount--;
}
