/** What the host configured for all connections; it stands on the control page from `open` on. */
import {
  CONTROL_OPEN,
  OPEN_DATA_RETRIES,
  OPEN_DELAYED_ACK_US,
  OPEN_ECN,
  OPEN_ECN_ALTERNATIVE_BACKOFF,
  OPEN_FAST_OPEN,
  OPEN_FAST_OPEN_PAUSE_MS,
  OPEN_FIN_TIMEOUT_MS,
  OPEN_MSS,
  OPEN_PATH_BLACK_HOLES,
  OPEN_PATH_DOUBT,
  OPEN_PATH_MTU,
  OPEN_RECEIVE_BUFFER_MAX,
  OPEN_RTO_MIN_US,
  OPEN_SEND_BUFFER_MAX,
  OPEN_SYN_ACK_RETRIES,
  OPEN_SYN_COOKIES,
  OPEN_SYN_RETRIES,
  OPEN_TCP_FLAGS,
  OPEN_TIME_WAIT_US,
  TCP_FLAG_LARGE_SYNS,
  TCP_FLAG_QUICK_ACKS,
  TCP_FLAG_ADD_RTO_MIN,
  TCP_FLAG_BARE_PROBES,
  TCP_FLAG_COUNT_DELIVERED,
  TCP_FLAG_TUNE_RECEIVE,
  TCP_FLAG_MISSING_TIMESTAMPS,
  TCP_FLAG_REDUCE_WINDOW,
  TCP_FLAG_TAIL_PROBES,
} from "../../layout";

export function rtoMinUs(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_RTO_MIN_US);
}

/** The shortest timeout is one beyond the round trip, so that a peer may delay its acknowledgment. */
export function addsRtoMin(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS) & TCP_FLAG_ADD_RTO_MIN) != 0;
}

/** The window grows by all that an acknowledgment delivers, and by nothing that was told before. */
export function countsDelivered(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS) & TCP_FLAG_COUNT_DELIVERED) != 0;
}

/** RFC 7323 section 3.2 would drop segments without the timestamps that were agreed on. */
export function takesMissingTimestamps(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS) & TCP_FLAG_MISSING_TIMESTAMPS) != 0;
}

/** ssthresh is a part of cwnd, though less may be in flight (RFC 9438 section 4.6 allows it). */
export function reducesWindow(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS) & TCP_FLAG_REDUCE_WINDOW) != 0;
}

/** A closed window is probed by a number below it instead of by the next byte. */
export function probesBare(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS) & TCP_FLAG_BARE_PROBES) != 0;
}

export function timeWaitUs(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_TIME_WAIT_US);
}

export function delayedAckUs(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_DELAYED_ACK_US);
}

/** What SYNs offer: TIMESTAMPS, SACK_PERMITTED, whose bits stand one higher among the flags. */
export function offeredOptions(): u8 {
  return <u8>((load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS) >> 1) & 3);
}

/** The largest MSS to announce or use; 0 leaves it to the interface. */
export function configuredMss(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_MSS);
}

/** What buffers grow to by themselves. */
export function receiveBufferMax(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_RECEIVE_BUFFER_MAX);
}

export function sendBufferMax(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_SEND_BUFFER_MAX);
}

/** The receive buffer grows to what there is room for; otherwise only the window scale counts on it. */
export function tunesReceiveBuffer(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS) & TCP_FLAG_TUNE_RECEIVE) != 0;
}

/** The first data of a connection are acknowledged without delay. */
export function quickAcksOffered(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS) & TCP_FLAG_QUICK_ACKS) != 0;
}

/** SYN_COOKIES_…: when a listener answers without keeping state. */
export function synCookies(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_SYN_COOKIES);
}

/** Repetitions of a SYN without an answer. */
export function synRetries(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_SYN_RETRIES);
}

export function synAckRetries(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_SYN_ACK_RETRIES);
}

/** R2 of RFC 9293 section 3.8.3 in repetitions of data, or of window probes. */
export function dataRetries(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_DATA_RETRIES);
}

/** How long a closed end waits for the peer's FIN when nobody will read. */
export function finTimeoutMs(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_FIN_TIMEOUT_MS);
}

export function detectsBlackHoles(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_PATH_MTU) & OPEN_PATH_BLACK_HOLES) != 0;
}

export function doubtsPathMtu(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_PATH_MTU) & OPEN_PATH_DOUBT) != 0;
}

/** Says whether the stack does this of Fast Open (FAST_OPEN_…). */
export function allowsFastOpen(bit: u32): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_FAST_OPEN) & bit) != 0;
}

/** How long a path on which data in a SYN were lost has no more of it; 0: no time. */
export function fastOpenPauseMs(): u32 {
  return load<u32>(CONTROL_OPEN, OPEN_FAST_OPEN_PAUSE_MS);
}

/** An echo of congestion reduces the window by less than a loss (RFC 8511). */
export function backsOffLess(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_ECN) & OPEN_ECN_ALTERNATIVE_BACKOFF) != 0;
}

/** Says whether data in a SYN may be as large as our own MSS while the server's is not known. */
export function allowsLargeSyns(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS) & TCP_FLAG_LARGE_SYNS) != 0;
}

/** Tails of flights are probed before the timeout. */
export function probesTails(): bool {
  return (load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS) & TCP_FLAG_TAIL_PROBES) != 0;
}
