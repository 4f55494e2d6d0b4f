/** The sizes of the stack's pools and its defaults: everything that is fixed when it opens. */
import {
  CONTROL_OPEN,
  OPEN_ARP_RETRIES,
  OPEN_ARP_TIMEOUT_US,
  OPEN_ARP_TTL_US,
  OPEN_CONNECTIONS,
  OPEN_CONTROLLER,
  OPEN_DATA_RETRIES,
  OPEN_DATAGRAM_SOCKETS,
  OPEN_DELAYED_ACK_US,
  OPEN_FAST_OPEN,
  OPEN_FAST_OPEN_PAUSE_MS,
  OPEN_FIN_TIMEOUT_MS,
  OPEN_ECN,
  OPEN_ECN_ALTERNATIVE_BACKOFF,
  OPEN_FRAMES,
  OPEN_INTERFACES,
  OPEN_KEEP_ALIVE_IDLE_MS,
  OPEN_KEEP_ALIVE_INTERVAL_MS,
  OPEN_KEEP_ALIVE_PROBES,
  OPEN_MSS,
  OPEN_NEIGHBOURS,
  OPEN_PATH_BLACK_HOLES,
  OPEN_PATH_DOUBT,
  OPEN_PATH_MTU,
  OPEN_QUEUES,
  OPEN_REASSEMBLY_SETS,
  OPEN_PACING,
  OPEN_RECEIVE_BUFFER,
  OPEN_RECEIVE_BUFFER_MAX,
  OPEN_RING_ENTRIES,
  OPEN_RTO_MIN_US,
  OPEN_SEED,
  OPEN_SEED_SIZE,
  OPEN_SEND_BUFFER,
  OPEN_SEND_BUFFER_MAX,
  OPEN_SYN_ACK_RETRIES,
  OPEN_SYN_COOKIES,
  OPEN_SYN_RETRIES,
  OPEN_TCP_FLAGS,
  OPEN_TIME_WAIT_US,
  OPEN_TOKENS,
  OPEN_UNSENT_MAX,
  FAST_OPEN_CLIENT,
  FAST_OPEN_SERVER,
  SYN_COOKIES_ALWAYS,
  SYN_COOKIES_FULL,
  SYN_COOKIES_NEVER,
  TCP_FLAG_LARGE_SYNS,
  TCP_FLAG_QUICK_ACKS,
  TCP_FLAG_REDUCE_WINDOW,
  TCP_FLAG_ADD_RTO_MIN,
  TCP_FLAG_BARE_PROBES,
  TCP_FLAG_COUNT_DELIVERED,
  TCP_FLAG_TAIL_PROBES,
  TCP_FLAG_TUNE_RECEIVE,
  TCP_FLAG_MISSING_TIMESTAMPS,
} from "../../assembly/layout";
import { memoryBytes } from "../../assembly/memory/plan";
import { DemibunError } from "../errors";
import { type CongestionControl, controllerNumber } from "./congestion-control";
import { type EcnMode, ecnNumber } from "./ecn";
import { ERRNO_EINVAL } from "../../assembly/layout";

/** When a listener answers a SYN without keeping state of it (RFC 4987), by the stack's numbers. */
const synCookieNumbers = {
  never: SYN_COOKIES_NEVER,
  full: SYN_COOKIES_FULL,
  always: SYN_COOKIES_ALWAYS,
} as const;

export type SynCookies = keyof typeof synCookieNumbers;

