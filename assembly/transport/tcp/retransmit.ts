/** Sending again what is at SND.UNA. */
import { COUNTER_TCP_RETRANSMISSIONS } from "../../layout";
import { count } from "../../counters";
import { Tcp } from "../../wire/tcp";
import { Connection, FIN_QUEUED } from "./connection";
import { spoilSample } from "./rtt";
import { segmentReach, transmitSegment } from "./transmit";

/** Counts a segment that is sent again, of the whole stack and of its connection. */
export function countRetransmission(connection: Connection): void {
  count(COUNTER_TCP_RETRANSMISSIONS);
  connection.retransmissions++;
}

/**
 * Retransmits one segment from SND.UNA without moving SND.NXT. A full device ring only delays it:
 * the timer repeats it.
 */
export function retransmitFirst(connection: Connection): void {
  const una = connection.sendUna;
  const outstanding = connection.sendMax - una;
  if (outstanding == 0) return;
  spoilSample(connection);
  const data = connection.sendEnd - una;
  const whole = <i32>data > 0 ? min(min(data, outstanding), <u32>connection.mss) : 0;
  const bytes = segmentReach(connection, una, whole);
  let flags = Tcp.ACK;
  if (bytes != 0 && una + bytes == connection.sendEnd) flags |= Tcp.PSH;
  const finSent = connection.has(FIN_QUEUED) && connection.sendMax - connection.sendEnd == 1;
  if (finSent && una + bytes == connection.sendEnd) flags |= Tcp.FIN;
  countRetransmission(connection);
  transmitSegment(connection, una, bytes, flags);
}
