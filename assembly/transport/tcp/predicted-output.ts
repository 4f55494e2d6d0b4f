/**
 * Output prediction, the counterpart of header prediction: an established connection without anything
 * unusual sends frames that are segments as they are. What is not foreseen here is left to output.ts,
 * which could do all of it and from which nothing here may differ.
 */
import { CAPABILITY_SEGMENTATION } from "../../layout";
import { nowUs } from "../../time/clock";
import { Tcp } from "../../wire/tcp";
import {
  ACK_NOW,
  Connection,
  CORKED,
  DELAYING,
  ECN,
  ESTABLISHED,
  FIN_QUEUED,
  FRTO_SENDING,
  MORE_COMES,
  NO_DELAY,
  PACED,
  PERSIST,
  PUSHING,
  RECORDS,
  RECOVERY,
  RTT_TIMING,
  UNFINISHED,
} from "./connection";
import { noteSent, resumeSending } from "./controller";
import { armAfterOutput, startTiming } from "./output";
import { noteAnswer } from "./quick-ack";
import { hasDuplicate } from "./sack";
import { isHeadroomFree, resolvedNeighbour, transmitInPlace } from "./transmit";

const UNUSUAL: u16 = FIN_QUEUED | PERSIST | RECOVERY;
const CHOSEN: u16 = CORKED | PUSHING | MORE_COMES | UNFINISHED | PACED | RECORDS;

/** True when all that is queued has left, false when the rest, maybe everything, is output.ts's. */
export function predictedOutput(connection: Connection): bool {
  if (connection.state != ESTABLISHED || (connection.flags & UNUSUAL) != 0) return false;
  if ((connection.choices & CHOSEN) != 0 || (connection.agreed & ECN) != 0) return false;
  if ((connection.undoState & FRTO_SENDING) != 0) return false;
  if (connection.duplicateAcks != 0 || connection.unsentMax != 0) return false;
  const start = connection.sendNext;
  const end = connection.sendEnd;
  if (start == end || start != connection.sendMax) return false;
  const mss: u32 = connection.mss;
  const nic = connection.nic;
  if (end - start > mss && nic.has(CAPABILITY_SEGMENTATION)) return false;
  if (connection.has(ACK_NOW) && hasDuplicate(connection)) return false;
  const neighbour = resolvedNeighbour(connection);
  if (neighbour === null) return false;

  const una = connection.sendUna;
  if (start == una) resumeSending(connection);
  const edge = una + min(connection.sendWindow, connection.cwnd);
  let frame = connection.sendPoint;
  // The one before it was sent last.
  if (frame !== null && frame.sequence != start) frame = frame.next;
  let sequence = start;
  while (frame !== null && sequence == frame.sequence) {
    const bytes: u32 = frame.length;
    const next = sequence + bytes;
    if (bytes > mss || <i32>(edge - next) < 0) break;
    if (bytes < mss && (next != end || (sequence != una && !connection.has(NO_DELAY)))) break;
    if (!isHeadroomFree(connection, frame) || nic.tx.room() == 0) break;
    frame.total = <u32>nowUs;
    frame.detail = <u32>nowUs;
    const flags = next == end ? Tcp.ACK | Tcp.PSH : Tcp.ACK;
    transmitInPlace(connection, neighbour, frame, sequence, bytes, flags);
    if (!connection.has(RTT_TIMING)) startTiming(connection, next, bytes);
    connection.sendPoint = frame;
    sequence = next;
    frame = frame.next;
  }
  if (sequence == start) return false;
  connection.sendNext = sequence;
  connection.sendMax = sequence;
  noteSent(connection);
  if (!connection.chose(DELAYING)) noteAnswer(connection);
  armAfterOutput(connection, start);
  return sequence == end;
}
