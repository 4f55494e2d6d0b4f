/** Results on their way from one process to another. */
import type { RunResult } from "../packetdrill/run/report";

/** A result with its packets' bytes as text. */
export function encodeResult(result: RunResult): string {
  const packets = result.packets.map((packet) => ({ ...packet, bytes: packet.bytes.toBase64() }));
  return JSON.stringify({ ...result, packets });
}

export function decodeResult(line: string): RunResult {
  const result = JSON.parse(line);
  const packets = result.packets.map((packet: { bytes: string }) => ({
    ...packet,
    bytes: Uint8Array.fromBase64(packet.bytes),
  }));
  return { ...result, packets };
}
