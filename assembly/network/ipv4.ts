/** IPv4 reception (RFC 791, RFC 1122 section 3.2.1): checks, options, reassembly, demultiplexing. */
import {
  COUNTER_DROP_IP_CHECKSUM,
  COUNTER_DROP_IP_HEADER,
  COUNTER_DROP_OTHER_ADDRESS,
  COUNTER_DROP_PROTOCOL,
  COUNTER_DROP_SOURCE_ADDRESS,
  COUNTER_DROP_TRUNCATED,
} from "../layout";
import { count } from "../counters";
import { FRAME_BROADCAST } from "../link/ethernet";
import { Interface } from "../link/interface";
import { trimBack } from "../memory/chain";
import { Frame, release } from "../memory/frame";
import { tcpReceive } from "../transport/tcp/receive";
import { udpReceive } from "../transport/udp/receive";
import { sumBytes, sumHeader } from "../wire/checksum";
import { Icmpv4 } from "../wire/icmpv4";
import { Ipv4 } from "../wire/ipv4";
import { icmpReceive, icmpSendError } from "./icmp";
import { reassemble } from "./reassembly";

/** Takes a packet that begins with an IP header; all headers must lie in its first frame. */
export function ipv4Receive(nic: Interface, packet: Frame): void {
  const wrong = checkHeader(packet);
  if (wrong != 0) {
    drop(packet, wrong);
    return;
  }
  const at = packet.data;
  const source = Ipv4.source(at);
  if (!Ipv4.isUnicast(source) || source == nic.address || source == nic.broadcast) {
    drop(packet, COUNTER_DROP_SOURCE_ADDRESS);
    return;
  }
  if (!isForUs(nic, packet, Ipv4.destination(at))) {
    drop(packet, COUNTER_DROP_OTHER_ADDRESS);
    return;
  }
  trimBack(packet, Ipv4.totalLength(at));
  if ((Ipv4.fragment(at) & (Ipv4.MORE_FRAGMENTS | Ipv4.FRAGMENT_OFFSET)) == 0) {
    demultiplex(nic, packet);
    return;
  }
  const whole = reassemble(packet);
  if (whole !== null) demultiplex(nic, whole);
}

/** The drop counter of what is wrong with a header, 0 when nothing is. */
function checkHeader(packet: Frame): u32 {
  const held: u32 = packet.length;
  if (held < Ipv4.HEADER_LENGTH) return COUNTER_DROP_TRUNCATED;
  const at = packet.data;
  const headerLength = Ipv4.headerLength(at);
  if (Ipv4.version(at) != 4 || headerLength < Ipv4.HEADER_LENGTH) return COUNTER_DROP_IP_HEADER;
  const totalLength = Ipv4.totalLength(at);
  if (totalLength < headerLength || totalLength > packet.total) return COUNTER_DROP_IP_HEADER;
  if (headerLength == Ipv4.HEADER_LENGTH) {
    return sumHeader(at) == 0xffff ? 0 : COUNTER_DROP_IP_CHECKSUM;
  }
  if (headerLength > held) return COUNTER_DROP_TRUNCATED;
  if (sumBytes(at, headerLength) != 0xffff) return COUNTER_DROP_IP_CHECKSUM;
  return areOptionsHarmless(at + Ipv4.HEADER_LENGTH, at + headerLength)
    ? 0
    : COUNTER_DROP_IP_HEADER;
}

/** Options are skipped, but source routes (RFC 1122 section 3.2.1.8) and lying lengths are not. */
function areOptionsHarmless(start: usize, end: usize): bool {
  let at = start;
  while (at < end) {
    const kind: u32 = load<u8>(at);
    if (kind == Ipv4.OPTION_END) return true;
    if (kind == Ipv4.OPTION_NOOP) {
      at++;
      continue;
    }
    if (kind == Ipv4.OPTION_LOOSE_SOURCE_ROUTE || kind == Ipv4.OPTION_STRICT_SOURCE_ROUTE) {
      return false;
    }
    if (end - at < 2) return false;
    const length: usize = load<u8>(at, 1);
    if (length < 2 || length > end - at) return false;
    at += length;
  }
  return true;
}

/**
 * Says whether a destination is ours, and marks broadcasts. A packet to our own address in a frame
 * to every station is not for us (RFC 1122 section 3.3.6).
 */
function isForUs(nic: Interface, packet: Frame, destination: u32): bool {
  if (destination == nic.address) return (packet.flags & FRAME_BROADCAST) == 0;
  if (destination != Ipv4.BROADCAST && destination != nic.broadcast) return false;
  packet.flags |= FRAME_BROADCAST;
  return true;
}

function demultiplex(nic: Interface, packet: Frame): void {
  const at = packet.data;
  const headerLength = Ipv4.headerLength(at);
  const protocol = Ipv4.protocol(at);
  if (protocol == Ipv4.PROTOCOL_TCP) {
    // RFC 9293 section 3.9.2.3: a segment to a broadcast address is discarded.
    if ((packet.flags & FRAME_BROADCAST) != 0) drop(packet, COUNTER_DROP_OTHER_ADDRESS);
    else tcpReceive(nic, packet, headerLength);
  } else if (protocol == Ipv4.PROTOCOL_UDP) {
    udpReceive(nic, packet, headerLength);
  } else if (protocol == Ipv4.PROTOCOL_ICMP) {
    icmpReceive(packet, headerLength);
  } else {
    icmpSendError(packet, Icmpv4.TYPE_UNREACHABLE, Icmpv4.CODE_PROTOCOL_UNREACHABLE);
    drop(packet, COUNTER_DROP_PROTOCOL);
  }
}

function drop(packet: Frame, counter: u32): void {
  count(counter);
  release(packet);
}
