/** Tells the transport that a packet of its leaves only now: it has waited for its next hop's MAC. */
import { tcpDeparted } from "../transport/tcp/departure";
import { Ipv4 } from "../wire/ipv4";
import { Tcp } from "../wire/tcp";

/** `ip` is the header of a packet that is about to be sent. */
export function tellDeparture(ip: usize): void {
  if (Ipv4.protocol(ip) != Ipv4.PROTOCOL_TCP) return;
  if ((Ipv4.fragment(ip) & Ipv4.FRAGMENT_OFFSET) != 0) return;
  const headers = Ipv4.headerLength(ip);
  const at = ip + headers;
  const bytes = Ipv4.totalLength(ip) - headers - Tcp.headerLength(at);
  const local = Ipv4.source(ip);
  tcpDeparted(local, Ipv4.destination(ip), Tcp.ports(at), Tcp.sequence(at), bytes);
}
