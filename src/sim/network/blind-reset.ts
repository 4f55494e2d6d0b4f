/** Resets of an attacker who does not see the connection and guesses numbers in the window (RFC 5961). */
import { TCP_FIN, TCP_RST, TCP_SYN } from "../../packet/types";
import type { Random } from "../random";
import { resetFrames } from "./reset";
import type { Rule } from "./rule";

export interface BlindResetOptions {
  /** Of the segments, those that a forged reset comes with. */
  readonly probability: number;
  /** How far beyond what the sender has sent the guesses go at most. */
  readonly beyondBytes: number;
}

/**
 * Forges resets in the sender's name. Their numbers lie beyond all that the sender has sent, so none is
 * the one that the receiver expects: whatever becomes of the segments, a reset is only challenged.
 */
export function forgeBlindResets(
  random: Random,
  { probability, beyondBytes }: BlindResetOptions,
): Rule {
  /** By connection: one more than the highest number that its sender has used. */
  const ends = new Map<string, number>();
  return (_, { packet, inject }) => {
    const { ip, tcp, payload, problems } = packet;
    if (tcp === undefined || ip === undefined || problems.length > 0) return "pass";
    if ((tcp.flags & TCP_RST) !== 0) return "pass";
    const key = `${ip.source}:${tcp.sourcePort}>${ip.destination}:${tcp.destinationPort}`;
    const isSyn = (tcp.flags & TCP_SYN) !== 0;
    const controls = (isSyn ? 1 : 0) + ((tcp.flags & TCP_FIN) === 0 ? 0 : 1);
    const end = (tcp.sequence + payload.length + controls) >>> 0;
    const known = isSyn ? undefined : ends.get(key);
    const highest = known === undefined || ((end - known) | 0) > 0 ? end : known;
    ends.set(key, highest);
    if (isSyn || !random.chance(probability)) return "pass";
    const beyond = highest + 1 + random.below(beyondBytes);
    inject(resetFrames(packet, (beyond - tcp.sequence) | 0).receiver);
    return "pass";
  };
}
