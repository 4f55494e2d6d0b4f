/** Whose timers and defaults the stack takes on for a script. */
import { FAST_OPEN_CLIENT } from "../../../assembly/layout";
import { defaultStackOptions, type StackOptions } from "../../wasm/stack-options";

export type ProfileName = "linux" | "freebsd" | "rfc";

/**
 * Small pools, so that opening a stack costs about a millisecond; and one seed for every run. Scripts
 * count in Reno's windows, which an echo of congestion halves; that is what Linux has in a network of its own.
 */
const small: StackOptions = {
  ...defaultStackOptions,
  frames: 512,
  connections: 32,
  queues: 64,
  tokens: 256,
  datagramSockets: 16,
  neighbours: 8,
  ringEntries: 64,
  reassemblySets: 4,
  noDelay: false,
  congestionControl: "newreno",
  receiveBufferBytes: 1 << 20,
  receiveBufferMaxBytes: 0,
  sendBufferBytes: 1 << 20,
  sendBufferMaxBytes: 0,
  quickAcks: false,
  alternativeBackoff: false,
  blackHoleDetection: false,
  doubtPathMtu: false,
  seed: Uint8Array.from({ length: 64 }, (_, index) => index * 11 + 3),
};

/**
 * `linux`: net/ipv4's constants TCP_DELACK_MIN, TCP_RTO_MIN, TCP_TIMEWAIT_LEN,
 * and tcp_fastopen's defaults. `freebsd`: the
 * long-time defaults of net.inet.tcp.delacktime, rexmit_min with its slop, and 2·msl. `rfc`: RFC 9293
 * section 3.8.6.3 within its bound of 0.5 s, RFC 6298 section 2.4, RFC 9293 section 3.4.2.
 */
export const profiles: Readonly<Record<ProfileName, StackOptions>> = {
  linux: {
    ...small,
    delayedAckUs: 40_000,
    rtoMinUs: 200_000,
    timeWaitUs: 60_000_000,
    quickAcks: true,
    // Half of tcp_rmem's second number, and its third.
    receiveBufferBytes: 65_536,
    receiveBufferMaxBytes: 6_291_456,
    fastOpen: FAST_OPEN_CLIENT,
    fastOpenPauseMs: 0,
    // tcp_set_rto, tcp_xmit_probe_skb, tcp_slow_start by `acked_sacked`, tcp_validate_incoming, and
    // ssthresh of both controllers.
    addRtoMin: true,
    bareProbes: true,
    countDelivered: true,
    largeSyns: true,
    missingTimestamps: true,
    reduceWindow: true,
  },
  freebsd: { ...small, delayedAckUs: 100_000, rtoMinUs: 230_000, timeWaitUs: 60_000_000 },
  rfc: {
    ...small,
    delayedAckUs: 200_000,
    rtoMinUs: 1_000_000,
    timeWaitUs: 240_000_000,
    doubtPathMtu: true,
  },
};

/** The profile that a script asks for by a line `// profile NAME`; undefined when it asks for none. */
export function profileIn(text: string): ProfileName | undefined {
  const name = /^\/\/ profile (\w+)$/m.exec(text)?.[1];
  return (Object.keys(profiles) as ProfileName[]).find((known) => known === name);
}
