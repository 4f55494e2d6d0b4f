/** UDP reception (RFC 768, RFC 1122 section 4.1): header, checksum, the socket. */
import {
  CAPABILITY_PARTIAL_RECEIVE,
  COUNTER_DROP_UDP_CHECKSUM,
  COUNTER_DROP_UDP_HEADER,
  COUNTER_DROP_UDP_NO_SOCKET,
  COUNTER_UDP_DATAGRAMS_RECEIVED,
} from "../../layout";
import { count } from "../../counters";
import { FRAME_CHECKSUM_PARTIAL, FRAME_CHECKSUM_VERIFIED } from "../../link/device";
import { Interface } from "../../link/interface";
import { trimBack, trimFront } from "../../memory/chain";
import { sumChain } from "../../memory/chain-checksum";
import { Frame, release } from "../../memory/frame";
import { icmpSendError } from "../../network/icmp";
import { fold, pseudoHeaderSum } from "../../wire/checksum";
import { Icmpv4 } from "../../wire/icmpv4";
import { Ipv4 } from "../../wire/ipv4";
import { Udp } from "../../wire/udp";
import { DatagramSocket, deliver, findSocket } from "./socket";

/** Receives a packet that begins with an IP header of `ipLength` bytes; owns it. */
export function udpReceive(nic: Interface, packet: Frame, ipLength: u32): void {
  const ip = packet.data;
  const at = ip + ipLength;
  if (!isWellFormed(packet, at, ipLength)) {
    drop(packet, COUNTER_DROP_UDP_HEADER);
    return;
  }
  if (!isChecksumRight(nic, packet, at, ipLength)) {
    drop(packet, COUNTER_DROP_UDP_CHECKSUM);
    return;
  }
  const address = Ipv4.source(ip);
  const port = Udp.sourcePort(at);
  const socket = findReceiver(Ipv4.destination(ip), Udp.destinationPort(at), address, port);
  if (socket === null) {
    // RFC 1122 section 4.1.3.1.
    icmpSendError(packet, Icmpv4.TYPE_UNREACHABLE, Icmpv4.CODE_PORT_UNREACHABLE);
    drop(packet, COUNTER_DROP_UDP_NO_SOCKET);
    return;
  }
  count(COUNTER_UDP_DATAGRAMS_RECEIVED);
  deliver(socket, trimFront(packet, ipLength + Udp.HEADER_LENGTH), address, port);
}

/** Checks the length field and cuts off what lies behind the datagram. */
function isWellFormed(packet: Frame, at: usize, ipLength: u32): bool {
  if (<u32>packet.length < ipLength + Udp.HEADER_LENGTH) return false;
  const length = Udp.length(at);
  if (length < Udp.HEADER_LENGTH || length > packet.total - ipLength) return false;
  if (Udp.destinationPort(at) == 0) return false;
  trimBack(packet, ipLength + length);
  return true;
}

/** A checksum of zero is none; a peer on this host may have left the sum to its device. */
function isChecksumRight(nic: Interface, packet: Frame, at: usize, ipLength: u32): bool {
  if ((packet.flags & (FRAME_CHECKSUM_VERIFIED | FRAME_CHECKSUM_PARTIAL)) != 0) return true;
  const checksum = Udp.checksum(at);
  if (checksum == 0) return true;
  const ip = packet.data;
  const length = packet.total - ipLength;
  const pseudo = pseudoHeaderSum(Ipv4.source(ip), Ipv4.destination(ip), Ipv4.PROTOCOL_UDP, length);
  if (fold(<u64>pseudo + sumChain(packet, ipLength, length)) == 0xffff) return true;
  return nic.has(CAPABILITY_PARTIAL_RECEIVE) && checksum == pseudo;
}

/** The socket of a datagram: on its port and address, and of this remote if it is connected. */
function findReceiver(local: u32, localPort: u32, remote: u32, port: u32): DatagramSocket | null {
  const socket = findSocket(local, localPort);
  if (socket === null || !socket.isConnected) return socket;
  return socket.remote == remote && socket.remotePort == port ? socket : null;
}

function drop(packet: Frame, counter: u32): void {
  count(counter);
  release(packet);
}