export interface StackOptions {
  /** Buffers of 2 KiB, for received packets and data to send together. */
  readonly frames: number;
  /** TCP connections, half-open and TIME_WAIT ones included. */
  readonly connections: number;
  /** Queue descriptors. */
  readonly queues: number;
  /** Operations that may be pending at once. */
  readonly tokens: number;
  readonly datagramSockets: number;
  /** Entries of the ARP cache. */
  readonly neighbours: number;
  readonly interfaces: number;
  /** Entries of each of an interface's four rings; a power of two. */
  readonly ringEntries: number;
  /** IP packets that may be under reassembly at once. */
  readonly reassemblySets: number;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  /** What buffers grow to as long as nobody has set a socket's; 0: they stay as they are. */
  readonly receiveBufferMaxBytes: number;
  readonly sendBufferMaxBytes: number;
  /** The receive buffer does grow; otherwise its maximum only decides the window scale. */
  readonly tuneReceiveBuffer: boolean;
  /** Of these, bytes that have never been sent; 0: no limit of their own. */
  readonly unsentMaxBytes: number;
  readonly rtoMinUs: number;
  /** The least timeout is one beyond the round trip: SRTT + max(rtoMinUs, 4·RTTVAR). */
  readonly addRtoMin: boolean;
  /** A closed window is probed by an old sequence number, without data. */
  readonly bareProbes: boolean;
  /**
   * The window grows by what an acknowledgment delivers: in slow start by any number of segments, and
   * never by what blocks or duplicates have told of before.
   */
  readonly countDelivered: boolean;
  /** Segments without the timestamps that were agreed on are taken. */
  readonly missingTimestamps: boolean;
  /** A loss reduces cwnd, not what was in flight. */
  readonly reduceWindow: boolean;
  readonly timeWaitUs: number;
  readonly delayedAckUs: number;
  /** Largest MSS to announce; 0 derives it from the interface's MTU. */
  readonly mssBytes: number;
  /** Nagle's algorithm off by default. */
  readonly noDelay: boolean;
  /** SYN cookies: when half-open and waiting connections fill the backlog, always or never. */
  readonly synCookies: SynCookies;
  /** Timestamps (RFC 7323) are offered to peers and agreed to. */
  readonly timestamps: boolean;
  /** Selective acknowledgments (RFC 2018) are offered to peers and agreed to. */
  readonly sack: boolean;
  /** Tails of flights are probed before the timeout (RFC 8985 section 7). */
  readonly tailProbes: boolean;
  /** Repetitions without an answer before a connect, a half-open connection or any other gives up. */
  readonly synRetries: number;
  readonly synAckRetries: number;
  /** Of data and of window probes: R2 of RFC 9293 section 3.8.3. */
  readonly dataRetries: number;
  /** How long a closed connection waits for the peer's FIN. */
  readonly finTimeoutMs: number;
  /** The first data of a connection, and those after a pause, are acknowledged without delay. */
  readonly quickAcks: boolean;
  /** New sockets probe idle connections. */
  readonly keepAlive: boolean;
  /** Silence before the first probe and between probes; probes without an answer that end it. */
  readonly keepAliveIdleMs: number;
  readonly keepAliveIntervalMs: number;
  readonly keepAliveProbes: number;
  /** Who sizes the congestion window of new connections. */
  readonly congestionControl: CongestionControl;
  /** Smaller segments are tried when large ones time out again and again (RFC 4821 section 7.7). */
  readonly blackHoleDetection: boolean;
  /** A segment size that has arrived is not given up on an ICMP message alone (RFC 5927 7.2). */
  readonly doubtPathMtu: boolean;
  /** What of Fast Open (RFC 7413) the stack does: FAST_OPEN_… bits, which are Linux's tcp_fastopen. */
  readonly fastOpen: number;
  /** How long no data goes in SYNs on a path that has lost some; 0: it may at once. */
  readonly fastOpenPauseMs: number;
  /** Data in a SYN may be as large as our own MSS while the server's is not known, as with Linux. */
  readonly largeSyns: boolean;
  /**
   * Keys of the cookies that listeners give, as Linux's tcp_fastopen_key has them: four words of eight
   * hexadecimal digits with dashes, and after a comma an older key that is still believed. Undefined: a
   * random one.
   */
  readonly fastOpenKeys?: string | undefined;
  /** Whether new connections use explicit congestion notification (RFC 3168). */
  readonly ecn: EcnMode;
  /** An echo of congestion reduces the window by less than a loss does (RFC 8511). */
  readonly alternativeBackoff: boolean;
  /** Segments leave evenly over the round trip instead of in bursts. */
  readonly pacing: boolean;
  readonly arpTtlUs: number;
  readonly arpRetries: number;
  readonly arpTimeoutUs: number;
  /** 64 bytes that decide every key and random choice; undefined: fresh random ones. */
  readonly seed?: Uint8Array | undefined;
}

