/** Boxes that cut segments in pieces or join them, as offloads on the way do; rules of one direction. */
import { complement, pseudoHeaderSum, sumBytes } from "../../packet/checksum";
import { parseFrame } from "../../packet/parse";
import { ETHERTYPE_IPV4, PROTOCOL_TCP } from "../../packet/protocols";
import { TCP_ACK, TCP_FIN, TCP_PSH } from "../../packet/types";
import type { Scheduler } from "../scheduler";
import {
  connectionKey,
  ETHERNET_HEADER_BYTES,
  frameType,
  read16,
  read32,
  tcpOf,
  type Transport,
  write16,
} from "./frame-fields";
import type { Rule } from "./rule";

const ip = ETHERNET_HEADER_BYTES;
const FLAGS = 13;
/** Beside these a segment is left as it is. */
const USUAL = TCP_ACK | TCP_PSH | TCP_FIN;

/** An undamaged segment with payload and usual flags, over IPv4. */
function textOf(frame: Uint8Array): Transport | undefined {
  if (frameType(frame) !== ETHERTYPE_IPV4) return undefined;
  const tcp = tcpOf(frame);
  if (tcp === undefined || tcp.payload === tcp.end) return undefined;
  if (((frame[tcp.header + FLAGS] as number) & ~USUAL) !== 0) return undefined;
  // New sums would make damaged bytes good ones.
  return parseFrame(frame).problems.length > 0 ? undefined : tcp;
}

function sequenceOf(frame: Uint8Array, { header }: Transport): number {
  return read32(frame, header + 4);
}

/** A segment with the headers of another one, its checksums made anew. */
function segmentLike(
  frame: Uint8Array,
  { header, payload: headersEnd, checksum }: Transport,
  sequence: number,
  flags: number,
  payload: readonly Uint8Array[],
): Uint8Array {
  const bytes = payload.reduce((sum, { length }) => sum + length, 0);
  const made = new Uint8Array(headersEnd + bytes);
  made.set(frame.subarray(0, headersEnd));
  let at = headersEnd;
  for (const piece of payload) {
    made.set(piece, at);
    at += piece.length;
  }
  const view = new DataView(made.buffer);
  write16(made, ip + 2, made.length - ip);
  write16(made, ip + 10, 0);
  write16(made, ip + 10, complement(sumBytes(view, ip, header)));
  view.setUint32(header + 4, sequence >>> 0);
  made[header + FLAGS] = flags;
  write16(made, checksum, 0);
  const addresses = sumBytes(view, ip + 12, ip + 20);
  const pseudo = pseudoHeaderSum(addresses, PROTOCOL_TCP, made.length - header);
  write16(made, checksum, complement(sumBytes(view, header, made.length, pseudo)));
  return made;
}

/** Cuts the payload of segments in so many pieces, as far as there are bytes. */
export function splitSegments(pieces: number): Rule {
  return (frame, { inject }) => {
    const tcp = textOf(frame);
    if (tcp === undefined || tcp.end - tcp.payload < 2) return "pass";
    const size = Math.ceil((tcp.end - tcp.payload) / pieces);
    const flags = frame[tcp.header + FLAGS] as number;
    for (let at = tcp.payload; ; at += size) {
      const isLast = at + size >= tcp.end;
      const payload = [frame.subarray(at, Math.min(at + size, tcp.end))];
      const sequence = sequenceOf(frame, tcp) + at - tcp.payload;
      const kept = isLast ? flags : flags & ~(TCP_PSH | TCP_FIN);
      const piece = segmentLike(frame, tcp, sequence, kept, payload);
      if (isLast) return { frame: piece };
      inject(piece);
    }
  };
}

export interface MergeOptions {
  /** Largest IP packet to make. */
  readonly mtu: number;
  /** How long a segment waits for one that continues it. */
  readonly holdMs: number;
}

interface Held {
  readonly frame: Uint8Array;
  readonly tcp: Transport;
  readonly flush: () => void;
}

/** Joins segments of a connection that follow each other soon, with the headers of the last. */
export function mergeSegments(scheduler: Scheduler, { mtu, holdMs }: MergeOptions): Rule {
  const held = new Map<string, Held>();
  return (frame, { inject }) => {
    const any = frameType(frame) === ETHERTYPE_IPV4 ? tcpOf(frame) : undefined;
    if (any === undefined) return "pass";
    const key = connectionKey(frame, any);
    const before = held.get(key);
    const tcp = textOf(frame);
    const joined = before && tcp && join(before, frame, tcp, mtu);
    if (joined === undefined) before?.flush();
    held.delete(key);
    // What was joined waits no more, or it might for ever.
    if (joined !== undefined) return { frame: joined };
    const isLast = ((frame[any.header + FLAGS] as number) & TCP_FIN) !== 0;
    if (tcp === undefined || isLast) return "pass";
    const copy = frame.slice();
    const flush = (): void => {
      if (held.get(key)?.frame !== copy) return;
      held.delete(key);
      inject(copy);
    };
    held.set(key, { frame: copy, tcp, flush });
    scheduler.after(holdMs * 1e6, flush);
    return "drop";
  };
}

function join(
  { frame: first, tcp: front }: Held,
  second: Uint8Array,
  back: Transport,
  mtu: number,
): Uint8Array | undefined {
  const sequence = sequenceOf(first, front);
  const bytes = front.end - front.payload;
  const follows = (sequence + bytes) >>> 0 === sequenceOf(second, back);
  const total = back.payload - ip + bytes + back.end - back.payload;
  const sameService = read16(first, ip) === read16(second, ip);
  if (!follows || total > mtu || !sameService) return undefined;
  const payload = [
    first.subarray(front.payload, front.end),
    second.subarray(back.payload, back.end),
  ];
  return segmentLike(second, back, sequence, second[back.header + FLAGS] as number, payload);
}
