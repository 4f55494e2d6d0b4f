/**
 * Recoveries that were for nothing, because what seemed lost had only been late: the window becomes
 * what it was (RFC 4015, RFC 9438 section 4.9), and nothing more is sent again.
 *
 * Three signs tell: the acknowledgment echoes a time before the first repetition (RFC 3522), the peer
 * reports every repetition as a duplicate (RFC 3708), or, after a timeout, it acknowledges what was
 * not repeated (RFC 5682: frto.ts).
 */
import { COUNTER_TCP_RECOVERIES_UNDONE, COUNTER_TCP_SPURIOUS_TIMEOUTS } from "../../layout";
import { count } from "../../counters";
import {
  Connection,
  FRTO_SENDING,
  FRTO_SENT,
  FRTO_WAITING,
  PARTIAL_SEEN,
  PERSIST,
  RECOVERY,
  UNDO_CURVE,
  UNDO_ECHO,
  UNDO_TIMEOUT,
  UNDO_WATCHED,
} from "./connection";
import { restoreWindow } from "./controller";
import { segmentEcho } from "./options";
import { makeReady } from "./ready";
import { reorderingSeen } from "./reordering";
import { goForward } from "./retransmit";
import { allowLateness, RTO_MAX_US } from "./rtt";
import { usesSack } from "./sack-recovery";
import { unmarkLost } from "./scoreboard";
import { after, before } from "./sequence";
import { initialWindow } from "./slow-start";
import { armLossTimer, awaitReordering } from "./tail-probe";
import { timestampNow } from "./timestamp";

/** A recovery begins; the window has been saved. */
export function watchRecovery(connection: Connection): void {
  const echo: u8 = connection.optionBytes != 0 ? UNDO_ECHO : 0;
  connection.undoState = (connection.undoState & UNDO_CURVE) | UNDO_WATCHED | echo;
  connection.undoUna = connection.sendUna;
  connection.repeatedBytes = 0;
  connection.undoPoint = timestampNow(connection);
}

/**
 * The retransmission timer has expired; `again`: in a recovery or not for the first time, so the window
 * was saved before. F-RTO says nothing when more than the first segment may have been `repeated` (RFC
 * 5682 section 2.1, step 1), and is not needed where echoes tell.
 */
export function watchTimeout(connection: Connection, again: bool, repeated: bool): void {
  const waited = (connection.undoState & FRTO_WAITING) != 0;
  if (!again) watchRecovery(connection);
  if ((connection.undoState & UNDO_WATCHED) == 0) return;
  connection.undoState |= UNDO_TIMEOUT;
  connection.undoState &= ~(FRTO_WAITING | FRTO_SENDING | FRTO_SENT);
  if (connection.optionBytes != 0) return;
  if (again ? waited : !repeated) connection.undoState |= FRTO_WAITING;
}

/** SND.UNA is about to move to SEG.ACK: its echo tells what it answers (RFC 3522 section 3.2). */
export function judgeEcho(connection: Connection): void {
  if ((connection.undoState & UNDO_ECHO) == 0) return;
  connection.undoState &= ~UNDO_ECHO;
  if (before(segmentEcho, connection.undoPoint)) undoRecovery(connection);
}

/** `bytes` have been sent again. */
export function noteRepeated(connection: Connection, bytes: u32): void {
  if ((connection.undoState & UNDO_WATCHED) != 0) connection.repeatedBytes += bytes;
}

/** The peer has told of a duplicate of what was sent before the recovery (RFC 3708 section 3). */
export function noteReturned(connection: Connection, left: u32, right: u32): void {
  const repeated = connection.repeatedBytes;
  if ((connection.undoState & UNDO_WATCHED) == 0 || repeated == 0) return;
  if (before(left, connection.undoUna) || after(right, connection.recover)) return;
  connection.repeatedBytes = repeated - min(repeated, right - left);
  if (connection.repeatedBytes == 0) undoRecovery(connection);
}

/** Nothing was lost: goes on as if nothing had been repeated. */
export function undoRecovery(connection: Connection): void {
  const timedOut = (connection.undoState & UNDO_TIMEOUT) != 0;
  count(COUNTER_TCP_RECOVERIES_UNDONE);
  const cwndBefore = connection.cwnd;
  restoreWindow(connection);
  connection.undoState = 0;
  connection.repeatedBytes = 0;
  connection.duplicateAcks = 0;
  connection.clear(RECOVERY | PARTIAL_SEEN);
  unmarkLost(connection);
  // Blocks tell losses from duplicates, so what is lost after all may start a recovery of its own.
  if (usesSack(connection)) connection.recover = connection.sendUna - 1;
  if (timedOut) {
    count(COUNTER_TCP_SPURIOUS_TIMEOUTS);
    goForward(connection);
    allowLateness(connection, echoedUs(connection));
    limitBurst(connection, cwndBefore);
  } else {
    reorderingSeen(connection);
  }
  makeReady(connection);
  // While SND.NXT stood at SND.UNA no timer may have run.
  if (connection.flight == 0 || connection.has(PERSIST)) return;
  armLossTimer(connection);
  awaitReordering(connection);
}

/**
 * RFC 4015 section 3.2, step 5: what is in flight and an initial window; slow start brings the rest.
 * Otherwise the acknowledgment of everything would send a whole window at once.
 */
function limitBurst(connection: Connection, cwndBefore: u32): void {
  const limit = max(cwndBefore, connection.flight + initialWindow(connection));
  if (connection.cwnd <= limit) return;
  connection.ssthresh = max(connection.ssthresh, connection.cwnd);
  connection.cwnd = limit;
}

/** What the acknowledgment being processed has taken by its echo, in µs; 0 without timestamps. */
function echoedUs(connection: Connection): u32 {
  if (connection.optionBytes == 0) return 0;
  return 1000 * min(timestampNow(connection) - segmentEcho, RTO_MAX_US / 1000);
}
