/** The module does not compile when a place that layout.ts or record.ts tells observers has moved. */
import { CONNECTION_SIZE } from "../../layout";
import { Connection } from "./connection";
import * as record from "./record";

// Whole cache lines.
if (offsetof<Connection>() > CONNECTION_SIZE) ERROR("Connection outgrew layout.ts");
if (CONNECTION_SIZE % 64 != 0) ERROR("Connection records share cache lines");
if (offsetof<Connection>("ports") != record.CONNECTION_PORTS) ERROR("record.ts: ports");
if (offsetof<Connection>("state") != record.CONNECTION_STATE) ERROR("record.ts: state");
if (offsetof<Connection>("duplicateAcks") != record.CONNECTION_DUPLICATE_ACKS)
  ERROR("record.ts: duplicateAcks");
if (offsetof<Connection>("flags") != record.CONNECTION_FLAGS) ERROR("record.ts: flags");
if (offsetof<Connection>("local") != record.CONNECTION_LOCAL) ERROR("record.ts: local");
if (offsetof<Connection>("remote") != record.CONNECTION_REMOTE) ERROR("record.ts: remote");
if (offsetof<Connection>("receiveNext") != record.CONNECTION_RECEIVE_NEXT)
  ERROR("record.ts: receiveNext");
if (offsetof<Connection>("receiveEdge") != record.CONNECTION_RECEIVE_EDGE)
  ERROR("record.ts: receiveEdge");
if (offsetof<Connection>("sendUna") != record.CONNECTION_SEND_UNA) ERROR("record.ts: sendUna");
if (offsetof<Connection>("sendNext") != record.CONNECTION_SEND_NEXT) ERROR("record.ts: sendNext");
if (offsetof<Connection>("sendMax") != record.CONNECTION_SEND_MAX) ERROR("record.ts: sendMax");
if (offsetof<Connection>("sendWindow") != record.CONNECTION_SEND_WINDOW)
  ERROR("record.ts: sendWindow");
if (offsetof<Connection>("cwnd") != record.CONNECTION_CWND) ERROR("record.ts: cwnd");
if (offsetof<Connection>("ssthresh") != record.CONNECTION_SSTHRESH) ERROR("record.ts: ssthresh");
if (offsetof<Connection>("mss") != record.CONNECTION_MSS) ERROR("record.ts: mss");
if (offsetof<Connection>("sendScale") != record.CONNECTION_SEND_SCALE)
  ERROR("record.ts: sendScale");
if (offsetof<Connection>("receiveScale") != record.CONNECTION_RECEIVE_SCALE)
  ERROR("record.ts: receiveScale");
if (offsetof<Connection>("sendHead") != record.CONNECTION_SEND_HEAD) ERROR("record.ts: sendHead");
if (offsetof<Connection>("sendEnd") != record.CONNECTION_SEND_END) ERROR("record.ts: sendEnd");
if (offsetof<Connection>("queue") != record.CONNECTION_QUEUE) ERROR("record.ts: queue");
if (offsetof<Connection>("receiveHead") != record.CONNECTION_RECEIVE_HEAD)
  ERROR("record.ts: receiveHead");
if (offsetof<Connection>("receiveQueued") != record.CONNECTION_RECEIVE_QUEUED)
  ERROR("record.ts: receiveQueued");
if (offsetof<Connection>("receiveBuffer") != record.CONNECTION_RECEIVE_BUFFER)
  ERROR("record.ts: receiveBuffer");
if (offsetof<Connection>("sendBuffer") != record.CONNECTION_SEND_BUFFER)
  ERROR("record.ts: sendBuffer");
if (offsetof<Connection>("reassemblyHead") != record.CONNECTION_REASSEMBLY_HEAD)
  ERROR("record.ts: reassemblyHead");
if (offsetof<Connection>("reassemblyCount") != record.CONNECTION_REASSEMBLY_COUNT)
  ERROR("record.ts: reassemblyCount");
