/**
 * UDP header (RFC 768). Accessors over an address; callers check the length first. The checksum is
 * as it loads from memory.
 */
export class Udp {
  static readonly HEADER_LENGTH: u32 = 8;
  static readonly CHECKSUM: u32 = 6;
  /** Largest payload of a datagram in an IPv4 packet without options. */
  static readonly PAYLOAD_MAX: u32 = 65507;

  @inline static sourcePort(at: usize): u32 {
    return bswap<u16>(load<u16>(at));
  }

  @inline static destinationPort(at: usize): u32 {
    return bswap<u16>(load<u16>(at, 2));
  }

  @inline static length(at: usize): u32 {
    return bswap<u16>(load<u16>(at, 4));
  }

  @inline static checksum(at: usize): u32 {
    return load<u16>(at, 6);
  }

  @inline static setChecksum(at: usize, checksum: u32): void {
    store<u16>(at, <u16>checksum, 6);
  }

  /** Writes the header, its checksum zero. */
  @inline static write(at: usize, sourcePort: u32, destinationPort: u32, length: u32): void {
    store<u16>(at, bswap<u16>(<u16>sourcePort));
    store<u16>(at, bswap<u16>(<u16>destinationPort), 2);
    store<u32>(at, bswap<u16>(<u16>length), 4);
  }
}
