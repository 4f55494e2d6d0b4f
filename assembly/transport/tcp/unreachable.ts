/** What becomes of a connection whose segment did not arrive, by ARP's or ICMP's word. */
import { SYN_SENT } from "./connection";
import { kill } from "./close";
import { findConnection } from "./table";

/**
 * A segment of ours with this header was not delivered. Only an attempt to connect fails by that, and
 * only when the segment is its SYN: an established connection has its timeouts, and whoever forges
 * such a message must not end it (RFC 5927 sections 4.1 and 5.2).
 */
export function tcpUnreachable(
  local: u32,
  remote: u32,
  sentPorts: u32,
  sequence: u32,
  errno: i32,
): void {
  const connection = findConnection(local, remote, rotl<u32>(sentPorts, 16));
  if (connection === null || connection.state != SYN_SENT) return;
  if (sequence == connection.initialSend) kill(connection, errno);
}
