/**
 * TCP header (RFC 9293 section 3.1). Accessors over an address; callers check the length first. The
 * checksum is as it loads from memory, everything else in the machine's order.
 */
export class Tcp {
  static readonly HEADER_LENGTH: u32 = 20;
  static readonly HEADER_LENGTH_MAX: u32 = 60;
  static readonly CHECKSUM: u32 = 16;

  static readonly FIN: u32 = 0x01;
  static readonly SYN: u32 = 0x02;
  static readonly RST: u32 = 0x04;
  static readonly PSH: u32 = 0x08;
  static readonly ACK: u32 = 0x10;
  static readonly URG: u32 = 0x20;
  static readonly ECE: u32 = 0x40;
  static readonly CWR: u32 = 0x80;

  @inline static sourcePort(at: usize): u32 {
    return bswap<u16>(load<u16>(at));
  }

  @inline static destinationPort(at: usize): u32 {
    return bswap<u16>(load<u16>(at, 2));
  }

  /** Both ports as they load from memory: the key a connection is found by. */
  @inline static ports(at: usize): u32 {
    return load<u32>(at);
  }

  @inline static setPorts(at: usize, sourcePort: u32, destinationPort: u32): void {
    store<u16>(at, bswap<u16>(<u16>sourcePort));
    store<u16>(at, bswap<u16>(<u16>destinationPort), 2);
  }

  @inline static sequence(at: usize): u32 {
    return bswap<u32>(load<u32>(at, 4));
  }

  @inline static setSequence(at: usize, sequence: u32): void {
    store<u32>(at, bswap<u32>(sequence), 4);
  }

  @inline static acknowledgment(at: usize): u32 {
    return bswap<u32>(load<u32>(at, 8));
  }

  @inline static setAcknowledgment(at: usize, acknowledgment: u32): void {
    store<u32>(at, bswap<u32>(acknowledgment), 8);
  }

  /** Data offset in bytes: the length of the header with its options. */
  @inline static headerLength(at: usize): u32 {
    return (<u32>(load<u8>(at, 12) >> 4)) << 2;
  }

  @inline static flags(at: usize): u32 {
    return load<u8>(at, 13);
  }

  /** Data offset (in bytes, a multiple of 4) and flags. */
  @inline static setHeaderLengthAndFlags(at: usize, headerLength: u32, flags: u32): void {
    store<u16>(at, <u16>((headerLength << 2) | (flags << 8)), 12);
  }

  /** Unscaled, as the field holds it. */
  @inline static window(at: usize): u32 {
    return bswap<u16>(load<u16>(at, 14));
  }

  @inline static setWindow(at: usize, window: u32): void {
    store<u16>(at, bswap<u16>(<u16>window), 14);
  }

  @inline static checksum(at: usize): u32 {
    return load<u16>(at, 16);
  }

  @inline static setChecksum(at: usize, checksum: u32): void {
    store<u16>(at, <u16>checksum, 16);
  }

  @inline static urgentPointer(at: usize): u32 {
    return bswap<u16>(load<u16>(at, 18));
  }

  @inline static setUrgentPointer(at: usize, pointer: u32): void {
    store<u16>(at, bswap<u16>(<u16>pointer), 18);
  }
}
