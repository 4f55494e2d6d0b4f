/**
 * F-RTO (RFC 5682): after a timeout the first segment alone is sent again. When that is acknowledged,
 * new data asks whether the rest had arrived: whoever acknowledges what was not sent again had it from
 * before, so the timeout came too early. Timestamps tell sooner (undo.ts); this is for peers without.
 */
import { Connection, FRTO_SENDING, FRTO_SENT, FRTO_WAITING } from "./connection";
import { sendBeyond } from "./output";
import { makeReady } from "./ready";
import { goBack, goForward } from "./retransmit";
import { usesSack } from "./sack-recovery";
import { after, before } from "./sequence";
import { armLossTimer } from "./tail-probe";
import { undoRecovery } from "./undo";

/** Step 3a: segments that cwnd may hold when the loss was real. */
const LOSS_SEGMENTS: u32 = 3;

/**
 * An acknowledgment after a timeout has moved SND.UNA by `acknowledged`, or its blocks told of `fresh`
 * bytes, or it is a duplicate.
 */
export function frtoAcknowledged(
  connection: Connection,
  acknowledged: u32,
  fresh: u32,
  duplicate: bool,
): void {
  const state = connection.undoState;
  if ((state & FRTO_WAITING) != 0) {
    if (acknowledged != 0) ask(connection);
    else if (duplicate && !usesSack(connection)) connection.undoState &= ~FRTO_WAITING;
  } else if ((state & FRTO_SENT) != 0 && (acknowledged != 0 || fresh != 0 || duplicate)) {
    judge(connection, acknowledged != 0, fresh != 0);
  }
}

/** Step 2: the repetition is acknowledged, but not all; new data follows if there is any. */
function ask(connection: Connection): void {
  connection.undoState &= ~FRTO_WAITING;
  const next = connection.sendMax;
  if (!before(connection.sendUna, connection.recover)) return;
  if (!after(connection.sendEnd, next) || connection.sendWindow <= next - connection.sendUna)
    return;
  connection.undoState |= FRTO_SENDING;
  connection.undoPoint = next;
  goForward(connection);
  armLossTimer(connection);
  makeReady(connection);
}

/** Step 2b: two segments, whatever cwnd says. */
export function frtoSend(connection: Connection): void {
  connection.undoState = (connection.undoState & ~FRTO_SENDING) | FRTO_SENT;
  if (sendBeyond(connection)) sendBeyond(connection);
}

/** Step 3: what the next acknowledgment says of the data between SND.UNA and the new one. */
function judge(connection: Connection, advanced: bool, fresh: bool): void {
  connection.undoState &= ~FRTO_SENT;
  const point = connection.undoPoint;
  if (after(connection.sendUna, point)) return;
  if ((advanced || fresh) && !after(connection.highestSacked, point)) {
    undoRecovery(connection);
    return;
  }
  connection.cwnd = min(connection.cwnd, LOSS_SEGMENTS * <u32>connection.mss);
  goBack(connection);
  makeReady(connection);
}
