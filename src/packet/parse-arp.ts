/** RFC 826 over Ethernet and IPv4. */
import { ipv4Text } from "./address";
import type { Draft, Reading } from "./draft";

const ARP_LENGTH = 28;
const HARDWARE_ETHERNET = 1;
const PROTOCOL_IPV4 = 0x0800;

export function parseArp(packet: Draft, { bytes, view, start }: Reading): void {
  const available = bytes.length - start;
  if (available < ARP_LENGTH) {
    packet.problems.push(`ARP needs 28 bytes but only ${available} are here`);
    return;
  }
  const hardware = view.getUint16(start);
  const protocol = view.getUint16(start + 2);
  const sizes = view.getUint16(start + 4);
  if (hardware !== HARDWARE_ETHERNET || protocol !== PROTOCOL_IPV4 || sizes !== 0x0604) {
    packet.problems.push("ARP is not for Ethernet and IPv4");
    return;
  }
  const operation = view.getUint16(start + 6);
  if (operation !== 1 && operation !== 2) packet.problems.push(`ARP operation is ${operation}`);
  packet.arp = {
    operation,
    senderMac: bytes.subarray(start + 8, start + 14),
    senderAddress: ipv4Text(view.getUint32(start + 14)),
    targetMac: bytes.subarray(start + 18, start + 24),
    targetAddress: ipv4Text(view.getUint32(start + 24)),
  };
  packet.payload = bytes.subarray(bytes.length);
}
