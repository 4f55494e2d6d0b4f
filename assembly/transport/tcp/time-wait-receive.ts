/** Segments to a connection in TIME_WAIT. */
import { COUNTER_DROP_TCP_UNACCEPTABLE } from "../../layout";
import { count } from "../../counters";
import { Tcp } from "../../wire/tcp";
import { discard } from "./close";
import { Connection, TIMESTAMPS } from "./connection";
import { acknowledgeNow } from "./delayed-ack";
import { startAnywhere, startBeyond } from "./handshake";
import { readTimestamps, segmentTimestamp } from "./options";
import { withoutConnection } from "./receive";
import { challenge } from "./reset";
import { segmentFlags, segmentLength, segmentSequence } from "./segment";
import { after } from "./sequence";
import { offeredOptions } from "./settings";
import { enterTimeWait } from "./time-wait";

export function timeWaitReceive(connection: Connection): void {
  // RFC 1337: a reset must not end the quiet time.
  if ((segmentFlags & Tcp.RST) != 0) {
    count(COUNTER_DROP_TCP_UNACCEPTABLE);
    return;
  }
  const opens = (segmentFlags & (Tcp.SYN | Tcp.ACK)) == Tcp.SYN;
  if (opens && connection.queue === null && isNewIncarnation(connection)) {
    const end = connection.sendMax;
    discard(connection);
    startBeyond(end);
    withoutConnection();
    startAnywhere();
    return;
  }
  if ((segmentFlags & Tcp.FIN) != 0) {
    // The peer lacks our last acknowledgment: it gets it, and 2 MSL start anew.
    enterTimeWait(connection);
    acknowledgeNow(connection);
    return;
  }
  if (segmentLength() != 0) acknowledgeNow(connection);
  else if (segmentSequence != connection.receiveNext) challenge(connection);
}

/**
 * A SYN opens a new connection when its timestamp is later than all of the old connection, or when
 * only the new one has timestamps, so that old segments cannot be taken for its own (RFC 6191 section
 * 2); else when its number lies beyond all we have received (RFC 9293 section 3.6.1, MAY-2).
 */
function isNewIncarnation(connection: Connection): bool {
  if ((offeredOptions() & TIMESTAMPS) != 0 && readTimestamps()) {
    if (connection.optionBytes == 0) return true;
    const recent = connection.timestampRecent;
    if (segmentTimestamp != recent) return after(segmentTimestamp, recent);
  }
  return after(segmentSequence, connection.receiveNext);
}
