/** LISTEN (RFC 9293 section 3.10.7.2): SYNs become half-open connections, within the backlog. */
import { COUNTER_DROP_TCP_BACKLOG_FULL, COUNTER_DROP_TCP_NO_LISTENER } from "../../layout";
import { count } from "../../counters";
import { tickAfter } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Tcp } from "../../wire/tcp";
import { enterSynReceived, takeChild } from "./child";
import { Connection } from "./connection";
import { answerWithCookie, openByCookie, wantsCookie } from "./cookie-handshake";
import { considerFastOpen } from "./fast-open-server";
import { agree, hasPredecessor, prepareHandshake, sendSynAgain } from "./handshake";
import { parseOptions } from "./options";
import { rejectSegment } from "./reset";
import { timeoutUs } from "./rtt";
import { segmentFlags, segmentLocal, segmentNic, segmentPorts, segmentSequence } from "./segment";

export function listenReceive(listener: Connection): void {
  // First RST, then ACK, then SYN; anything else is dropped: SYN with FIN is no open,
  // nobody can be answered at port 0.
  if ((segmentFlags & Tcp.RST) != 0) return;
  if ((segmentFlags & Tcp.ACK) != 0) {
    if (!openByCookie(listener)) rejectSegment();
    return;
  }
  const opens = (segmentFlags & (Tcp.SYN | Tcp.FIN)) == Tcp.SYN && (segmentPorts & 0xffff) != 0;
  if (!opens || segmentLocal != segmentNic.address) {
    count(COUNTER_DROP_TCP_NO_LISTENER);
    return;
  }
  const full = <u32>listener.halfOpen + <u32>listener.acceptable >= <u32>listener.backlog;
  // A cookie helps against half-open connections; where nobody accepts the established ones, it
  // would only promise what is not kept.
  const accepts = listener.acceptable < listener.backlog;
  if (accepts && wantsCookie(full)) answerWithCookie(listener);
  else if (full && !(accepts && hasPredecessor)) count(COUNTER_DROP_TCP_BACKLOG_FULL);
  else openPassive(listener);
}

function openPassive(listener: Connection): void {
  const connection = takeChild(listener);
  if (connection === null) return;
  prepareHandshake(connection);
  parseOptions();
  agree(connection);
  // Section 3.10.7.2 queues text in the SYN; without Fast Open it is not acknowledged but sent again.
  enterSynReceived(connection, listener, segmentSequence);
  considerFastOpen(connection, listener);
  sendSynAgain(connection);
  armTimer(connection.timer, tickAfter(timeoutUs(connection)));
}
