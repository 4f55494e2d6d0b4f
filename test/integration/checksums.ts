/** Checksums of captured packets, computed anew, bit by bit as the RFCs say it. */
import type { Packet } from "./pcap";

const PROTOCOL_ICMP = 1;
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
const checksumOffsets = new Map([
  [PROTOCOL_TCP, 16],
  [PROTOCOL_UDP, 6],
]);

/** RFC 1071: the one's complement sum of 16-bit words, not complemented. */
function sum(bytes: Uint8Array, initial = 0): number {
  let total = initial;
  for (let at = 0; at < bytes.length; at += 2) {
    total += ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0);
  }
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return total;
}

function pseudoHeader({ ip, protocol }: Packet, length: number): number {
  return sum(ip.subarray(12, 20), protocol + length);
}

export interface ChecksumReport {
  valid: number;
  /** Only the pseudo-header's sum: the sender leaves the rest to a device. */
  partial: number;
  /** What no offload explains. */
  bad: string[];
}

/** Checks the packets that were captured whole and are no fragments. */
export function checkChecksums(packets: readonly Packet[]): ChecksumReport {
  const report: ChecksumReport = { valid: 0, partial: 0, bad: [] };
  for (const packet of packets) {
    const { ip, headerBytes, totalBytes, protocol, isWhole, number } = packet;
    if (ip.length < headerBytes) continue;
    const where = `packet ${number} from ${packet.source}, ${totalBytes} bytes`;
    if (sum(ip.subarray(0, headerBytes)) !== 0xffff) report.bad.push(`${where}: IPv4 header`);
    if (!isWhole || ip.length < totalBytes) continue;
    const payload = ip.subarray(headerBytes);
    if (protocol === PROTOCOL_ICMP) {
      if (sum(payload) !== 0xffff) report.bad.push(`${where}: ICMP`);
      continue;
    }
    const offset = checksumOffsets.get(protocol);
    if (offset === undefined) continue;
    const field = ((payload[offset] as number) << 8) | (payload[offset + 1] as number);
    const pseudo = pseudoHeader(packet, payload.length);
    if (protocol === PROTOCOL_UDP && field === 0) report.valid++;
    else if (sum(payload, pseudo) === 0xffff) report.valid++;
    else if (field === pseudo) report.partial++;
    else report.bad.push(`${where}: protocol ${protocol}`);
  }
  return report;
}
