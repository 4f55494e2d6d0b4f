/** What boxes in the middle do to TCP, as rules of a link's directions. All of them are permanent. */
import { parseFrame } from "../../packet/parse";
import {
  ETHERTYPE_IPV4,
  TCP_OPTION_EOL,
  TCP_OPTION_MSS,
  TCP_OPTION_NOP,
  TCP_OPTION_SACK,
} from "../../packet/protocols";
import { TCP_ACK, TCP_CWR, TCP_ECE, TCP_RST, TCP_SYN } from "../../packet/types";
import {
  ETHERNET_HEADER_BYTES,
  frameType,
  read16,
  read32,
  setCovered32,
  setCoveredByte,
  type Transport,
  tcpOf,
  updateChecksum,
  write16,
} from "./frame-fields";
import type { Link } from "./link";
import { resetFrames } from "./reset";
import type { Rule, RuleContext } from "./rule";

/** A rule that changes a copy of each TCP segment. */
function changing(change: (frame: Uint8Array, tcp: Transport) => void): Rule {
  return (frame) => {
    const tcp = tcpOf(frame);
    if (tcp === undefined) return "pass";
    const copy = frame.slice();
    change(copy, tcp);
    return { frame: copy };
  };
}

/** Visits the options of a TCP header that are well-formed: kind, where it starts, its length. */
function eachOption(
  frame: Uint8Array,
  { header, payload }: Transport,
  visit: (kind: number, at: number, length: number) => void,
): void {
  for (let at = header + 20; at < payload;) {
    const kind = frame[at] as number;
    if (kind === TCP_OPTION_EOL) return;
    const length = kind === TCP_OPTION_NOP ? 1 : (frame[at + 1] as number);
    if (length === 0 || at + length > payload || (kind !== TCP_OPTION_NOP && length < 2)) return;
    visit(kind, at, length);
    at += length;
  }
}

/** Overwrites the TCP options of these kinds (RFC 9293 section 3.1) by NOPs. */
export function stripOptions(kinds: readonly number[]): Rule {
  return changing((frame, tcp) => {
    eachOption(frame, tcp, (kind, at, length) => {
      if (!kinds.includes(kind)) return;
      for (let index = 0; index < length; index++)
        setCoveredByte(frame, tcp, at + index, TCP_OPTION_NOP);
    });
  });
}

/** Lowers the MSS that SYNs offer to this. */
export function clampMss(mss: number): Rule {
  return changing((frame, tcp) => {
    if (((frame[tcp.header + 13] as number) & TCP_SYN) === 0) return;
    eachOption(frame, tcp, (kind, at, length) => {
      if (kind !== TCP_OPTION_MSS || length !== 4 || read16(frame, at + 2) <= mss) return;
      setCoveredByte(frame, tcp, at + 2, mss >>> 8);
      setCoveredByte(frame, tcp, at + 3, mss & 255);
    });
  });
}

/** Clears what the ends would say of congestion (RFC 3168): `ip` the field of packets, `syn` the offer. */
export function bleachEcn(where: "ip" | "syn"): Rule {
  if (where === "syn") {
    return changing((frame, tcp) => {
      const at = tcp.header + 13;
      const flags = frame[at] as number;
      if ((flags & TCP_SYN) !== 0) setCoveredByte(frame, tcp, at, flags & ~(TCP_ECE | TCP_CWR));
    });
  }
  return (frame) => {
    if (frameType(frame) !== ETHERTYPE_IPV4 || frame.length < ETHERNET_HEADER_BYTES + 20) {
      return "pass";
    }
    const copy = frame.slice();
    const before = read16(copy, ETHERNET_HEADER_BYTES);
    write16(copy, ETHERNET_HEADER_BYTES, before & ~3);
    updateChecksum(copy, ETHERNET_HEADER_BYTES + 10, before, before & ~3);
    return { frame: copy };
  };
}

export interface SequenceRewriteOptions {
  /** Added to the sequence numbers that a sends, as firewalls do that choose their own. */
  readonly offset: number;
  /** False for a box that does not know of SACK and leaves its blocks as they are. Default true. */
  readonly rewritesSack?: boolean;
}

/** Moves the sequence numbers of a's side of a link, and what b acknowledges of them back. */
export function rewriteSequence(
  link: Link,
  { offset, rewritesSack = true }: SequenceRewriteOptions,
): Disposable {
  const add = (frame: Uint8Array, tcp: Transport, at: number, change: number) =>
    setCovered32(frame, tcp, at, (read32(frame, at) + change) >>> 0);
  const forward = changing((frame, tcp) => add(frame, tcp, tcp.header + 4, offset));
  const backward = changing((frame, tcp) => {
    if (((frame[tcp.header + 13] as number) & TCP_ACK) !== 0)
      add(frame, tcp, tcp.header + 8, -offset);
    if (!rewritesSack) return;
    eachOption(frame, tcp, (kind, at, length) => {
      if (kind !== TCP_OPTION_SACK) return;
      for (let edge = at + 2; edge + 4 <= at + length; edge += 4) add(frame, tcp, edge, -offset);
    });
  });
  const added = [
    link.ab.rules.add(forward, { permanent: true }),
    link.ba.rules.add(backward, { permanent: true }),
  ];
  return {
    [Symbol.dispose]: () => {
      for (const rule of added) rule[Symbol.dispose]();
    },
  };
}

export interface ResetOptions {
  /** Asked of each TCP segment in the rule's direction; it is reset when this is true. */
  readonly when: (frame: Uint8Array, context: RuleContext) => boolean;
  /** Whom the reset goes to. Default both. */
  readonly to?: "receiver" | "sender" | "both";
  /** Added to the right sequence number: how far off a blind attacker guesses (RFC 5961). */
  readonly sequenceOffset?: number;
  /** The segment that gave rise to it is dropped too. Default false. */
  readonly drops?: boolean;
}

/** Answers segments by forged resets, as a censor or an attacker does. */
export function injectReset(options: ResetOptions): Rule {
  const { when, to = "both", sequenceOffset = 0, drops = false } = options;
  return (frame, context) => {
    const tcp = tcpOf(frame);
    if (tcp === undefined || ((frame[tcp.header + 13] as number) & TCP_RST) !== 0) return "pass";
    if (!when(frame, context)) return "pass";
    const { receiver, sender } = resetFrames(parseFrame(frame), sequenceOffset);
    if (to !== "sender") context.inject(receiver);
    if (to !== "receiver") context.reply(sender);
    return drops ? "drop" : "pass";
  };
}
