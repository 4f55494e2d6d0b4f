/** Who is told when a timer expires. A timer lies inside its owner's record; kinds say where. */
import { neighbourTimer } from "../link/neighbour";
import { reassemblyTimer } from "../network/reassembly";
import { connectionOfAckTimer, connectionOfTimer } from "../transport/tcp/connection-pool";
import { acknowledgeLate } from "../transport/tcp/delayed-ack";
import { tcpTimer } from "../transport/tcp/timeout";
import { Timer } from "./wheel";

export const TIMER_TCP: u8 = 1;
export const TIMER_TCP_ACK: u8 = 2;
export const TIMER_NEIGHBOUR: u8 = 3;
export const TIMER_REASSEMBLY: u8 = 4;
/** Whoever waits for it is on the ready list. */
export const TIMER_PACING: u8 = 5;

export function expire(timer: Timer): void {
  switch (timer.kind) {
    case TIMER_TCP:
      tcpTimer(connectionOfTimer(timer));
      break;
    case TIMER_TCP_ACK:
      acknowledgeLate(connectionOfAckTimer(timer));
      break;
    // Neighbours and reassembly sets hold their timer at the start of the record.
    case TIMER_NEIGHBOUR:
      neighbourTimer(changetype<usize>(timer));
      break;
    case TIMER_REASSEMBLY:
      reassemblyTimer(changetype<usize>(timer));
      break;
  }
}
