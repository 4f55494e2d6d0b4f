/** Where TCP segments arrive: checks, demultiplexing, header prediction, dispatch by state. */
import {
  CAPABILITY_PARTIAL_RECEIVE,
  COUNTER_DROP_TCP_CHECKSUM,
  COUNTER_DROP_TCP_HEADER,
  COUNTER_DROP_TCP_LAND,
  COUNTER_TCP_SEGMENTS_RECEIVED,
} from "../../layout";
import { count } from "../../counters";
import { FRAME_CHECKSUM_PARTIAL, FRAME_CHECKSUM_VERIFIED } from "../../link/device";
import { Interface } from "../../link/interface";
import { sumChain } from "../../memory/chain-checksum";
import { Frame, release } from "../../memory/frame";
import { fold, pseudoHeaderWords, sumWords } from "../../wire/checksum";
import { Ipv4 } from "../../wire/ipv4";
import { Tcp } from "../../wire/tcp";
import { acknowledgePredicted } from "./acknowledge";
import { CLOSED, Connection, ECN, ESTABLISHED, LISTEN, SYN_SENT, TIME_WAIT } from "./connection";
import { deliver } from "./deliver";
import { noteCodepoint } from "./ecn";
import { listenReceive } from "./listen";
import { rejectSegment } from "./reset";
import {
  dropSegment,
  readSegment,
  segmentAcknowledgment,
  segmentBytes,
  segmentFlags,
  segmentLocal,
  segmentPorts,
  segmentRemote,
  segmentSequence,
  takePayload,
} from "./segment";
import { synSentReceive } from "./syn-sent";
import { synchronisedReceive } from "./synchronised";
import { findConnection, findListener } from "./table";
import { timeWaitReceive } from "./time-wait-receive";
import { isTimestampExpected } from "./timestamp";

/** Flags that keep a segment off the fast path; PSH and the ECN bits do not. */
const UNUSUAL: u32 = Tcp.SYN | Tcp.FIN | Tcp.RST | Tcp.URG;

/** Receives a packet that begins with an IP header of `ipLength` bytes; owns it. */
export function tcpReceive(nic: Interface, packet: Frame, ipLength: u32): void {
  count(COUNTER_TCP_SEGMENTS_RECEIVED);
  if (!isWellFormed(nic, packet, ipLength)) {
    release(packet);
    return;
  }
  readSegment(nic, packet, ipLength);
  const connection = findConnection(segmentLocal, segmentRemote, segmentPorts);
  if (connection === null) withoutConnection();
  else if (!predicted(connection)) dispatch(connection);
  dropSegment();
}

function isWellFormed(nic: Interface, packet: Frame, ipLength: u32): bool {
  const held: u32 = packet.length;
  if (held < ipLength + Tcp.HEADER_LENGTH) {
    count(COUNTER_DROP_TCP_HEADER);
    return false;
  }
  const ip = packet.data;
  const headerLength = Tcp.headerLength(ip + ipLength);
  if (headerLength < Tcp.HEADER_LENGTH || ipLength + headerLength > held) {
    count(COUNTER_DROP_TCP_HEADER);
    return false;
  }
  if ((packet.flags & (FRAME_CHECKSUM_VERIFIED | FRAME_CHECKSUM_PARTIAL)) != 0) return true;
  if (isChecksumRight(nic, packet, ip, ipLength)) return true;
  count(COUNTER_DROP_TCP_CHECKSUM);
  return false;
}

/** RFC 9293 section 3.1, MUST-3. A peer on this host may have left the sum to its device. */
function isChecksumRight(nic: Interface, packet: Frame, ip: usize, ipLength: u32): bool {
  const length = packet.total - ipLength;
  const source = Ipv4.source(ip);
  const pseudo = pseudoHeaderWords(source, Ipv4.destination(ip), Ipv4.PROTOCOL_TCP, length);
  const text =
    packet.next === null
      ? sumWords(ip + ipLength, length)
      : <u64>sumChain(packet, ipLength, length);
  if (fold(pseudo + text) == 0xffff) return true;
  return nic.has(CAPABILITY_PARTIAL_RECEIVE) && Tcp.checksum(ip + ipLength) == fold(pseudo);
}

/**
 * Header prediction: an established connection, the next segment in order, nothing unusual. Returns
 * false, having done nothing, when the long way is needed.
 */
function predicted(connection: Connection): bool {
  if (
    connection.state != ESTABLISHED ||
    segmentSequence != connection.receiveNext ||
    (segmentFlags & (UNUSUAL | Tcp.ACK)) != Tcp.ACK ||
    segmentBytes > connection.receiveEdge - segmentSequence ||
    connection.reassemblyHead !== null ||
    segmentAcknowledgment - connection.sendUna > connection.sendMax - connection.sendUna
  ) {
    return false;
  }
  if (connection.optionBytes != 0 && !isTimestampExpected(connection)) return false;
  acknowledgePredicted(connection);
  if (segmentBytes == 0) return true;
  if ((connection.agreed & ECN) != 0) noteCodepoint(connection);
  deliver(connection, takePayload());
  return true;
}

function dispatch(connection: Connection): void {
  switch (connection.state) {
    case SYN_SENT:
      synSentReceive(connection);
      break;
    case TIME_WAIT:
      timeWaitReceive(connection);
      break;
    case CLOSED:
      rejectSegment();
      break;
    default:
      synchronisedReceive(connection);
  }
}

/** No connection has this 4-tuple: a listener's SYN, or something that never was one of ours. */
export function withoutConnection(): void {
  // LAND: a segment that claims to come from its own destination would answer itself.
  if (segmentRemote == segmentLocal && segmentPorts == rotl<u32>(segmentPorts, 16)) {
    count(COUNTER_DROP_TCP_LAND);
    return;
  }
  const listener = findListener(segmentLocal, segmentPorts >> 16);
  if (listener !== null && listener.state == LISTEN) listenReceive(listener);
  else rejectSegment();
}
