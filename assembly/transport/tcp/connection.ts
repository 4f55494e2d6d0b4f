/**
 * The connection record (RFC 9293's transmission control block).
 *
 * 576 bytes, nine cache lines, of which a segment in order touches the first five. A listening socket
 * is a record too, with its accept queue where a connection has its receive queue.
 */
import { Interface } from "../../link/interface";
import { Neighbour } from "../../link/neighbour";
import { Frame } from "../../memory/frame";
import { Queue } from "../../queue/queue";
import { Timer } from "../../time/wheel";
import * as record from "./record";
import { PERSIST } from "./record";

export * from "./record";

@unmanaged
export class Connection {
  // A cache line for finding the connection and the place of what has come,
  /** Next record of the same hash bucket; next free record while in the pool. */
  hashNext: usize;
  /** Ports as a received header holds them: remote in the low half, local in the high half. */
  ports: u32;
  bucket: u32;
  state: u8;
  /** Bytes of options in every segment: 12 with timestamps, else 0. */
  optionBytes: u8;
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

  // one for what may be sent and where it lies,
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

  // one for what has been received and what is known of the path,
  /** Bytes in order that the application has not popped, one flat chain. Listener: accept queue. */
  receiveHead: Frame | null;
  receiveTail: Frame | null;
  receiveQueued: u32;
  receiveBuffer: u32;
  /** Bytes that may be queued and not acknowledged. */
  sendBuffer: u32;
  /** Packets beyond RCV.NXT in order of sequence, through `link`. */
  reassemblyHead: Frame | null;
  /** Smoothed round-trip time in 1/8 µs and its variation in 1/4 µs (RFC 6298); 0: no sample. */
  srtt: u32;
  rttvar: u32;
  /** Retransmission timeout in µs, before back-off. */
  rto: u32;
  rttSequence: u32;
  rttStart: u32;
  // Four bytes that acknowledge.ts looks at as one word.
  /** TIMESTAMPS, SACK_PERMITTED, ECN. */
  agreed: u8;
  /** 1: no round trip has been measured since a retransmission. The next echo gives one (RFC 7323 4.1). */
  sampleLost: u8;
  /** UNDO_… bits: whether a recovery is watched that may turn out to be for nothing (undo.ts). */
  undoState: u8;
  duplicateAcks: u8;
  /** Bytes in flight that the peer has acknowledged selectively. */
  sackedBytes: u32;
  /** CORKED, READ_SHUT, …. */
  choices: u16;
  /** Of the IP header; ECN's two bits are not the application's. */
  typeOfService: u8;
  timeToLive: u8;
  /** When the peer last acknowledged anything, were it nothing new. */
  heardTick: u32;
  /** When text last arrived in order. */
  receivedTick: u32;

  // one for rounds and for timers, 16 bytes each, inlined so that the record is one piece,
  timerNext: usize;
  timerFrom: usize;
  timerDeadline: u32;
  timerKind: u32;
  ackTimerNext: usize;
  ackTimerFrom: usize;
  ackTimerDeadline: u32;
  ackTimerKind: u32;
  /** Doublings of the timeout, and retransmissions without an answer. */
  backoff: u8;
  retries: u8;
  /** Full-sized segments' worth of bytes received and not yet acknowledged. */
  ackBytes: u16;
  /** Frames of the send queue. */
  sendFrames: u32;
  /** PROBE_… bits (tail-probe.ts). */
  tailState: u32;
  /** Most bytes in flight in this round and in the last one (RFC 7661's pipeACK). */
  flightMost: u32;
  lastFlightMost: u32;
  /** A round ends when this is acknowledged: SND.MAX at its start. */
  roundEnd: u32;
  /** When a segment with new data last left. */
  lastSentTick: u32;
  /** When the round that receive-buffer.ts measures is over at the earliest. */
  tuneTick: u32;

