/**
 * Explicit congestion notification (RFC 3168): agreed on in the handshake, new data leaves marked as
 * capable of it, and what routers have marked is told back. What a sender makes of that stands in
 * ecn-reduction.ts.
 */
import {
  CONTROLLER_DCTCP,
  COUNTER_TCP_CE_RECEIVED,
  COUNTER_TCP_ECN_FALLBACKS,
  ECN_OFF,
  ECN_ON,
} from "../../layout";
import { count } from "../../counters";
import { Ipv4 } from "../../wire/ipv4";
import { Tcp } from "../../wire/tcp";
import { ACK_NOW, ACTIVE, Connection, ECN, SYN_REPEATED } from "./connection";
import { acknowledgeGap, acknowledgeNow } from "./delayed-ack";
import { segmentEcn, segmentFlags, segmentSequence } from "./segment";
import { before } from "./sequence";

// What `ecnState` says, beside ECN_REDUCING.
/** Congestion was experienced, and the peer has not said yet that it knows: segments have ECE. */
const ECHO: u8 = 1;
/** The window was reduced: the next new data has CWR. */
const CWR_DUE: u8 = 2;
/** Every SYN of ours so far was an ECN-setup SYN. */
const OFFERED: u8 = 4;

/** The codepoint of an IP header above the flags of a TCP header. */
export const CODEPOINT_SHIFT: u32 = 16;
const SETUP: u32 = Tcp.ECE | Tcp.CWR;

function isDctcp(connection: Connection): bool {
  return connection.controller == CONTROLLER_DCTCP;
}

/**
 * The flags of a SYN or SYN-ACK of ours, and its codepoint. A SYN that has to be sent again goes
 * without ECN, which something on the path may not let pass (section 6.1.1.1). DCTCP's are capable of
 * ECN themselves (RFC 8257 section 3.5).
 */
export function ecnSetupFlags(connection: Connection, active: bool): u32 {
  const codepoint: u32 = isDctcp(connection) ? Ipv4.ECT_0 << CODEPOINT_SHIFT : 0;
  if (!active) return (connection.agreed & ECN) != 0 ? Tcp.ECE | codepoint : 0;
  if (connection.ecnMode != ECN_ON && !isDctcp(connection)) return 0;
  if (!connection.has(SYN_REPEATED)) {
    connection.ecnState |= OFFERED;
    return SETUP | codepoint;
  }
  if ((connection.ecnState & OFFERED) != 0) count(COUNTER_TCP_ECN_FALLBACKS);
  connection.ecnState &= ~OFFERED;
  return 0;
}

/** Takes what the peer's SYN or SYN-ACK says of ECN (section 6.1.1); any other segment says no. */
export function agreeEcn(connection: Connection): void {
  const offered = (connection.ecnState & OFFERED) != 0;
  const flags = segmentFlags & (Tcp.SYN | Tcp.ACK | SETUP);
  const answers = flags == (Tcp.SYN | Tcp.ACK | Tcp.ECE);
  const offers = flags == (Tcp.SYN | SETUP);
  const willing = connection.has(ACTIVE) ? offered : offers && accepts(connection);
  if (willing && (answers || offers)) connection.agreed |= ECN;
}

/** A SYN that is itself capable of ECN comes from DCTCP, whose feedback means something else. */
function accepts(connection: Connection): bool {
  if (isDctcp(connection)) return true;
  return connection.ecnMode != ECN_OFF && segmentEcn == Ipv4.NOT_ECT;
}

/** In SYN-RECEIVED the peer's SYN came again: without ECN's flags it has given ECN up. */
export function agreeEcnAgain(connection: Connection): void {
  if (segmentSequence != connection.initialReceive) return;
  if ((segmentFlags & SETUP) != SETUP) connection.agreed &= ~ECN;
}

/**
 * The flags of a segment and its codepoint, with ECN agreed: ECT(0) for new data only, not for
 * acknowledgments, repetitions and window probes (sections 6.1.4 to 6.1.6), since what is lost of
 * those may not be noticed, or is not what the peer takes. DCTCP marks everything.
 */
export function ecnFlags(connection: Connection, sequence: u32, bytes: u32, flags: u32): u32 {
  const state = connection.ecnState;
  let marked = flags;
  if ((state & ECHO) != 0) marked |= Tcp.ECE;
  const isNew = bytes != 0 && !before(sequence, connection.sendMax) && connection.sendWindow != 0;
  if (isNew && (state & CWR_DUE) != 0) marked |= Tcp.CWR;
  return isNew || isDctcp(connection) ? marked | (Ipv4.ECT_0 << CODEPOINT_SHIFT) : marked;
}

/** A segment with these flags has left. */
export function ecnSent(connection: Connection, flags: u32): void {
  if ((flags & Tcp.CWR) != 0) connection.ecnState &= ~CWR_DUE;
}

/** The window was reduced for whatever reason: the peer is told (section 6.1.2). */
export function announceReduction(connection: Connection): void {
  if ((connection.agreed & ECN) != 0) connection.ecnState |= CWR_DUE;
}

/** The next new data has CWR, which of the segments that a super-frame becomes only one may have. */
export function isReductionDue(connection: Connection): bool {
  return (connection.ecnState & CWR_DUE) != 0;
}

/**
 * Text that lies in the window has come, and has not been taken yet: notes whether it met congestion
 * (section 6.1.3). The sender's window may be small, so it hears of a change at once.
 */
export function noteCodepoint(connection: Connection): void {
  const experienced = segmentEcn == Ipv4.CE;
  if (experienced) count(COUNTER_TCP_CE_RECEIVED);
  const echo = (connection.ecnState & ECHO) != 0;
  if (isDctcp(connection)) {
    if (experienced != echo) changeEcho(connection, experienced);
    return;
  }
  if ((segmentFlags & Tcp.CWR) != 0) {
    connection.ecnState &= ~ECHO;
    acknowledgeNow(connection);
  }
  if (!experienced || (connection.ecnState & ECHO) != 0) return;
  connection.ecnState |= ECHO;
  acknowledgeNow(connection);
}

/**
 * RFC 8257 section 3.2: each acknowledgment tells of segments that were all marked or all not, so what
 * waits is acknowledged before this segment, as it was.
 */
function changeEcho(connection: Connection, experienced: bool): void {
  if (connection.has(ACK_NOW) || connection.ackTimer.armed) acknowledgeGap(connection);
  connection.ecnState = experienced ? connection.ecnState | ECHO : connection.ecnState & ~ECHO;
  acknowledgeNow(connection);
}
