/**
 * ARP for IPv4 over Ethernet (RFC 826). Accessors over the address of the ARP packet, behind its
 * Ethernet header; callers check the length first.
 */
export class Arp {
  static readonly LENGTH: u32 = 28;
  static readonly OPERATION_REQUEST: u16 = 1;
  static readonly OPERATION_REPLY: u16 = 2;
  static readonly SENDER_HARDWARE: u32 = 8;
  static readonly TARGET_HARDWARE: u32 = 18;
  /** Hardware type 1, protocol type 0x0800, lengths 6 and 4, as they load from memory. */
  static readonly FORMAT: u64 = 0x0000_0406_0008_0100;
  static readonly FORMAT_MASK: u64 = 0x0000_ffff_ffff_ffff;

  /** Says whether hardware and protocol types and lengths are Ethernet's and IPv4's. */
  @inline static isEthernetIpv4(at: usize): bool {
    return (load<u64>(at) & Arp.FORMAT_MASK) == Arp.FORMAT;
  }

  @inline static operation(at: usize): u16 {
    return bswap<u16>(load<u16>(at, 6));
  }

  /** Writes the types, the lengths and the operation. */
  @inline static setFormat(at: usize, operation: u16): void {
    store<u64>(at, Arp.FORMAT | ((<u64>bswap<u16>(operation)) << 48));
  }

  /** Address of the sender's MAC. */
  @inline static senderHardware(at: usize): usize {
    return at + Arp.SENDER_HARDWARE;
  }

  /** Protocol addresses are in network byte order. */
  @inline static senderProtocol(at: usize): u32 {
    return load<u32>(at, 14);
  }

  @inline static setSenderProtocol(at: usize, address: u32): void {
    store<u32>(at, address, 14);
  }

  /** Address of the target's MAC. */
  @inline static targetHardware(at: usize): usize {
    return at + Arp.TARGET_HARDWARE;
  }

  @inline static targetProtocol(at: usize): u32 {
    return load<u32>(at, 24);
  }

  @inline static setTargetProtocol(at: usize, address: u32): void {
    store<u32>(at, address, 24);
  }
}
