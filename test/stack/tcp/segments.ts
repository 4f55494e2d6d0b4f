/** TCP segments built and read byte by byte, independently of the stack's own accessors. */
import {
  METADATA_CHECKSUM_OFFSET,
  METADATA_CHECKSUM_START,
  METADATA_FLAGS,
  OFFLOAD_CHECKSUM_PARTIAL,
} from "../../../assembly/layout";
import type { SentPacket } from "../host";
import {
  concat,
  ethernet,
  hostAddress,
  internetChecksum,
  internetSum,
  ipv4,
  peerAddress,
  pseudoHeader,
  readIpv4,
  readU16,
  u16,
  u32,
} from "../packets";

export const protocolTcp = 6;

/** Flags as scripts write them, lowest bit first. */
const letters = "FSRPAUEC";

export function flagBits(flags: string): number {
  return [...flags].reduce((bits, letter) => bits | (1 << letters.indexOf(letter)), 0);
}

export function flagLetters(bits: number): string {
  return [...letters].filter((_, bit) => (bits & (1 << bit)) !== 0).join("");
}

export const option = {
  mss: (bytes: number) => [2, 4, ...u16(bytes)],
  /** With a no-operation before it, so that it ends on a word. */
  scale: (shift: number) => [1, 3, 3, shift],
  sackPermitted: [1, 1, 4, 2],
  /** Left and right edges in turn. */
  sack: (edges: readonly number[]) => [1, 1, 5, 2 + 4 * edges.length, ...edges.flatMap(u32)],
  timestamps: (value: number, echo: number) => [
    1,
    1,
    8,
    10,
    ...u32(value >>> 0),
    ...u32(echo >>> 0),
  ],
};

export interface SegmentFields {
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment?: number;
  readonly flags: string;
  readonly window?: number;
  readonly options?: readonly number[];
  readonly urgent?: number;
  readonly payload?: Uint8Array;
  /** Of the IP header (RFC 3168): 2 is ECT(0), 3 CE. */
  readonly codepoint?: number;
  /** These lie. */
  readonly headerWords?: number;
  readonly checksum?: number;
}

/** A whole frame with one segment; options are padded with zeros to whole words. */
export function segmentFrame(fields: SegmentFields): Uint8Array {
  const { source = peerAddress, destination = hostAddress, codepoint = 0 } = fields;
  const segment = tcp(fields, source, destination);
  return ethernet(ipv4(segment, { source, destination, protocol: protocolTcp, codepoint }));
}

function tcp(fields: SegmentFields, source: string, destination: string): Uint8Array {
  const given = fields.options ?? [];
  const options = [...given, ...new Array<number>(-given.length & 3).fill(0)];
  const words = fields.headerWords ?? 5 + options.length / 4;
  const segment = concat(
    u16(fields.sourcePort),
    u16(fields.destinationPort),
    u32(fields.sequence >>> 0),
    u32((fields.acknowledgment ?? 0) >>> 0),
    [words << 4, flagBits(fields.flags)],
    u16(fields.window ?? 65535),
    [0, 0],
    u16(fields.urgent ?? 0),
    options,
    fields.payload ?? [],
  );
  const pseudo = pseudoHeader(source, destination, protocolTcp, segment.length);
  segment.set(u16(fields.checksum ?? internetChecksum(concat(pseudo, segment))), 16);
  return segment;
}

export interface Segment {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: string;
  readonly window: number;
  readonly options: readonly number[];
  readonly payload: Uint8Array;
  /** Of the IP header. */
  readonly codepoint: number;
}

/** Reads a sent packet that must be sound: lengths, reserved bits, urgent pointer and checksum. */
export function readSegment({ bytes, metadata }: SentPacket): Segment {
  const packet = readIpv4(bytes);
  const { source, destination, payload: segment } = packet;
  if (packet.protocol !== protocolTcp) throw new Error("not TCP");
  const pseudo = pseudoHeader(source, destination, protocolTcp, segment.length);
  const partial = metadata !== undefined && isPartial(metadata);
  const sum = partial ? readU16(segment, 16) : internetSum(concat(pseudo, segment));
  if (sum !== (partial ? internetSum(pseudo) : 0xffff)) throw new Error("wrong TCP checksum");
  const headerLength = ((segment[12] as number) >>> 4) * 4;
  if (((segment[12] as number) & 15) !== 0) throw new Error("reserved bits are set");
  if (readU16(segment, 18) !== 0) throw new Error("an urgent pointer without data");
  return {
    source,
    destination,
    sourcePort: readU16(segment, 0),
    destinationPort: readU16(segment, 2),
    sequence: new DataView(segment.buffer, segment.byteOffset).getUint32(4),
    acknowledgment: new DataView(segment.buffer, segment.byteOffset).getUint32(8),
    flags: flagLetters(segment[13] as number),
    window: readU16(segment, 14),
    options: [...segment.subarray(20, headerLength)],
    payload: segment.slice(headerLength),
    codepoint: (bytes[15] as number) & 3,
  };
}

function isPartial(metadata: DataView): boolean {
  if (metadata.getUint32(METADATA_FLAGS, true) !== OFFLOAD_CHECKSUM_PARTIAL) return false;
  const start = metadata.getUint16(METADATA_CHECKSUM_START, true);
  const offset = metadata.getUint16(METADATA_CHECKSUM_OFFSET, true);
  if (start !== 34 || offset !== 16) throw new Error("metadata points beside the checksum");
  return true;
}
