/** ICMP header (RFC 792). Accessors over an address; callers check the length first. */
export class Icmpv4 {
  static readonly HEADER_LENGTH: u32 = 8;

  static readonly TYPE_ECHO_REPLY: u32 = 0;
  static readonly TYPE_UNREACHABLE: u32 = 3;
  static readonly TYPE_ECHO: u32 = 8;
  static readonly TYPE_TIME_EXCEEDED: u32 = 11;
  static readonly TYPE_TIMESTAMP: u32 = 13;
  static readonly TYPE_TIMESTAMP_REPLY: u32 = 14;

  static readonly CODE_NET_UNREACHABLE: u32 = 0;
  static readonly CODE_HOST_UNREACHABLE: u32 = 1;
  static readonly CODE_PROTOCOL_UNREACHABLE: u32 = 2;
  static readonly CODE_PORT_UNREACHABLE: u32 = 3;
  static readonly CODE_FRAGMENTATION_NEEDED: u32 = 4;
  static readonly CODE_REASSEMBLY_TIMEOUT: u32 = 1;

  @inline static type(at: usize): u32 {
    return load<u8>(at);
  }

  @inline static setType(at: usize, type: u32): void {
    store<u8>(at, <u8>type);
  }

  @inline static code(at: usize): u32 {
    return load<u8>(at, 1);
  }

  @inline static checksum(at: usize): u32 {
    return load<u16>(at, 2);
  }

  @inline static setChecksum(at: usize, checksum: u32): void {
    store<u16>(at, <u16>checksum, 2);
  }

  /** Of CODE_FRAGMENTATION_NEEDED: the next hop's MTU, 0 from old routers (RFC 1191 section 4). */
  @inline static nextHopMtu(at: usize): u32 {
    return bswap<u16>(load<u16>(at, 6));
  }

  /** Writes the header of an error, its checksum and its unused word zero. */
  @inline static writeError(at: usize, type: u32, code: u32): void {
    store<u64>(at, type | (code << 8));
  }
}
