/** Packets built and read byte by byte, independently of the stack's own accessors. */

export const hostAddress = "10.0.0.1";
export const peerAddress = "10.0.0.2";
export const hostMac = Uint8Array.of(2, 0, 0, 0, 0, 1);
export const peerMac = Uint8Array.of(2, 0, 0, 0, 0, 2);
export const broadcastMac = new Uint8Array(6).fill(0xff);

export const protocolIcmp = 1;
export const protocolUdp = 17;

export function concat(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function u16(value: number): number[] {
  return [(value >>> 8) & 255, value & 255];
}

export function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value)];
}

export function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function addressBytes(address: string): number[] {
  return address.split(".").map(Number);
}

export function addressText(bytes: Uint8Array, at: number): string {
  return bytes.subarray(at, at + 4).join(".");
}

/** `length` bytes that differ from their neighbours. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >>> 8)) & 255);
}

/** RFC 1071's sum, word by word in network order, not complemented. */
export function internetSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** The checksum field for `bytes`, whose own field is zero. */
export function internetChecksum(bytes: Uint8Array): number {
  return ~internetSum(bytes) & 0xffff;
}

export interface EthernetFields {
  readonly destination?: Uint8Array;
  readonly source?: Uint8Array;
  readonly type?: number;
}

export function ethernet(payload: Uint8Array, fields: EthernetFields = {}): Uint8Array {
  const { destination = hostMac, source = peerMac, type = 0x0800 } = fields;
  return concat(destination, source, u16(type), payload);
}

export interface Ipv4Fields {
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: number;
  readonly identification?: number;
  /** Flags and offset in units of 8 bytes, as the field holds them. */
  readonly fragment?: number;
  readonly timeToLive?: number;
  /** The ECN field (RFC 3168): 2 is ECT(0), 3 CE. */
  readonly codepoint?: number;
  readonly options?: readonly number[];
  /** These lie: what the fields say instead of the truth. */
  readonly version?: number;
  readonly headerWords?: number;
  readonly totalLength?: number;
  readonly checksum?: number;
}

export function ipv4(payload: Uint8Array, fields: Ipv4Fields = {}): Uint8Array {
  const options = fields.options ?? [];
  const headerLength = 20 + options.length;
  const header = concat(
    [
      ((fields.version ?? 4) << 4) | (fields.headerWords ?? headerLength >>> 2),
      fields.codepoint ?? 0,
    ],
    u16(fields.totalLength ?? headerLength + payload.length),
    u16(fields.identification ?? 0),
    u16(fields.fragment ?? 0),
    [fields.timeToLive ?? 64, fields.protocol ?? protocolUdp, 0, 0],
    addressBytes(fields.source ?? peerAddress),
    addressBytes(fields.destination ?? hostAddress),
    options,
  );
  header.set(u16(fields.checksum ?? internetChecksum(header)), 10);
  return concat(header, payload);
}

export interface UdpFields {
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly length?: number;
  readonly checksum?: number;
}

/** Sum of the pseudo-header, not complemented. */
export function pseudoHeader(
  source: string,
  destination: string,
  protocol: number,
  length: number,
) {
  return concat(addressBytes(source), addressBytes(destination), [0, protocol], u16(length));
}

export function udp(payload: Uint8Array, fields: UdpFields = {}): Uint8Array {
  const { source = peerAddress, destination = hostAddress } = fields;
  const length = 8 + payload.length;
  const datagram = concat(
    u16(fields.sourcePort ?? 5000),
    u16(fields.destinationPort ?? 7),
    u16(fields.length ?? length),
    [0, 0],
    payload,
  );
  const covered = concat(pseudoHeader(source, destination, protocolUdp, length), datagram);
  datagram.set(u16(fields.checksum ?? (internetChecksum(covered) || 0xffff)), 6);
  return datagram;
}

/** A whole frame with a datagram. */
export function udpFrame(payload: Uint8Array, fields: UdpFields = {}): Uint8Array {
  const { source = peerAddress, destination = hostAddress } = fields;
  return ethernet(ipv4(udp(payload, fields), { source, destination }));
}

export function icmp(type: number, code: number, rest: Uint8Array): Uint8Array {
  const message = concat([type, code, 0, 0], rest);
  message.set(u16(internetChecksum(message)), 2);
  return message;
}

