/** Tells the transport that sent a packet that it did not arrive. */
import { tcpTooBig } from "../transport/tcp/path-mtu";
import { tcpUnreachable } from "../transport/tcp/unreachable";
import { udpTooBig, udpUnreachable } from "../transport/udp/socket";
import { Ipv4 } from "../wire/ipv4";
import { Tcp } from "../wire/tcp";
import { Udp } from "../wire/udp";

/** Bytes of a transport header that an ICMP error quotes at least (RFC 792). */
export const QUOTED_BYTES: u32 = 8;

/** `ip` is the header of a packet of ours, QUOTED_BYTES of its transport header behind it. */
export function tellUnreachable(ip: usize, errno: i32): void {
  if ((Ipv4.fragment(ip) & Ipv4.FRAGMENT_OFFSET) != 0) return;
  const source = Ipv4.source(ip);
  const destination = Ipv4.destination(ip);
  const at = ip + Ipv4.headerLength(ip);
  switch (Ipv4.protocol(ip)) {
    case Ipv4.PROTOCOL_TCP:
      tcpUnreachable(source, destination, Tcp.ports(at), Tcp.sequence(at), errno);
      break;
    case Ipv4.PROTOCOL_UDP:
      udpUnreachable(source, Udp.sourcePort(at), destination, Udp.destinationPort(at), errno);
      break;
  }
}

/** The same for a packet that a router could have passed on only in fragments of `mtu` bytes. */
export function tellTooBig(ip: usize, mtu: u32): void {
  if ((Ipv4.fragment(ip) & Ipv4.FRAGMENT_OFFSET) != 0) return;
  const source = Ipv4.source(ip);
  const destination = Ipv4.destination(ip);
  const bytes = Ipv4.totalLength(ip);
  const at = ip + Ipv4.headerLength(ip);
  switch (Ipv4.protocol(ip)) {
    case Ipv4.PROTOCOL_TCP:
      tcpTooBig(source, destination, Tcp.ports(at), Tcp.sequence(at), mtu, bytes);
      break;
    case Ipv4.PROTOCOL_UDP:
      udpTooBig(source, Udp.sourcePort(at), destination, Udp.destinationPort(at), mtu, bytes);
      break;
  }
}
