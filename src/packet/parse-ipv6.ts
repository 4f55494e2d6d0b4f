/** RFC 8200 with the extension headers of section 4 and RFC 4302. */
import { ipv6Text } from "./address";
import { sumBytes } from "./checksum";
import type { Draft, Reading } from "./draft";
import { parseTransport } from "./parse-transport";
import {
  NEXT_HEADER_AUTHENTICATION,
  NEXT_HEADER_DESTINATION,
  NEXT_HEADER_FRAGMENT,
  NEXT_HEADER_HOP_BY_HOP,
  NEXT_HEADER_ROUTING,
} from "./protocols";
import type { Ipv6Fragment, Ipv6Header } from "./types";

const FIXED_HEADER = 40;

export function parseIpv6(packet: Draft, reading: Reading): void {
  const { bytes, view, start } = reading;
  const available = bytes.length - start;
  if (available < FIXED_HEADER) {
    packet.problems.push(`IPv6 header needs 40 bytes but only ${available} are here`);
    return;
  }
  const totalLength = FIXED_HEADER + view.getUint16(start + 4);
  const isCut = totalLength > available;
  if (isCut && !reading.quoted) {
    packet.problems.push(
      `IPv6 payload length is ${totalLength - FIXED_HEADER} ` +
        `but only ${available - FIXED_HEADER} bytes follow`,
    );
  }
  const end = start + Math.min(available, totalLength);
  const chain = readExtensions(packet, reading, end);
  const { protocol, fragment } = chain;
  packet.ip = readHeader(view, start, totalLength, chain);
  packet.payload = bytes.subarray(chain.at, end);
  const isFragment = fragment !== undefined && (fragment.moreFragments || fragment.offset > 0);
  if (isFragment) checkFragment(packet, fragment);
  if (!chain.isComplete || (fragment !== undefined && fragment.offset > 0)) return;
  parseTransport(packet, reading, {
    protocol,
    version: 6,
    start: chain.at,
    end,
    // On the way to the addresses of a routing header the pseudo-header has the last one.
    addressesSum: chain.isRouted ? undefined : sumBytes(view, start + 8, start + FIXED_HEADER),
    isWhole: !isCut && !isFragment,
  });
}

interface Chain {
  protocol: number;
  /** Where what `protocol` names starts. */
  at: number;
  fragment: Ipv6Fragment | undefined;
  isRouted: boolean;
  isComplete: boolean;
}

function readHeader(
  view: DataView,
  start: number,
  totalLength: number,
  { protocol, at, fragment }: Chain,
): Ipv6Header {
  const first = view.getUint32(start);
  const header = {
    version: 6,
    headerLength: at - start,
    trafficClass: (first >>> 20) & 255,
    flowLabel: first & 0xfffff,
    totalLength,
    ttl: view.getUint8(start + 7),
    protocol,
    source: ipv6Text(view, start + 8),
    destination: ipv6Text(view, start + 24),
  } as const;
  return fragment === undefined ? header : { ...header, fragment };
}

/** Walks to the first header that is no extension, or as far as the bytes go. */
function readExtensions(packet: Draft, { view, start, quoted }: Reading, end: number): Chain {
  const chain: Chain = {
    protocol: view.getUint8(start + 6),
    at: start + FIXED_HEADER,
    fragment: undefined,
    isRouted: false,
    isComplete: true,
  };
  // What follows a later fragment's header belongs to the middle of the original packet.
  while (isExtension(chain.protocol) && (chain.fragment?.offset ?? 0) === 0) {
    const { protocol, at } = chain;
    const length = at + 8 <= end ? extensionLength(protocol, view.getUint8(at + 1)) : 8;
    if (at + length > end) {
      if (!quoted) packet.problems.push(`IPv6 extension header ${protocol} is cut off`);
      chain.isComplete = false;
      return chain;
    }
    if (protocol === NEXT_HEADER_HOP_BY_HOP && at !== start + FIXED_HEADER) {
      packet.problems.push("IPv6 hop-by-hop options do not come first");
    }
    if (protocol === NEXT_HEADER_ROUTING && view.getUint8(at + 3) > 0) chain.isRouted = true;
    if (protocol === NEXT_HEADER_FRAGMENT) chain.fragment = readFragment(view, at);
    chain.protocol = view.getUint8(at);
    chain.at = at + length;
  }
  return chain;
}

function isExtension(nextHeader: number): boolean {
  return (
    nextHeader === NEXT_HEADER_HOP_BY_HOP ||
    nextHeader === NEXT_HEADER_ROUTING ||
    nextHeader === NEXT_HEADER_FRAGMENT ||
    nextHeader === NEXT_HEADER_AUTHENTICATION ||
    nextHeader === NEXT_HEADER_DESTINATION
  );
}

function extensionLength(nextHeader: number, field: number): number {
  if (nextHeader === NEXT_HEADER_FRAGMENT) return 8;
  return nextHeader === NEXT_HEADER_AUTHENTICATION ? (field + 2) * 4 : (field + 1) * 8;
}

function readFragment(view: DataView, at: number): Ipv6Fragment {
  const field = view.getUint16(at + 2);
  return {
    identification: view.getUint32(at + 4),
    offset: field & 0xfff8,
    moreFragments: (field & 1) !== 0,
  };
}

function checkFragment(packet: Draft, fragment: Ipv6Fragment): void {
  const { length } = packet.payload;
  if (fragment.moreFragments && length % 8 !== 0) {
    packet.problems.push(`IPv6 fragment of ${length} bytes is not the last but no multiple of 8`);
  }
  if (fragment.offset + length > 65535)
    packet.problems.push("IPv6 fragment ends behind 65535 bytes");
}