export const defaultStackOptions: StackOptions = {
  frames: 16384,
  connections: 16384,
  queues: 16384,
  tokens: 32768,
  datagramSockets: 1024,
  neighbours: 1024,
  interfaces: 1,
  ringEntries: 2048,
  reassemblySets: 64,
  receiveBufferBytes: 1 << 17,
  sendBufferBytes: 1 << 17,
  receiveBufferMaxBytes: 6 << 20,
  sendBufferMaxBytes: 4 << 20,
  tuneReceiveBuffer: true,
  unsentMaxBytes: 0,
  rtoMinUs: 200_000,
  addRtoMin: false,
  bareProbes: false,
  countDelivered: false,
  missingTimestamps: false,
  reduceWindow: false,
  timeWaitUs: 60_000_000,
  delayedAckUs: 40_000,
  mssBytes: 0,
  noDelay: true,
  synCookies: "full",
  timestamps: true,
  sack: true,
  tailProbes: true,
  // 1 + 2 + … + 128 s, above the 3 minutes that RFC 9293 section 3.8.3 asks for (MUST-23).
  synRetries: 7,
  // A peer that sent a SYN and then nothing is forgotten after 63 s; its slot is wanted.
  synAckRetries: 5,
  // From 200 ms over 15 minutes.
  dataRetries: 15,
  finTimeoutMs: 60_000,
  quickAcks: true,
  keepAlive: false,
  keepAliveIdleMs: 7_200_000,
  keepAliveIntervalMs: 75_000,
  keepAliveProbes: 9,
  congestionControl: "cubic",
  fastOpen: FAST_OPEN_CLIENT | FAST_OPEN_SERVER,
  fastOpenPauseMs: 3_600_000,
  ecn: "passive",
  alternativeBackoff: true,
  largeSyns: false,
  pacing: false,
  blackHoleDetection: true,
  doubtPathMtu: true,
  arpTtlUs: 15_000_000,
  arpRetries: 5,
  arpTimeoutUs: 1_000_000,
};

/** Bytes of linear memory that these options need. */
export function stackMemoryBytes(options: StackOptions): number {
  return memoryBytes(
    options.frames,
    options.connections,
    options.queues,
    options.tokens,
    options.datagramSockets,
    options.neighbours,
    options.interfaces,
    options.ringEntries,
    options.reassemblySets,
  );
}

function tcpFlags(options: StackOptions): number {
  const { noDelay, timestamps, sack, keepAlive, quickAcks, tuneReceiveBuffer } = options;
  const { addRtoMin, bareProbes, countDelivered, largeSyns } = options;
  const { missingTimestamps, reduceWindow } = options;
  return (
    (noDelay ? 1 : 0) |
    (timestamps ? 2 : 0) |
    (sack ? 4 : 0) |
    (keepAlive ? 8 : 0) |
    (quickAcks ? TCP_FLAG_QUICK_ACKS : 0) |
    (addRtoMin ? TCP_FLAG_ADD_RTO_MIN : 0) |
    (bareProbes ? TCP_FLAG_BARE_PROBES : 0) |
    (countDelivered ? TCP_FLAG_COUNT_DELIVERED : 0) |
    (tuneReceiveBuffer ? TCP_FLAG_TUNE_RECEIVE : 0) |
    (largeSyns ? TCP_FLAG_LARGE_SYNS : 0) |
    (missingTimestamps ? TCP_FLAG_MISSING_TIMESTAMPS : 0) |
    (reduceWindow ? TCP_FLAG_REDUCE_WINDOW : 0) |
    (options.tailProbes ? TCP_FLAG_TAIL_PROBES : 0)
  );
}

function pathMtuWord({ blackHoleDetection, doubtPathMtu }: StackOptions): number {
  return (blackHoleDetection ? OPEN_PATH_BLACK_HOLES : 0) | (doubtPathMtu ? OPEN_PATH_DOUBT : 0);
}

