/**
 * The send buffer grows with the congestion window: what is in flight has to stay queued until it is
 * acknowledged, and as much again keeps the sender busy meanwhile.
 */
import { FRAME_SHIFT } from "../../layout";
import { framesTotal } from "../../memory/frame";
import { Connection, SEND_FIXED } from "./connection";
import { framesLeft } from "./pressure";
import { sendBufferMax } from "./settings";
import { isFirstSlowStart } from "./slow-start";

/** A round trip has ended; in the next one of slow start the window doubles. */
export function growSendBuffer(connection: Connection): void {
  if (connection.chose(SEND_FIXED)) return;
  const cwnd = connection.cwnd;
  const wanted: u32 = isFirstSlowStart(connection) ? 4 * cwnd : 2 * cwnd;
  if (wanted <= connection.sendBuffer) return;
  const largest = min(sendBufferMax(), (framesTotal() << FRAME_SHIFT) >> 2);
  const bytes = min<u32>(wanted, largest);
  if (bytes <= connection.sendBuffer || framesLeft(connection) < framesTotal() >> 1) return;
  connection.sendBuffer = bytes;
}
