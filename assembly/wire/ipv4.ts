/**
 * IPv4 header (RFC 791 section 3.1). Accessors over an address; callers check the length first.
 * Addresses and the checksum are as they load from memory (network byte order).
 */
export class Ipv4 {
  static readonly HEADER_LENGTH: u32 = 20;
  static readonly LENGTH_MAX: u32 = 65535;
  static readonly TIME_TO_LIVE: u32 = 64;

  static readonly PROTOCOL_ICMP: u32 = 1;
  static readonly PROTOCOL_TCP: u32 = 6;
  static readonly PROTOCOL_UDP: u32 = 17;

  // Codepoints of the ECN field (RFC 3168 section 5).
  static readonly NOT_ECT: u32 = 0;
  static readonly ECT_0: u32 = 2;
  static readonly CE: u32 = 3;

  /** Bits of `fragment`. */
  static readonly DONT_FRAGMENT: u32 = 0x4000;
  static readonly MORE_FRAGMENTS: u32 = 0x2000;
  static readonly FRAGMENT_OFFSET: u32 = 0x1fff;

  static readonly OPTION_END: u32 = 0;
  static readonly OPTION_NOOP: u32 = 1;
  static readonly OPTION_LOOSE_SOURCE_ROUTE: u32 = 131;
  static readonly OPTION_STRICT_SOURCE_ROUTE: u32 = 137;

  static readonly BROADCAST: u32 = 0xffff_ffff;

  @inline static version(at: usize): u32 {
    return load<u8>(at) >> 4;
  }

  /** IHL in bytes. */
  @inline static headerLength(at: usize): u32 {
    return (<u32>(load<u8>(at) & 15)) << 2;
  }

  /** The ECN field: the two low bits of what RFC 791 calls the type of service. */
  @inline static ecn(at: usize): u32 {
    return load<u8>(at, 1) & 3;
  }

  @inline static setEcn(at: usize, codepoint: u32): void {
    store<u8>(at, <u8>((load<u8>(at, 1) & 0xfc) | codepoint), 1);
  }

  @inline static totalLength(at: usize): u32 {
    return bswap<u16>(load<u16>(at, 2));
  }

  @inline static setTotalLength(at: usize, length: u32): void {
    store<u16>(at, bswap<u16>(<u16>length), 2);
  }

  /** As it loads from memory: identifications are only compared. */
  @inline static identification(at: usize): u32 {
    return load<u16>(at, 4);
  }

  /** DONT_FRAGMENT, MORE_FRAGMENTS and, in units of 8 bytes, FRAGMENT_OFFSET. */
  @inline static fragment(at: usize): u32 {
    return bswap<u16>(load<u16>(at, 6));
  }

  @inline static setFragment(at: usize, fragment: u32): void {
    store<u16>(at, bswap<u16>(<u16>fragment), 6);
  }

  @inline static typeOfService(at: usize): u32 {
    return load<u8>(at, 1);
  }

  @inline static timeToLive(at: usize): u32 {
    return load<u8>(at, 8);
  }

  @inline static protocol(at: usize): u32 {
    return load<u8>(at, 9);
  }

  @inline static checksum(at: usize): u32 {
    return load<u16>(at, 10);
  }

  @inline static setChecksum(at: usize, checksum: u32): void {
    store<u16>(at, <u16>checksum, 10);
  }

  @inline static source(at: usize): u32 {
    return load<u32>(at, 12);
  }

  @inline static destination(at: usize): u32 {
    return load<u32>(at, 16);
  }

  /** Writes a header without options, its checksum zero. */
  @inline static write(
    at: usize,
    totalLength: u32,
    identification: u32,
    fragment: u32,
    protocol: u32,
    source: u32,
    destination: u32,
    typeOfService: u32,
    timeToLive: u32,
  ): void {
    store<u32>(at, 0x45 | (typeOfService << 8) | ((<u32>bswap<u16>(<u16>totalLength)) << 16));
    store<u32>(at, (identification & 0xffff) | ((<u32>bswap<u16>(<u16>fragment)) << 16), 4);
    store<u32>(at, timeToLive | (protocol << 8), 8);
    store<u32>(at, source, 12);
    store<u32>(at, destination, 16);
  }

  /** Sets the type of service and the time to live, without the checksum. */
  @inline static setService(at: usize, typeOfService: u8, timeToLive: u8): void {
    store<u8>(at, typeOfService, 1);
    store<u8>(at, timeToLive, 8);
  }

  /** Says whether an address can name one host: not 0/8, 127/8, multicast, class E, broadcast. */
  @inline static isUnicast(address: u32): bool {
    const first = address & 0xff;
    return first - 1 < 223 && first != 127;
  }
}
