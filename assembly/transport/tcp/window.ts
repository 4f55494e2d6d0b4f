/** The receive window (RFC 9293 section 3.8.6): what is announced, and when reading moves it. */
import { framesFree, framesTotal } from "../../memory/frame";
import { ACK_NOW, Connection, ESTABLISHED, FIN_RECEIVED } from "./connection";
import { makeReady } from "./ready";
import { laterOf } from "./sequence";

const FIELD_MAX: u32 = 65535;

/**
 * The value for the window field of a segment that leaves now; remembers the right edge it promises.
 * The edge never moves left (SHLD-14); it moves right by a worthwhile step only (section 3.8.6.2.2).
 */
export function announceWindow(connection: Connection): u32 {
  const scale = connection.receiveScale;
  const largest = FIELD_MAX << scale;
  const window = min(openEdge(connection) - connection.receiveNext, largest);
  connection.receiveEdge = laterOf(connection.receiveEdge, connection.receiveNext + window);
  // Rounding down may show the edge less than a unit further left, as RFC 7323 section 2.4 allows;
  // rounding up would move it right with every byte received, and the window would never close.
  return window >> scale;
}

/** The right edge to announce: the old one, or a new one when the step is worthwhile. */
function openEdge(connection: Connection): u32 {
  const edge = connection.receiveEdge;
  const free =
    connection.receiveBuffer > connection.receiveQueued
      ? connection.receiveBuffer - connection.receiveQueued
      : 0;
  const wanted = connection.receiveNext + free;
  const step = wanted - edge;
  if (<i32>step <= 0) return edge;
  if (step < min(<u32>connection.mss, connection.receiveBuffer >> 1)) return edge;
  // While the pool is nearly empty nobody is promised more of it.
  if (framesFree() < framesTotal() >> 3) return edge;
  return wanted;
}

/**
 * The application has taken bytes: announces the room when it is worth a segment of its own, two
 * full segments or half the buffer.
 */
export function windowMayHaveOpened(connection: Connection): void {
  if (connection.state < ESTABLISHED || connection.has(FIN_RECEIVED)) return;
  const free =
    connection.receiveBuffer > connection.receiveQueued
      ? connection.receiveBuffer - connection.receiveQueued
      : 0;
  const step = connection.receiveNext + free - connection.receiveEdge;
  if (<i32>step <= 0) return;
  const announced = connection.receiveEdge - connection.receiveNext;
  if (
    step >= connection.receiveBuffer >> 1 ||
    (announced < connection.receiveBuffer >> 1 && step >= 2 * <u32>connection.mss)
  ) {
    connection.set(ACK_NOW);
    makeReady(connection);
  }
}