  // and one for what is left, timestamps (timestamp.ts) among it.
  /** Up to which moment CUBIC has counted time. */
  cubicSeenTick: u32;
  /** Largest window the peer ever announced (RFC 9293 3.8.6.2.1, Max(SND.WND)). */
  windowMax: u32;
  /** Pushes wait while so many bytes have never been sent; 0: no such limit. */
  unsentMax: u32;
  /** RFC 6582: highest sequence number sent when loss was last seen. */
  recover: u32;
  /** What arrived twice and has not been told (RFC 2883); equal when there is nothing. */
  duplicateLeft: u32;
  duplicateRight: u32;
  /** RACK.min_RTT in µs (reordering.ts). */
  minRttUs: u32;
  /** When `minRttUs` was measured, by a clock of 2^20 µs. */
  minRttTime: u16;
  /** Bytes that the peer lacked when the timed segment had left, a short float (delivery-rate.ts); 0: no matter. */
  rateFlight: u16;
  /** Acknowledgments that are not delayed any more. */
  quickAcks: u8;
  /** How often SND.UNA has passed 2^32. */
  sendWraps: u8;
  /** How often RCV.NXT has passed 2^32. */
  receiveWraps: u8;
  /** ECHO, CWR_DUE, … */
  ecnState: u8;
  /** Frames that blocks have cut. */
  cuts: u16;
  /** Listener: Fast Open requests that are unconfirmed. A connection has its `deliveryRate` here. */
  fastOpenRequests: u16;
  /** `rttSequence` when the timed segment is a full one. */
  provingSequence: u32;
  /** TS.Recent of RFC 7323: the TSval to echo. */
  timestampRecent: u32;
  /** When TS.Recent was renewed, by a clock of 2^20 microseconds. */
  timestampRenewed: u32;
  /** Last.ACK.sent: RCV.NXT as the peer was last told. */
  lastAckSent: u32;
  /** What our timestamps are ahead of the clock, another number for each 4-tuple. */
  timestampOffset: u32;
  /** What killed the connection: a positive errno, 0 while it lives. */
  error: u16;
  /** Listener: limit of half-open plus waiting connections. A connection has its `minRtt` here. */
  backlog: u16;

  // From here on what openings, losses, options and ends need.
  /** Frames in `reassemblyHead`. */
  reassemblyCount: u32;
  /** The listener a half-open or not yet accepted connection belongs to. TIME_WAIT: previous. */
  listener: Connection | null;
  /** Next in the accept queue. TIME_WAIT: next. */
  acceptNext: Connection | null;
  /** ISS and IRS. */
  initialSend: u32;
  initialReceive: u32;
  /** Milliseconds of the clock when the last challenge ACK was sent (RFC 5961 section 7). */
  challengeMs: u32;
  /**
   * Listener: connections in SYN_RECEIVED, and established ones nobody accepted yet. A connection has
   * its `retransmissions` here.
   */
  halfOpen: u16;
  acceptable: u16;
  /** The highest number that it has acknowledged so. */
  highestSacked: u32;
  /** SND.MAX when the tail loss probe was sent. */
  tailEnd: u32;
  /** Segments stored beyond RCV.NXT so far: which run grew last is told first (run.ts). */
  arrivals: u32;
  /** RACK.xmit_ts (RFC 8985): when the latest sent of what has arrived was sent, in µs. */
  rackSentUs: u32;
  /** RACK.rtt: how long that took, in µs. */
  rackRttUs: u32;
  /** RFC 9937: bytes delivered and sent in this recovery, and in flight when it began (RecoverFS). */
  prrDelivered: u32;
  prrOut: u32;
  recoverFlight: u32;

  // What the application has set (socket.ts) and what keeps it (keep-alive.ts).
  /** Seconds, or LINGER_OFF. */
  linger: i32;
  /** Silence before the first probe, between probes, and probes without an answer. */
  keepAliveIdleMs: u32;
  keepAliveIntervalMs: u32;
  keepAliveProbes: u8;
  probesUnanswered: u8;
  /** Fast Open (fast-open-client.ts, fast-open-server.ts): FAST_… bits. */
  fastOpen: u16;
  /** When the last probe was sent. */
  probeTick: u32;
  /** Bytes of data in our SYN. Listener: how many requests may be unconfirmed. */
  fastOpenBytes: u16;
  /** Largest MSS to announce and to use, 0: what the interface takes. */
  mssMax: u16;
  /** Milliseconds that data may wait for an acknowledgment (RFC 5482); 0: R2 decides. */
  userTimeoutMs: u32;
  /** SND.UNA when the main timer last expired, and since when it has stood there. */
  stalledUna: u32;
  stalledTick: u32;

  // What controller.ts and the controllers behind it remember: 64 bytes.
  /** CUBIC's W_est in bytes (RFC 9438 section 4.3). */
  cubicEstimate: f64;
  /** CUBIC's K in seconds (section 4.2). */
  cubicOrigin: f32;
  /** What CUBIC has grown cwnd by beyond whole bytes. */
  cubicFraction: f32;
  /** CUBIC's W_max and cwnd_prior in bytes; 0: no congestion seen since the last timeout. */
  cubicMaximum: u32;
  cubicPrior: u32;
  /** CUBIC's t in ticks, and whether it runs. */
  cubicTicks: u32;
  cubicRuns: u8;
  /** CONTROLLER_…: who sizes the window. */
  controller: u8;
  /** HyStart++ (RFC 9406): rounds of conservative slow start, 0 outside of it. */
  cssRounds: u8;
  /** HyStart++: samples of this round. */
  rttSamples: u8;
  /** HyStart++: least round-trip time in µs of this round, of the last one, and cssBaselineMinRtt. */
  roundRttUs: u32;
  lastRoundRttUs: u32;
  cssRttUs: u32;

