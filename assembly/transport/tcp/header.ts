/** Writes the IPv4 and TCP headers of a segment, and its offload metadata. */
import {
  METADATA_CHECKSUM_OFFSET,
  METADATA_CHECKSUM_START,
  METADATA_FLAGS,
  METADATA_HEADER_LENGTH,
  METADATA_SEGMENT_SIZE,
  METADATA_SIZE,
  OFFLOAD_CHECKSUM_PARTIAL,
} from "../../layout";
import { nextIdentification } from "../../network/identification";
import { PATH_MTU_FLOOR } from "../../network/path-mtu";
import { fold, sumHeader } from "../../wire/checksum";
import { Ethernet } from "../../wire/ethernet";
import { Ipv4 } from "../../wire/ipv4";
import { Tcp } from "../../wire/tcp";
import { Connection } from "./connection";
import { CODEPOINT_SHIFT } from "./ecn";
import { isFragmentable } from "./path-mtu";
import { writeSegmentOptions } from "./segment-options";
import { announceWindow } from "./window";

/** IPv4 and TCP headers without options. */
export const HEADERS_LENGTH: u32 = Ipv4.HEADER_LENGTH + Tcp.HEADER_LENGTH;

/** Sum of the words of the IPv4 header that are the same in every segment, as memory holds them. */
const IP_CONSTANT_WORDS: u32 = 0x0045 + 0x0040 + (Ipv4.PROTOCOL_TCP << 8);

/**
 * Writes both headers at `ip`, `optionBytes` of TCP options included; `flags` has the codepoint above
 * it (ecn.ts). `payload` is the sum of the payload and is not looked at when the device
 * finishes the checksum (`offloaded`): then the field holds the pseudo-header's sum.
 *
 * The identification is 0: a packet that must not be fragmented needs none (RFC 6864 section 4.1).
 * Only where the path carries less than PATH_MTU_FLOOR may it be.
 */
export function writeHeaders(
  connection: Connection,
  ip: usize,
  optionBytes: u32,
  sequence: u32,
  bytes: u32,
  flags: u32,
  payload: u64,
  offloaded: bool,
): void {
  const local = connection.local;
  const remote = connection.remote;
  const headerLength = Tcp.HEADER_LENGTH + optionBytes;
  const tcpLength = headerLength + bytes;
  const service = (<u32>connection.typeOfService) | (flags >> CODEPOINT_SHIFT);
  const hops: u32 = connection.timeToLive;
  Ipv4.write(
    ip,
    Ipv4.HEADER_LENGTH + tcpLength,
    0,
    Ipv4.DONT_FRAGMENT,
    Ipv4.PROTOCOL_TCP,
    local,
    remote,
    service,
    hops,
  );
  const addresses = <u64>local + <u64>remote;
  const constant = IP_CONSTANT_WORDS + (service << 8) + hops;
  // From the values, not from memory: loading words wider than were just stored stalls.
  Ipv4.setChecksum(
    ip,
    ~fold(addresses + <u64>constant + <u64>bswap<u16>(<u16>(Ipv4.HEADER_LENGTH + tcpLength))),
  );
  if (<u32>connection.mss < PATH_MTU_FLOOR && isFragmentable(connection)) allowFragments(ip);
  const tcp = ip + Ipv4.HEADER_LENGTH;
  const ports = rotl<u32>(connection.ports, 16);
  const sequenceWord = bswap<u32>(sequence);
  const acknowledgmentWord = bswap<u32>(connection.receiveNext);
  const window = announceWindow(connection);
  const control =
    (headerLength << 2) | ((flags & 0xff) << 8) | ((<u32>bswap<u16>(<u16>window)) << 16);
  store<u32>(tcp, ports);
  store<u32>(tcp, sequenceWord, 4);
  store<u32>(tcp, acknowledgmentWord, 8);
  store<u32>(tcp, control, 12);
  const options =
    optionBytes != 0 ? writeSegmentOptions(connection, tcp + Tcp.HEADER_LENGTH, optionBytes) : 0;
  const pseudo = addresses + <u64>((Ipv4.PROTOCOL_TCP << 8) + <u32>bswap<u16>(<u16>tcpLength));
  if (offloaded) {
    store<u32>(tcp, fold(pseudo), Tcp.CHECKSUM);
    return;
  }
  const words = <u64>ports + <u64>sequenceWord + <u64>acknowledgmentWord + <u64>control;
  const sum = pseudo + words + options + payload;
  // The urgent pointer behind the checksum is zero.
  store<u32>(tcp, ~fold(sum) & 0xffff, Tcp.CHECKSUM);
}

/** The header at `ip` is of a packet that routers may fragment, which takes an identification. */
function allowFragments(ip: usize): void {
  const source = Ipv4.source(ip);
  const destination = Ipv4.destination(ip);
  const identification = nextIdentification(source, destination, Ipv4.PROTOCOL_TCP);
  const length = Ipv4.totalLength(ip);
  const service = Ipv4.typeOfService(ip);
  const hops = Ipv4.timeToLive(ip);
  Ipv4.write(ip, length, identification, 0, Ipv4.PROTOCOL_TCP, source, destination, service, hops);
  Ipv4.setChecksum(ip, ~sumHeader(ip));
}

/** Tells the device, before the Ethernet header at `at`, what to finish. */
export function writeMetadata(at: usize, optionBytes: u32, bytes: u32, mss: u32): void {
  const headerLength = Ethernet.HEADER_LENGTH + HEADERS_LENGTH + optionBytes;
  const metadata = at - METADATA_SIZE;
  store<u64>(metadata, OFFLOAD_CHECKSUM_PARTIAL, METADATA_FLAGS);
  store<u16>(metadata, <u16>(Ethernet.HEADER_LENGTH + Ipv4.HEADER_LENGTH), METADATA_CHECKSUM_START);
  store<u16>(metadata, <u16>Tcp.CHECKSUM, METADATA_CHECKSUM_OFFSET);
  store<u16>(metadata, <u16>(bytes > mss ? mss : 0), METADATA_SEGMENT_SIZE);
  store<u16>(metadata, <u16>headerLength, METADATA_HEADER_LENGTH);
  store<u64>(metadata, 0, 16);
}
