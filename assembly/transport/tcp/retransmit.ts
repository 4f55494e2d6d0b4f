/** Sending again what is at SND.UNA. */
import { COUNTER_TCP_RETRANSMISSIONS } from "../../layout";
import { count } from "../../counters";
import { Tcp } from "../../wire/tcp";
import { Connection, FIN_QUEUED } from "./connection";
import { spoilSample } from "./rtt";
import { markSpoilt } from "./send-frame";
import { after } from "./sequence";
import { segmentReach, transmitSegment } from "./transmit";
import { noteRepeated } from "./undo";

/** Counts a segment of `bytes` that is sent again, of the whole stack and of its connection. */
export function countRetransmission(connection: Connection, bytes: u32): void {
  count(COUNTER_TCP_RETRANSMISSIONS);
  connection.retransmissions++;
  noteRepeated(connection, bytes);
}

/** SND.NXT becomes SND.UNA: everything goes again, as cwnd allows. */
export function goBack(connection: Connection): void {
  connection.sendNext = connection.sendUna;
  connection.sendPoint = connection.sendHead;
}

/** SND.NXT becomes SND.MAX: nothing that was sent before goes again (RFC 4015 section 3.2, step 4). */
export function goForward(connection: Connection): void {
  const next = connection.sendMax;
  connection.sendNext = next;
  let frame = connection.sendHead;
  while (frame !== null && !after(frame.sequence + frame.length, next)) frame = frame.next;
  connection.sendPoint = frame;
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
  markSpoilt(connection, una, bytes);
  let flags = Tcp.ACK;
  if (bytes != 0 && una + bytes == connection.sendEnd) flags |= Tcp.PSH;
  const finSent = connection.has(FIN_QUEUED) && connection.sendMax - connection.sendEnd == 1;
  if (finSent && una + bytes == connection.sendEnd) flags |= Tcp.FIN;
  countRetransmission(connection, bytes);
  transmitSegment(connection, una, bytes, flags);
}
