/** Segments without payload that no established connection sends: SYN, SYN-ACK, RST. */
import { TX_HEADROOM } from "../../layout";
import { Frame, takeFrame } from "../../memory/frame";
import { fold, pseudoHeaderSum, sumBytes, sumHeader } from "../../wire/checksum";
import { Ipv4 } from "../../wire/ipv4";
import { Tcp } from "../../wire/tcp";

/**
 * A packet that begins with its IP header, TCP options of `optionBytes` still to be written at
 * `controlOptions(packet)` and `sealControl` still to be called. Null when the pool is empty.
 */
export function makeControl(
  local: u32,
  remote: u32,
  ports: u32,
  sequence: u32,
  acknowledgment: u32,
  flags: u32,
  window: u32,
  optionBytes: u32,
): Frame | null {
  const packet = takeFrame(TX_HEADROOM);
  if (packet === null) return null;
  const tcpLength = Tcp.HEADER_LENGTH + optionBytes;
  const length = Ipv4.HEADER_LENGTH + tcpLength;
  packet.length = <u16>length;
  packet.total = length;
  const ip = packet.data;
  const hops = Ipv4.TIME_TO_LIVE;
  Ipv4.write(ip, length, 0, Ipv4.DONT_FRAGMENT, Ipv4.PROTOCOL_TCP, local, remote, 0, hops);
  Ipv4.setChecksum(ip, ~sumHeader(ip));
  const tcp = ip + Ipv4.HEADER_LENGTH;
  store<u32>(tcp, ports);
  Tcp.setSequence(tcp, sequence);
  Tcp.setAcknowledgment(tcp, acknowledgment);
  Tcp.setHeaderLengthAndFlags(tcp, tcpLength, flags);
  Tcp.setWindow(tcp, window);
  store<u32>(tcp, 0, Tcp.CHECKSUM);
  return packet;
}

export function controlOptions(packet: Frame): usize {
  return packet.data + HEADERS;
}

/** Gives a packet a connection's type of service and hop limit, which begin as 0 and 64. */
export function markService(packet: Frame, typeOfService: u8, timeToLive: u8): void {
  const ip = packet.data;
  Ipv4.setService(ip, typeOfService, timeToLive);
  Ipv4.setChecksum(ip, 0);
  Ipv4.setChecksum(ip, ~sumHeader(ip));
}

/** Lengthens the packet by so many bytes of data behind its options; returns where they go. */
export function extendControl(packet: Frame, bytes: u32): usize {
  const ip = packet.data;
  const length: u32 = packet.length + bytes;
  const at = ip + packet.length;
  Ipv4.setTotalLength(ip, length);
  Ipv4.setChecksum(ip, 0);
  Ipv4.setChecksum(ip, ~sumHeader(ip));
  packet.length = <u16>length;
  packet.total = length;
  return at;
}

/** Writes the TCP checksum once the options stand. */
export function sealControl(packet: Frame): void {
  const ip = packet.data;
  const tcp = ip + Ipv4.HEADER_LENGTH;
  const length: u32 = packet.length - Ipv4.HEADER_LENGTH;
  const pseudo = pseudoHeaderSum(Ipv4.source(ip), Ipv4.destination(ip), Ipv4.PROTOCOL_TCP, length);
  Tcp.setChecksum(tcp, ~fold(pseudo + sumBytes(tcp, length)));
}

const HEADERS: u32 = Ipv4.HEADER_LENGTH + Tcp.HEADER_LENGTH;
