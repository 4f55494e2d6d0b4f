/** Reads a pcap file (tcpdump -w) into packets: Ethernet, IPv4 and what TCP needs. */

const MAGIC = 0xa1b2c3d4;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET_HEADER = 14;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_TCP = 6;

export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  /** Letters of "FSRPAU" in that order. */
  readonly flags: string;
  /** As the header has it, not scaled. */
  readonly window: number;
  /** Shift of a window scale option; undefined without one. */
  readonly scale: number | undefined;
  readonly payloadBytes: number;
}

export interface Packet {
  /** Place in the file, from 1 on, as tools number them. */
  readonly number: number;
  readonly destinationMac: string;
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  /** Neither the first nor a later part of a larger packet. */
  readonly isWhole: boolean;
  /** The IPv4 packet as far as it was captured. */
  readonly ip: Uint8Array;
  readonly headerBytes: number;
  /** By its header. */
  readonly totalBytes: number;
  readonly tcp: TcpSegment | undefined;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function windowScale(options: Uint8Array): number | undefined {
  for (let at = 0; at < options.length;) {
    const kind = options[at];
    if (kind === 0) return undefined;
    if (kind === 3) return options[at + 2];
    at += kind === 1 ? 1 : Math.max(2, options[at + 1] ?? 2);
  }
  return undefined;
}

function readTcp(bytes: Uint8Array, length: number): TcpSegment | undefined {
  if (bytes.length < 20) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const headerBytes = (view.getUint8(12) >> 4) * 4;
  const bits = view.getUint8(13);
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgment: view.getUint32(8),
    flags: [..."FSRPAU"].filter((_, bit) => ((bits >> bit) & 1) === 1).join(""),
    window: view.getUint16(14),
    scale: (bits & 2) === 0 ? undefined : windowScale(bytes.subarray(20, headerBytes)),
    payloadBytes: length - headerBytes,
  };
}

function readPacket(number: number, frame: Uint8Array): Packet | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < ETHERNET_HEADER + 20) return undefined;
  if (view.getUint16(12) !== ETHERTYPE_IPV4) return undefined;
  const totalBytes = view.getUint16(ETHERNET_HEADER + 2);
  const ip = frame.subarray(ETHERNET_HEADER, ETHERNET_HEADER + totalBytes);
  const headerBytes = ((ip[0] as number) & 15) * 4;
  const isWhole = (view.getUint16(ETHERNET_HEADER + 6) & 0x3fff) === 0;
  const protocol = ip[9] as number;
  const isTcp = isWhole && protocol === PROTOCOL_TCP;
  return {
    number,
    destinationMac: hex(frame.subarray(0, 6)),
    source: ip.subarray(12, 16).join("."),
    destination: ip.subarray(16, 20).join("."),
    protocol,
    isWhole,
    ip,
    headerBytes,
    totalBytes,
    tcp: isTcp ? readTcp(ip.subarray(headerBytes), totalBytes - headerBytes) : undefined,
  };
}

/** The IPv4 packets of a file in the order of their capture. Throws when it is no such file. */
export function* readPcap(file: Uint8Array): Generator<Packet> {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (file.length < FILE_HEADER || view.getUint32(0, true) !== MAGIC) {
    throw new Error("not a little-endian pcap file");
  }
  let number = 0;
  for (let at = FILE_HEADER; at + RECORD_HEADER <= file.length;) {
    const captured = view.getUint32(at + 8, true);
    const start = at + RECORD_HEADER;
    at = start + captured;
    if (at > file.length) return;
    number++;
    const packet = readPacket(number, file.subarray(start, at));
    if (packet !== undefined) yield packet;
  }
}
