/** UDP transmission: header, checksum or its offload. */
import {
  CAPABILITY_CHECKSUM,
  COUNTER_UDP_DATAGRAMS_SENT,
  ERRNO_EACCES,
  ERRNO_EMSGSIZE,
  ERRNO_ENETUNREACH,
  ERRNO_ENOBUFS,
  METADATA_CHECKSUM_OFFSET,
  METADATA_CHECKSUM_START,
  METADATA_FLAGS,
  METADATA_HEADER_LENGTH,
  METADATA_SEGMENT_SIZE,
  OFFLOAD_CHECKSUM_PARTIAL,
  OPTION_METADATA,
} from "../../layout";
import { count } from "../../counters";
import { Interface } from "../../link/interface";
import { addHeader } from "../../memory/chain";
import { sumChain } from "../../memory/chain-checksum";
import { Frame } from "../../memory/frame";
import {
  countFrames,
  IPV4_HEADROOM,
  ipv4CanSend,
  ipv4Send,
  packetMax,
  withHeadroom,
} from "../../network/ipv4-send";
import { route, routeInterface } from "../../network/route";
import { fold, pseudoHeaderSum } from "../../wire/checksum";
import { Ethernet } from "../../wire/ethernet";
import { Ipv4 } from "../../wire/ipv4";
import { Udp } from "../../wire/udp";

const HEADROOM: u32 = IPV4_HEADROOM + Udp.HEADER_LENGTH;
/** Where the UDP header lies in a frame on the wire. */
const CHECKSUM_START: u32 = Ethernet.HEADER_LENGTH + Ipv4.HEADER_LENGTH;

/**
 * Sends a chain as one datagram and takes its ownership. A negative errno leaves the chain with the
 * caller, as it was. `source` 0 stands for the address of the interface that leads to the remote.
 */
export function sendDatagram(
  payload: Frame,
  source: u32,
  sourcePort: u32,
  destination: u32,
  destinationPort: u32,
): i32 {
  if (payload.total > Udp.PAYLOAD_MAX) return -ERRNO_EMSGSIZE;
  if (!route(destination)) {
    return destination == Ipv4.BROADCAST ? -ERRNO_EACCES : -ERRNO_ENETUNREACH;
  }
  const length = payload.total + Udp.HEADER_LENGTH;
  // One piece more than the payload has: the header may need a frame of its own.
  const largest = packetMax(destination, Ipv4.PROTOCOL_UDP);
  const errno = ipv4CanSend(length, countFrames(payload) + 1, largest);
  if (errno != 0) return errno;
  const packet = withHeadroom(payload, HEADROOM);
  if (packet === null) return -ERRNO_ENOBUFS;

  const nic = routeInterface;
  const local = source != 0 ? source : nic.address;
  addHeader(packet, Udp.HEADER_LENGTH);
  Udp.write(packet.data, sourcePort, destinationPort, length);
  const pseudo = pseudoHeaderSum(local, destination, Ipv4.PROTOCOL_UDP, length);
  let options: u32 = 0;
  if (canOffload(nic, packet, largest)) {
    Udp.setChecksum(packet.data, pseudo);
    writeMetadata(packet.data - IPV4_HEADROOM);
    options = OPTION_METADATA;
  } else {
    const checksum = ~fold(<u64>pseudo + sumChain(packet, 0, length)) & 0xffff;
    // A computed zero is sent as all ones: zero says that there is none (RFC 768).
    Udp.setChecksum(packet.data, checksum != 0 ? checksum : 0xffff);
  }
  count(COUNTER_UDP_DATAGRAMS_SENT);
  ipv4Send(packet, local, destination, Ipv4.PROTOCOL_UDP, options);
  return 0;
}

/** Says whether the device may fill in the checksum: it can, and gets the packet as it is. */
function canOffload(nic: Interface, packet: Frame, largest: u32): bool {
  if (!nic.has(CAPABILITY_CHECKSUM)) return false;
  if (packet.total + Ipv4.HEADER_LENGTH > largest) return false;
  return packet.next === null || countFrames(packet) <= nic.chainMax;
}

/** Tells the device to add the sum from the UDP header on to the pseudo-header's in the field. */
function writeMetadata(at: usize): void {
  store<u64>(at, OFFLOAD_CHECKSUM_PARTIAL, METADATA_FLAGS);
  store<u16>(at, <u16>CHECKSUM_START, METADATA_CHECKSUM_START);
  store<u16>(at, <u16>Udp.CHECKSUM, METADATA_CHECKSUM_OFFSET);
  store<u16>(at, 0, METADATA_SEGMENT_SIZE);
  store<u16>(at, 0, METADATA_HEADER_LENGTH);
}