function ecnWord({ ecn, alternativeBackoff }: StackOptions): number {
  return ecnNumber(ecn) | (alternativeBackoff ? OPEN_ECN_ALTERNATIVE_BACKOFF : 0);
}

/** Writes the options and the seed where the module's `open` reads them. */
export function writeStackOptions(memory: WebAssembly.Memory, options: StackOptions): void {
  writeStackWords(memory, options);
  const seed = options.seed ?? crypto.getRandomValues(new Uint8Array(OPEN_SEED_SIZE));
  if (seed.length !== OPEN_SEED_SIZE) {
    throw new DemibunError({
      operation: "open",
      errno: ERRNO_EINVAL,
      detail: `the seed has ${seed.length} bytes instead of ${OPEN_SEED_SIZE}`,
    });
  }
  new Uint8Array(memory.buffer, CONTROL_OPEN + OPEN_SEED, OPEN_SEED_SIZE).set(seed);
}

/**
 * Writes all but the seed and Fast Open's keys. While the stack runs this changes what it looks at when
 * it needs it; sizes of pools stay as they were when it opened.
 */
export function writeStackWords(memory: WebAssembly.Memory, options: StackOptions): void {
  const words: readonly (readonly [offset: number, value: number])[] = [
    [OPEN_FRAMES, options.frames],
    [OPEN_CONNECTIONS, options.connections],
    [OPEN_QUEUES, options.queues],
    [OPEN_TOKENS, options.tokens],
    [OPEN_DATAGRAM_SOCKETS, options.datagramSockets],
    [OPEN_NEIGHBOURS, options.neighbours],
    [OPEN_INTERFACES, options.interfaces],
    [OPEN_RING_ENTRIES, options.ringEntries],
    [OPEN_RECEIVE_BUFFER, options.receiveBufferBytes],
    [OPEN_SEND_BUFFER, options.sendBufferBytes],
    [OPEN_RECEIVE_BUFFER_MAX, options.receiveBufferMaxBytes],
    [OPEN_SEND_BUFFER_MAX, options.sendBufferMaxBytes],
    [OPEN_UNSENT_MAX, options.unsentMaxBytes],
    [OPEN_RTO_MIN_US, options.rtoMinUs],
    [OPEN_TIME_WAIT_US, options.timeWaitUs],
    [OPEN_DELAYED_ACK_US, options.delayedAckUs],
    [OPEN_MSS, options.mssBytes],
    [OPEN_TCP_FLAGS, tcpFlags(options)],
    [OPEN_SYN_RETRIES, options.synRetries],
    [OPEN_SYN_ACK_RETRIES, options.synAckRetries],
    [OPEN_DATA_RETRIES, options.dataRetries],
    [OPEN_FIN_TIMEOUT_MS, options.finTimeoutMs],
    [OPEN_KEEP_ALIVE_IDLE_MS, options.keepAliveIdleMs],
    [OPEN_KEEP_ALIVE_INTERVAL_MS, options.keepAliveIntervalMs],
    [OPEN_KEEP_ALIVE_PROBES, options.keepAliveProbes],
    [OPEN_SYN_COOKIES, synCookieNumbers[options.synCookies]],
    [OPEN_ECN, ecnWord(options)],
    [OPEN_PACING, options.pacing ? 1 : 0],
    [OPEN_CONTROLLER, controllerNumber(options.congestionControl)],
    [OPEN_FAST_OPEN, options.fastOpen],
    [OPEN_FAST_OPEN_PAUSE_MS, options.fastOpenPauseMs],
    [OPEN_ARP_TTL_US, options.arpTtlUs],
    [OPEN_ARP_RETRIES, options.arpRetries],
    [OPEN_ARP_TIMEOUT_US, options.arpTimeoutUs],
    [OPEN_REASSEMBLY_SETS, options.reassemblySets],
    [OPEN_PATH_MTU, pathMtuWord(options)],
  ];
  const view = new DataView(memory.buffer, CONTROL_OPEN);
  for (const [offset, value] of words) view.setUint32(offset, value, true);
}
