/** LISTEN (RFC 9293 section 3.10.7.2): SYNs become half-open connections, within the backlog. */
import { COUNTER_DROP_TCP_BACKLOG_FULL, COUNTER_DROP_TCP_NO_LISTENER } from "../../layout";
import { count } from "../../counters";
import { tickAfter } from "../../time/clock";
import { armTimer } from "../../time/wheel";
import { Tcp } from "../../wire/tcp";
import { Connection, NO_DELAY, returnConnection, SYN_RECEIVED, takeConnection } from "./connection";
import { agree, prepareHandshake, routeConnection, sendSynAgain } from "./handshake";
import { parseSynOptions } from "./options";
import { rejectSegment } from "./reset";
import { timeoutUs } from "./rtt";
import {
  segmentFlags,
  segmentLocal,
  segmentNic,
  segmentPorts,
  segmentRemote,
  segmentSequence,
  segmentWindow,
} from "./segment";
import { addConnection } from "./table";

export function listenReceive(listener: Connection): void {
  // First RST, then ACK, then SYN; anything else is dropped: SYN with FIN is no open,
  // nobody can be answered at port 0.
  if ((segmentFlags & Tcp.RST) != 0) return;
  if ((segmentFlags & Tcp.ACK) != 0) {
    rejectSegment();
    return;
  }
  const opens = (segmentFlags & (Tcp.SYN | Tcp.FIN)) == Tcp.SYN && (segmentPorts & 0xffff) != 0;
  if (!opens || segmentLocal != segmentNic.address) {
    count(COUNTER_DROP_TCP_NO_LISTENER);
    return;
  }
  if (<u32>listener.halfOpen + <u32>listener.acceptable >= <u32>listener.backlog) {
    count(COUNTER_DROP_TCP_BACKLOG_FULL);
    return;
  }
  openPassive(listener);
}

function openPassive(listener: Connection): void {
  const connection = takeConnection();
  if (connection === null) {
    count(COUNTER_DROP_TCP_BACKLOG_FULL);
    return;
  }
  connection.local = segmentLocal;
  connection.remote = segmentRemote;
  connection.ports = segmentPorts;
  connection.receiveBuffer = listener.receiveBuffer;
  connection.sendBuffer = listener.sendBuffer;
  connection.linger = listener.linger;
  connection.flags = listener.flags & NO_DELAY;
  if (!routeConnection(connection)) {
    returnConnection(connection);
    return;
  }
  prepareHandshake(connection);
  parseSynOptions();
  agree(connection);
  connection.initialReceive = segmentSequence;
  connection.receiveNext = segmentSequence + 1;
  // Nothing is announced before the SYN-ACK leaves.
  connection.receiveEdge = connection.receiveNext;
  // Section 3.10.7.2 queues text in the SYN; without Fast Open it is not acknowledged but sent again.
  connection.sendWindow = segmentWindow;
  connection.windowMax = segmentWindow;
  connection.sendWl1 = segmentSequence;
  connection.sendWl2 = connection.initialSend;
  connection.state = SYN_RECEIVED;
  connection.listener = listener;
  listener.halfOpen++;
  addConnection(connection);
  sendSynAgain(connection);
  armTimer(connection.timer, tickAfter(timeoutUs(connection)));
}
