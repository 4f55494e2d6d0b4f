/**
 * The segment being processed: SEG.SEQ, SEG.ACK, SEG.LEN, SEG.WND of RFC 9293 section 3.3.1 as
 * globals, because one segment at a time is in the stack's hands.
 */
import { Interface } from "../../link/interface";
import { Frame, release } from "../../memory/frame";
import { trimBack, trimFront } from "../../memory/chain";
import { Ipv4 } from "../../wire/ipv4";
import { Tcp } from "../../wire/tcp";

export let segmentNic: Interface = changetype<Interface>(0);
/** The packet while nobody has taken it over; null afterwards. */
export let segmentPacket: Frame | null = null;
/** Address of the TCP header. Valid while the packet is. */
export let segmentHeader: usize = 0;
export let segmentLocal: u32 = 0;
export let segmentRemote: u32 = 0;
export let segmentPorts: u32 = 0;
export let segmentSequence: u32 = 0;
export let segmentAcknowledgment: u32 = 0;
/** The window field, unscaled. */
export let segmentWindow: u32 = 0;
export let segmentFlags: u32 = 0;
/** The ECN field of its IP header. */
export let segmentEcn: u32 = 0;
/** Bytes of payload. */
export let segmentBytes: u32 = 0;
/** Bytes from the packet's start to its payload. */
let payloadOffset: u32 = 0;

/** Reads the header of a packet whose length and checksum have been checked. */
export function readSegment(nic: Interface, packet: Frame, ipLength: u32): void {
  const ip = packet.data;
  const at = ip + ipLength;
  segmentNic = nic;
  segmentPacket = packet;
  segmentHeader = at;
  segmentRemote = Ipv4.source(ip);
  segmentLocal = Ipv4.destination(ip);
  segmentPorts = Tcp.ports(at);
  segmentSequence = Tcp.sequence(at);
  segmentAcknowledgment = Tcp.acknowledgment(at);
  segmentWindow = Tcp.window(at);
  segmentFlags = Tcp.flags(at);
  segmentEcn = Ipv4.ecn(ip);
  payloadOffset = ipLength + Tcp.headerLength(at);
  segmentBytes = packet.total - payloadOffset;
}

/** SEG.LEN: payload plus one each for SYN and FIN. */
export function segmentLength(): u32 {
  const syn: u32 = (segmentFlags & Tcp.SYN) != 0 ? 1 : 0;
  const fin: u32 = (segmentFlags & Tcp.FIN) != 0 ? 1 : 0;
  return segmentBytes + syn + fin;
}

/** Takes the payload as a chain that begins with its first byte; the caller owns it. */
export function takePayload(): Frame {
  const packet = <Frame>segmentPacket;
  segmentPacket = null;
  if (packet.next === null) {
    // The common case by hand: the payload lies in the frame that holds the headers.
    packet.offset += <u16>payloadOffset;
    packet.length = <u16>segmentBytes;
    packet.total = segmentBytes;
    return packet;
  }
  const payload = trimFront(packet, payloadOffset);
  trimBack(payload, segmentBytes);
  return payload;
}

/** Moves SEG.SEQ past bytes that were received before; they will not be taken. */
export function skipPayload(bytes: u32): void {
  payloadOffset += bytes;
  segmentBytes -= bytes;
  segmentSequence += bytes;
}

/** Moves SEG.SEQ past the SYN, which has been dealt with, to the text behind it. */
export function skipSyn(): void {
  segmentSequence++;
  segmentFlags &= ~Tcp.SYN;
}

/** Forgets bytes behind the window's right edge, and the FIN with them. */
export function cutPayload(bytes: u32): void {
  segmentBytes = bytes;
  segmentFlags &= ~Tcp.FIN;
}

/** Releases the packet if nobody has taken it. */
export function dropSegment(): void {
  const packet = segmentPacket;
  segmentPacket = null;
  if (packet !== null) release(packet);
}
