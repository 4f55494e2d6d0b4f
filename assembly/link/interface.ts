/** A network interface: its addresses, what its device can do, and the device's four rings. */
import {
  ADDRESS_IPV4,
  INTERFACE_ADDRESS,
  INTERFACE_CAPABILITIES,
  INTERFACE_CHAIN_MAX,
  INTERFACE_GATEWAY,
  INTERFACE_MAC,
  INTERFACE_MTU,
  INTERFACE_POSTED_MAX,
  INTERFACE_PREFIX,
  INTERFACE_RINGS,
  INTERFACE_SEGMENT_MAX,
  INTERFACE_SIZE,
  RING_COMPLETION,
  RING_FILL,
  RING_RECORD_SIZE,
  RING_RX,
  RING_TX,
} from "../layout";
import { carve } from "../memory/region";
import { Ring } from "../memory/ring";

@unmanaged
export class Interface {
  mac0: u8;
  mac1: u8;
  mac2: u8;
  mac3: u8;
  mac4: u8;
  mac5: u8;
  /** Length of the on-link IPv4 prefix in bits. */
  prefix: u8;
  up: u8;
  index: u32;
  /** Frames that the device holds: posted in the fill ring, not yet received. */
  posted: u32;
  /** IPv4-mapped address, network byte order. */
  addressHigh: u64;
  addressMapped: u32;
  address: u32;
  /** Largest IP packet in bytes (RFC 1122's MTU, without the Ethernet header). */
  mtu: u32;
  /** CAPABILITY_… bits. */
  capabilities: u32;
  /** Largest super-frame's IP packet in bytes; the MTU when the device cannot segment. */
  segmentMax: u32;
  /** Descriptors one packet may consist of. */
  chainMax: u32;
  /** On-link mask and broadcast addresses, network byte order, kept ready for the receive path. */
  mask: u32;
  broadcast: u32;
  /** A TX descriptor was written since the last publish. */
  transmitDirty: u32;
  /** Frame record of the packet whose last descriptor has not arrived yet; 0 for none. */
  partialHead: usize;
  /** Next hop of everything that is not on-link, network byte order; 0 for none. */
  gateway: u32;
  /** Frames to post at most. A device that copies works best with few, which stay in the cache. */
  postedMax: u32;

  @inline get mac(): usize {
    return changetype<usize>(this) + INTERFACE_MAC;
  }
  @inline get rx(): Ring {
    return changetype<Ring>(changetype<usize>(this) + INTERFACE_RINGS + RING_RX * RING_RECORD_SIZE);
  }
  @inline get tx(): Ring {
    return changetype<Ring>(changetype<usize>(this) + INTERFACE_RINGS + RING_TX * RING_RECORD_SIZE);
  }
  @inline get fill(): Ring {
    return changetype<Ring>(
      changetype<usize>(this) + INTERFACE_RINGS + RING_FILL * RING_RECORD_SIZE,
    );
  }
  @inline get completion(): Ring {
    return changetype<Ring>(
      changetype<usize>(this) + INTERFACE_RINGS + RING_COMPLETION * RING_RECORD_SIZE,
    );
  }
  /** The ring of kind RING_… */
  @inline ring(kind: u32): Ring {
    return changetype<Ring>(changetype<usize>(this) + INTERFACE_RINGS + kind * RING_RECORD_SIZE);
  }
  /** Says whether an address lies in the interface's own prefix. */
  @inline isOnLink(address: u32): bool {
    return this.address != 0 && ((address ^ this.address) & this.mask) == 0;
  }
  @inline has(capability: u32): bool {
    return (this.capabilities & capability) != 0;
  }
}

if (offsetof<Interface>("prefix") != INTERFACE_PREFIX) ERROR("Interface drifted from layout.ts");
if (offsetof<Interface>("addressHigh") != INTERFACE_ADDRESS) ERROR("Interface drifted");
if (offsetof<Interface>("address") != INTERFACE_ADDRESS + ADDRESS_IPV4) ERROR("Interface drifted");
if (offsetof<Interface>("gateway") != INTERFACE_GATEWAY) ERROR("Interface drifted");
if (offsetof<Interface>("postedMax") != INTERFACE_POSTED_MAX) ERROR("Interface drifted");
if (offsetof<Interface>("mtu") != INTERFACE_MTU) ERROR("Interface drifted from layout.ts");
if (offsetof<Interface>("capabilities") != INTERFACE_CAPABILITIES) ERROR("Interface drifted");
if (offsetof<Interface>("segmentMax") != INTERFACE_SEGMENT_MAX) ERROR("Interface drifted");
if (offsetof<Interface>("chainMax") != INTERFACE_CHAIN_MAX) ERROR("Interface drifted");
if (offsetof<Interface>() > INTERFACE_RINGS) ERROR("Interface fields run into its rings");

let interfaces: usize = 0;
let interfaceCount: u32 = 0;

export function openInterfaces(count: u32): void {
  interfaceCount = count;
  interfaces = carve(count * INTERFACE_SIZE, 64);
}

export function interfaceRecords(): usize {
  return interfaces;
}

export function interfacesTotal(): u32 {
  return interfaceCount;
}

export function interfaceAt(index: u32): Interface {
  return changetype<Interface>(interfaces + <usize>index * INTERFACE_SIZE);
}