  // Path MTU discovery (path-mtu.ts).
  /** Payload bytes of a full segment by what both ends and the interface allow. */
  mssAgreed: u16;
  /** Payload bytes of a segment that is known to have arrived whole. */
  mssProved: u16;
  /** Largest IP packet to send, 0: by the interface; and what a trial goes back to. */
  pathMtu: u16;
  otherMtu: u16;
  pathState: u8;
  /** ECN_…: whether congestion notification is offered and agreed to (ecn.ts). */
  ecnMode: u8;
  /** What a router has said of the segment `toldSequence`, believed at the next timeout; 0: nothing. */
  toldMtu: u16;
  toldSequence: u32;
  /** When a larger size is tried again, in units of `pathTime`; 0: never. */
  pathUntil: u32;

  // What receive-buffer.ts measures: rounds, and what the last one brought.
  /** The peer's round-trip time in ticks by its echoes; 0: unknown. */
  tuneRtt: u16;
  /** Ticks from the start of a round to `tuneTick`. */
  tuneWait: u16;
  /** The byte that the round began with. */
  tuneSequence: u32;
  /** A short float. */
  tuneBytes: u16;
  /** Runs in `reassemblyHead`. */
  runs: u16;

  // What losses in flight need (loss.ts).
  /** How far losses have been judged (loss.ts): everything below; and the frame that begins there. */
  judged: u32;
  judgedFrame: Frame | null;
  /** Bytes selectively acknowledged from there on. */
  sackedAbove: u32;
  /** Bytes found lost and not sent again yet. */
  lostBytes: u32;
  /** When the earliest of what was sent again left, in µs; 0: nothing to watch. */
  repeatUs: u32;

  // What the last reduction of the window can be taken back by (undo.ts), as it was before.
  undoCwnd: u32;
  undoSsthresh: u32;
  /** CUBIC's W_max, cwnd_prior, W_est, K and t. */
  undoMaximum: u32;
  undoPrior: u32;
  undoEstimate: u32;
  undoOrigin: f32;
  undoTicks: u32;
  /** SND.UNA when the recovery began. */
  undoUna: u32;
  /** Bytes sent again since, of which the peer has not said that they came twice. */
  repeatedBytes: u32;
  /** With timestamps TSval of the first repetition (RFC 3522's RetransmitTS), else F-RTO's RecoveryPoint. */
  undoPoint: u32;
  /** RACK.dsack_round of RFC 8985 (reordering.ts). */
  dsackRound: u32;
  /** RACK.reo_wnd_mult of RFC 8985, less one. */
  reorderingSteps: u8;
  /** REORDERING_… bits, and in units of PERSIST_ONE RACK.reo_wnd_persist. */
  reorderingState: u8;
  /** Pacing (pacing.ts): when the next segment may leave, in µs, and the most bytes a second, 0: no limit. */
  departUs: u32;
  pacingRate: u32;
  /** The frame of the send queue that blocks have led to furthest (scoreboard.ts). */
  topFrame: Frame | null;

  @inline has(flag: u16): bool {
    return (this.flags & flag) != 0;
  }
  @inline set(flag: u16): void {
    this.flags |= flag;
  }
  @inline clear(flag: u16): void {
    this.flags &= ~flag;
  }
  @inline chose(choice: u16): bool {
    return (this.choices & choice) != 0;
  }
  @inline choose(choice: u16): void {
    this.choices |= choice;
  }
  @inline unchoose(choice: u16): void {
    this.choices &= ~choice;
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
  /** Least round-trip time measured, a short float of µs; only listeners have a backlog. 0: none yet. */
  @inline get minRtt(): u16 {
    return this.backlog;
  }
  set minRtt(short: u16) {
    this.backlog = short;
  }
  /** A short float of RATE_UNIT bytes a second; only listeners count requests. 0: not measured yet. */
  @inline get deliveryRate(): u16 {
    return this.fastOpenRequests;
  }
  set deliveryRate(short: u16) {
    this.fastOpenRequests = short;
  }
  /** Segments of this connection that were sent again; only listeners count in these bytes. */
  @inline get retransmissions(): u32 {
    return load<u32>(changetype<usize>(this), record.CONNECTION_RETRANSMISSIONS);
  }
  set retransmissions(segments: u32) {
    store<u32>(changetype<usize>(this), segments, record.CONNECTION_RETRANSMISSIONS);
  }
  /** Listener, which challenges nobody: milliseconds of the clock when it last sent a SYN cookie. */
  @inline get cookieMs(): u32 {
    return this.challengeMs;
  }
  set cookieMs(milliseconds: u32) {
    this.challengeMs = milliseconds;
  }
  @inline isFast(bit: u16): bool {
    return (this.fastOpen & bit) != 0;
  }
  /** Repetitions of our SYN, 0: the usual number; until it is answered nothing is probed. */
  @inline get synRetriesMax(): u8 {
    return this.probesUnanswered;
  }
  set synRetriesMax(repetitions: u8) {
    this.probesUnanswered = repetitions;
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