if (offsetof<Connection>("srtt") != record.CONNECTION_SRTT) ERROR("record.ts: srtt");
if (offsetof<Connection>("rttvar") != record.CONNECTION_RTTVAR) ERROR("record.ts: rttvar");
if (offsetof<Connection>("rto") != record.CONNECTION_RTO) ERROR("record.ts: rto");
if (offsetof<Connection>("recover") != record.CONNECTION_RECOVER) ERROR("record.ts: recover");
if (offsetof<Connection>("backoff") != record.CONNECTION_BACKOFF) ERROR("record.ts: backoff");
if (offsetof<Connection>("retries") != record.CONNECTION_RETRIES) ERROR("record.ts: retries");
if (offsetof<Connection>("ackBytes") != record.CONNECTION_ACK_BYTES) ERROR("record.ts: ackBytes");
if (offsetof<Connection>("listener") != record.CONNECTION_LISTENER) ERROR("record.ts: listener");
if (offsetof<Connection>("initialSend") != record.CONNECTION_INITIAL_SEND)
  ERROR("record.ts: initialSend");
if (offsetof<Connection>("initialReceive") != record.CONNECTION_INITIAL_RECEIVE)
  ERROR("record.ts: initialReceive");
if (offsetof<Connection>("windowMax") != record.CONNECTION_WINDOW_MAX)
  ERROR("record.ts: windowMax");
if (offsetof<Connection>("error") != record.CONNECTION_ERROR) ERROR("record.ts: error");
if (offsetof<Connection>("backlog") != record.CONNECTION_BACKLOG) ERROR("record.ts: backlog");
if (offsetof<Connection>("halfOpen") != record.CONNECTION_HALF_OPEN) ERROR("record.ts: halfOpen");
if (offsetof<Connection>("acceptable") != record.CONNECTION_ACCEPTABLE)
  ERROR("record.ts: acceptable");
if (offsetof<Connection>("ecnState") != record.CONNECTION_ECN_STATE) ERROR("record.ts: ecnState");
if (offsetof<Connection>("agreed") != record.CONNECTION_AGREED) ERROR("record.ts: agreed");
if (offsetof<Connection>("fastOpen") != record.CONNECTION_FAST_OPEN) ERROR("record.ts: fastOpen");
if (offsetof<Connection>("fastOpenBytes") != record.CONNECTION_FAST_OPEN_BYTES)
  ERROR("record.ts: fastOpenBytes");
if (offsetof<Connection>("sackedBytes") != record.CONNECTION_SACKED_BYTES)
  ERROR("record.ts: sackedBytes");
if (offsetof<Connection>("lostBytes") != record.CONNECTION_LOST_BYTES)
  ERROR("record.ts: lostBytes");
if (offsetof<Connection>("timerDeadline") != record.CONNECTION_TIMER_DEADLINE)
  ERROR("record.ts: timer");
if (offsetof<Connection>("ackTimerDeadline") != record.CONNECTION_ACK_TIMER_DEADLINE) {
  ERROR("record.ts: ackTimer");
}
if (offsetof<Connection>("choices") != record.CONNECTION_CHOICES) ERROR("record.ts: choices");
if (offsetof<Connection>("mssMax") != record.CONNECTION_MSS_MAX) ERROR("record.ts: mssMax");
if (offsetof<Connection>("unsentMax") != record.CONNECTION_UNSENT_MAX)
  ERROR("record.ts: unsentMax");
if (offsetof<Connection>("receivedTick") != record.CONNECTION_RECEIVED_TICK)
  ERROR("record.ts: receivedTick");
if (offsetof<Connection>("sendWraps") != record.CONNECTION_SEND_WRAPS)
  ERROR("record.ts: sendWraps");
if (offsetof<Connection>("receiveWraps") != record.CONNECTION_RECEIVE_WRAPS)
  ERROR("record.ts: receiveWraps");
if (offsetof<Connection>("backlog") != record.CONNECTION_MIN_RTT) ERROR("record.ts: minRtt");
if (offsetof<Connection>("fastOpenRequests") != record.CONNECTION_DELIVERY_RATE)
  ERROR("record.ts: deliveryRate");
if (offsetof<Connection>("lastSentTick") != record.CONNECTION_LAST_SENT_TICK)
  ERROR("record.ts: lastSentTick");
if (offsetof<Connection>("heardTick") != record.CONNECTION_HEARD_TICK)
  ERROR("record.ts: heardTick");
if (offsetof<Connection>("undoState") != record.CONNECTION_UNDO_STATE)
  ERROR("record.ts: undoState");