/** An echo request's identifier 0x1234, sequence number 1 and data. */
export function echo(data: Uint8Array): Uint8Array {
  return icmp(8, 0, concat([0x12, 0x34, 0, 1], data));
}

export function icmpFrame(message: Uint8Array, fields: Ipv4Fields = {}): Uint8Array {
  return ethernet(ipv4(message, { protocol: protocolIcmp, ...fields }));
}

/** A frame in which a router says that the IP packet `quoted` is larger than `mtu`. */
export function tooBigFrame(quoted: Uint8Array, mtu: number): Uint8Array {
  return icmpFrame(icmp(3, 4, concat([0, 0], u16(mtu), quoted.subarray(0, 28))));
}

export interface ArpFields {
  readonly operation?: number;
  readonly senderMac?: Uint8Array;
  readonly sender?: string;
  readonly targetMac?: Uint8Array;
  readonly target?: string;
  readonly hardwareType?: number;
  readonly protocolType?: number;
  readonly hardwareLength?: number;
  readonly protocolLength?: number;
  readonly to?: Uint8Array;
}

export function arpFrame(fields: ArpFields = {}): Uint8Array {
  const senderMac = fields.senderMac ?? peerMac;
  const packet = concat(
    u16(fields.hardwareType ?? 1),
    u16(fields.protocolType ?? 0x0800),
    [fields.hardwareLength ?? 6, fields.protocolLength ?? 4],
    u16(fields.operation ?? 1),
    senderMac,
    addressBytes(fields.sender ?? peerAddress),
    fields.targetMac ?? new Uint8Array(6),
    addressBytes(fields.target ?? hostAddress),
  );
  return ethernet(packet, {
    destination: fields.to ?? broadcastMac,
    source: peerMac,
    type: 0x0806,
  });
}

export function isArp(frame: Uint8Array): boolean {
  return readU16(frame, 12) === 0x0806;
}

export interface Ipv4Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly identification: number;
  readonly fragment: number;
  readonly payload: Uint8Array;
}

/** Reads a frame that must be sound: lengths agree and the header's checksum is right. */
export function readIpv4(frame: Uint8Array): Ipv4Packet {
  const packet = frame.subarray(14);
  const headerLength = ((packet[0] as number) & 15) * 4;
  if (readU16(frame, 12) !== 0x0800 || packet[0] !== 0x45)
    throw new Error("not a plain IPv4 frame");
  if (readU16(packet, 2) !== packet.length)
    throw new Error("total length differs from the frame's");
  if (internetSum(packet.subarray(0, headerLength)) !== 0xffff) throw new Error("wrong checksum");
  return {
    source: addressText(packet, 12),
    destination: addressText(packet, 16),
    protocol: packet[9] as number,
    identification: readU16(packet, 4),
    fragment: readU16(packet, 6),
    payload: packet.subarray(headerLength),
  };
}

/** Says whether the checksum of a whole UDP datagram is right. */
export function isUdpSound({ source, destination, payload }: Ipv4Packet): boolean {
  const header = pseudoHeader(source, destination, protocolUdp, payload.length);
  return internetSum(concat(header, payload)) === 0xffff;
}

export interface TcpFields {
  readonly source?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly flags?: number;
  readonly options?: readonly number[];
}

export const tcpSyn = 0x02;

/** A frame with a TCP segment: a SYN from port 40000 to port 80 unless the fields say otherwise. */
export function tcpFrame(payload: Uint8Array, fields: TcpFields = {}): Uint8Array {
  const { source = peerAddress, options = [] } = fields;
  const segment = concat(
    u16(fields.sourcePort ?? 40000),
    u16(fields.destinationPort ?? 80),
    u32(0x01020304),
    u32(0x05060708),
    [(5 + options.length / 4) << 4, fields.flags ?? tcpSyn],
    u16(8192),
    [0, 0, 0, 0],
    options,
    payload,
  );
  const covered = concat(pseudoHeader(source, hostAddress, 6, segment.length), segment);
  segment.set(u16(internetChecksum(covered)), 16);
  return ethernet(ipv4(segment, { source, protocol: 6 }));
}
