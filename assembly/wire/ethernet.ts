/**
 * Ethernet II header (IEEE 802.3 clause 3). Accessors over an address; callers check the length
 * first. EtherTypes are compared as they load from memory.
 */
export class Ethernet {
  static readonly HEADER_LENGTH: u32 = 14;
  static readonly MAC_LENGTH: u32 = 6;
  static readonly SOURCE: u32 = 6;

  /** 0x0800, 0x0806 and 0x86DD with their bytes in network order. */
  static readonly TYPE_IPV4: u16 = 0x0008;
  static readonly TYPE_ARP: u16 = 0x0608;
  static readonly TYPE_IPV6: u16 = 0xdd86;

  @inline static type(at: usize): u16 {
    return load<u16>(at, 12);
  }

  @inline static setType(at: usize, type: u16): void {
    store<u16>(at, type, 12);
  }

  /** Says whether the MAC at `at` has the group bit: multicast and broadcast. */
  @inline static isGroup(at: usize): bool {
    return (load<u8>(at) & 1) != 0;
  }

  @inline static isBroadcast(at: usize): bool {
    return load<u32>(at) == 0xffff_ffff && load<u16>(at, 4) == 0xffff;
  }

  @inline static isZero(at: usize): bool {
    return (load<u32>(at) | load<u16>(at, 4)) == 0;
  }

  @inline static isSame(one: usize, other: usize): bool {
    return load<u32>(one) == load<u32>(other) && load<u16>(one, 4) == load<u16>(other, 4);
  }

  @inline static copyMac(to: usize, from: usize): void {
    store<u32>(to, load<u32>(from));
    store<u16>(to, load<u16>(from, 4), 4);
  }

  @inline static setBroadcast(at: usize): void {
    store<u32>(at, 0xffff_ffff);
    store<u16>(at, 0xffff, 4);
  }

  /** Copies a prepared header; the caller has 14 bytes on both sides. */
  @inline static copyHeader(to: usize, from: usize): void {
    store<u64>(to, load<u64>(from));
    store<u32>(to, load<u32>(from, 8), 8);
    store<u16>(to, load<u16>(from, 12), 12);
  }
}
