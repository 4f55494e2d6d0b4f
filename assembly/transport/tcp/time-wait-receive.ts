/** Segments to a connection in TIME_WAIT. */
import { COUNTER_DROP_TCP_UNACCEPTABLE } from "../../layout";
import { count } from "../../counters";
import { Tcp } from "../../wire/tcp";
import { discard } from "./close";
import { Connection } from "./connection";
import { acknowledgeNow } from "./delayed-ack";
import { startAnywhere, startBeyond } from "./handshake";
import { withoutConnection } from "./receive";
import { challenge } from "./reset";
import { segmentFlags, segmentLength, segmentSequence } from "./segment";
import { after } from "./sequence";
import { enterTimeWait } from "./time-wait";

export function timeWaitReceive(connection: Connection): void {
  // RFC 1337: a reset must not end the quiet time.
  if ((segmentFlags & Tcp.RST) != 0) {
    count(COUNTER_DROP_TCP_UNACCEPTABLE);
    return;
  }
  // RFC 9293 section 3.6.1 (MAY-2): a SYN beyond all we have received opens a new connection.
  const opens = (segmentFlags & (Tcp.SYN | Tcp.ACK)) == Tcp.SYN;
  if (opens && after(segmentSequence, connection.receiveNext) && connection.queue === null) {
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
