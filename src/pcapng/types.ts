/** What a capture holds: what a writer is given and a reader gives. */

export const LINK_TYPE_ETHERNET = 1;
/** IPv4 or IPv6 without a link header, told apart by the version. */
export const LINK_TYPE_RAW = 101;

export interface CaptureOptions {
  /** The program that makes the capture. */
  readonly application?: string;
  readonly hardware?: string;
  /** Operating system. */
  readonly system?: string;
  readonly comment?: string;
}

export interface CaptureInterface {
  readonly name?: string;
  readonly description?: string;
  /** As tcpdump.org numbers them: LINK_TYPE_… */
  readonly linkType: number;
  /** Bytes of a packet that are kept; 0 for all. */
  readonly snapLength?: number;
}

export type Direction = "in" | "out";

export interface CapturePacket {
  readonly interfaceId: number;
  /** Nanoseconds since 1970, or since the start of a simulation. */
  readonly timeNs: bigint | number;
  /** As captured, link header first. */
  readonly bytes: Uint8Array;
  /** Of the packet before it was cut. */
  readonly originalLength?: number;
  readonly comments?: readonly string[];
  /** As the interface sees it. */
  readonly direction?: Direction;
  /** Packets that were lost between the one before and this. */
  readonly dropped?: number;
}
