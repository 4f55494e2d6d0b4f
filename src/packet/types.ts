/** Packets as values: what a parser read, field by field, and what a builder writes. */

/** Six bytes. */
export type MacAddress = Uint8Array;

export interface EthernetHeader {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  readonly type: number;
}

export interface ArpPacket {
  /** 1 request, 2 reply (RFC 826). */
  readonly operation: number;
  readonly senderMac: MacAddress;
  /** Dotted decimal, as every IPv4 address here. */
  readonly senderAddress: string;
  readonly targetMac: MacAddress;
  readonly targetAddress: string;
}

/** RFC 791. */
export interface Ipv4Header {
  readonly version: 4;
  /** Bytes, options included. */
  readonly headerLength: number;
  /** DSCP in the upper six bits, ECN in the lower two (RFC 2474, RFC 3168). */
  readonly trafficClass: number;
  readonly totalLength: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Bytes. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly checksum: number;
  readonly source: string;
  readonly destination: string;
}

/** RFC 8200 section 4.5. */
export interface Ipv6Fragment {
  readonly identification: number;
  /** Bytes. */
  readonly offset: number;
  readonly moreFragments: boolean;
}

/** RFC 8200. `protocol` is the last Next Header, behind extension headers. */
export interface Ipv6Header {
  readonly version: 6;
  /** Bytes, extension headers included. */
  readonly headerLength: number;
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly totalLength: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly fragment?: Ipv6Fragment;
}

export type IpHeader = Ipv4Header | Ipv6Header;

export interface SackBlock {
  readonly left: number;
  readonly right: number;
}

/** One TCP option in its place; a list of them, in order, is what a header carries. */
export type TcpOption =
  | { readonly kind: "eol" }
  | { readonly kind: "nop" }
  | { readonly kind: "mss"; readonly mss: number }
  | { readonly kind: "wscale"; readonly shift: number }
  | { readonly kind: "sackOK" }
  | { readonly kind: "sack"; readonly blocks: readonly SackBlock[] }
  | { readonly kind: "timestamp"; readonly value: number; readonly echo: number }
  /** RFC 7413, or its experimental form (RFC 6994 shared kind 254 with magic 0xF989). */
  | { readonly kind: "fastopen"; readonly cookie: Uint8Array; readonly experimental: boolean }
  | { readonly kind: "md5"; readonly digest: Uint8Array }
  /** AccECN (RFC 9768): kind 172 or 174, counters in the order of the bytes; absent ones undefined. */
  | {
      readonly kind: "accecn";
      readonly order: 0 | 1;
      readonly counters: readonly number[];
    }
  | { readonly kind: "unknown"; readonly number: number; readonly bytes: Uint8Array };

export const TCP_FIN = 0x001;
export const TCP_SYN = 0x002;
export const TCP_RST = 0x004;
export const TCP_PSH = 0x008;
export const TCP_ACK = 0x010;
export const TCP_URG = 0x020;
export const TCP_ECE = 0x040;
export const TCP_CWR = 0x080;
/** AE of AccECN (RFC 9768), the former NS. */
export const TCP_AE = 0x100;

/** RFC 9293 section 3.1. */
export interface TcpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  /** Bytes, options included. */
  readonly headerLength: number;
  /** TCP_… bits. */
  readonly flags: number;
  /** The three bits between the header length and AE. */
  readonly reserved: number;
  /** As on the wire, not scaled. */
  readonly window: number;
  readonly checksum: number;
  readonly urgentPointer: number;
  readonly options: readonly TcpOption[];
  /** The options' bytes as they are, padding included. */
  readonly optionBytes: Uint8Array;
}

/** RFC 768. */
export interface UdpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly length: number;
  readonly checksum: number;
}

/** RFC 792, RFC 4443. `rest` is the header's second word. */
export interface IcmpHeader {
  readonly type: number;
  readonly code: number;
  readonly checksum: number;
  readonly rest: number;
}

/** What a frame or an IP packet holds; layers that are not there are undefined. */
export interface Packet {
  readonly ethernet?: EthernetHeader;
  readonly arp?: ArpPacket;
  readonly ip?: IpHeader;
  readonly tcp?: TcpHeader;
  readonly udp?: UdpHeader;
  readonly icmp?: IcmpHeader;
  /** What follows the innermost header that was read, Ethernet padding cut off; a view. */
  readonly payload: Uint8Array;
  /**
   * Everything that is wrong, in words: truncated headers, impossible lengths, bad checksums,
   * malformed options. Empty for a good packet; parsing never throws.
   */
  readonly problems: readonly string[];
}
