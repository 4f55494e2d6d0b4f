/** The peer's FIN (RFC 9293 section 3.10.7.4, eighth check). */
import { OPCODE_POP } from "../../layout";
import { complete } from "../../queue/completion";
import { takeWaiting } from "../../queue/queue";
import { isFinAcknowledged } from "./close";
import {
  CLOSE_WAIT,
  CLOSING,
  Connection,
  ESTABLISHED,
  FIN_RECEIVED,
  FIN_WAIT_1,
  FIN_WAIT_2,
} from "./connection";
import { acknowledgeNow } from "./delayed-ack";
import { enterTimeWait } from "./time-wait";

/** The FIN is next in order: every byte before it has been received. */
export function finReceived(connection: Connection): void {
  connection.receiveNext++;
  // The FIN needs no window; the edge stays at or beyond RCV.NXT.
  if (connection.receiveEdge - connection.receiveNext == u32.MAX_VALUE) connection.receiveEdge++;
  connection.set(FIN_RECEIVED);
  acknowledgeNow(connection);
  switch (connection.state) {
    case ESTABLISHED:
      connection.state = CLOSE_WAIT;
      break;
    case FIN_WAIT_1:
      connection.state = CLOSING;
      if (isFinAcknowledged(connection)) enterTimeWait(connection);
      break;
    case FIN_WAIT_2:
      enterTimeWait(connection);
      break;
  }
  endPops(connection);
}

/** Pops that wait find the end of the stream: data would have completed them before. */
export function endPops(connection: Connection): void {
  const queue = connection.queue;
  if (queue === null || connection.receiveQueued != 0) return;
  let token = takeWaiting(queue);
  while (token !== null) {
    complete(token, OPCODE_POP, null, 0, 0);
    token = takeWaiting(queue);
  }
}
