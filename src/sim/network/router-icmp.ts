/** What a router says itself: errors about packets (RFC 1812 section 4.3), and answers to pings. */
import { ipv4Text } from "../../packet/address";
import { buildIpv4, frameIp } from "../../packet/build";
import { buildIcmp, buildIcmpError } from "../../packet/build-transport";
import { PROTOCOL_ICMP } from "../../packet/protocols";
import { ETHERNET_HEADER_BYTES, read16, read32 } from "./frame-fields";

const ip = ETHERNET_HEADER_BYTES;
const nobody = new Uint8Array(6);
/** Internetwork Control, as RFC 1812 section 4.3.2.5 asks of errors. */
const errorTrafficClass = 0xc0;
const ECHO_REPLY = 0;
const ECHO = 8;
const PARAMETER_PROBLEM = 12;

/** Types 3, 4, 5, 11 and 12 tell of errors; others ask or answer. */
function isError(type: number): boolean {
  return (type >= 3 && type <= 5) || type === 11 || type === PARAMETER_PROBLEM;
}

/**
 * Whether an error may be sent about the packet in this frame: not about errors, later fragments,
 * packets to a group, or from what is no single host (RFC 1812 section 4.3.2.7).
 */
export function mayTellOf(frame: Uint8Array): boolean {
  const headerBytes = ((frame[ip] as number) & 15) * 4;
  const source = read32(frame, ip + 12);
  const destination = read32(frame, ip + 16);
  const firstFragment = (read16(frame, ip + 6) & 0x1fff) === 0;
  const aboutError = frame[ip + 9] === PROTOCOL_ICMP && isError(frame[ip + headerBytes] ?? 3);
  return firstFragment && !aboutError && isSingle(source) && destination < 0xe0000000;
}

function isSingle(address: number): boolean {
  const network = address >>> 24;
  return network !== 0 && network !== 127 && address < 0xe0000000;
}

/** An error about the packet in `frame`, from `source`, as a frame without Ethernet addresses. */
export function errorFrame(
  frame: Uint8Array,
  source: number,
  [type, code, rest]: readonly [type: number, code: number, rest: number],
): Uint8Array {
  const packet = frame.subarray(ip, ip + read16(frame, ip + 2));
  const error = buildIcmpError(type, code, rest, packet);
  return icmpFrame(error, source, read32(frame, ip + 12), errorTrafficClass);
}

/** The answer to the ping in `frame`; undefined when it is none. */
export function echoReplyFrame(frame: Uint8Array): Uint8Array | undefined {
  const at = ip + ((frame[ip] as number) & 15) * 4;
  const end = ip + read16(frame, ip + 2);
  const fragmented = (read16(frame, ip + 6) & 0x3fff) !== 0;
  if (frame[ip + 9] !== PROTOCOL_ICMP || fragmented || at + 8 > end) return undefined;
  if (frame[at] !== ECHO || frame[at + 1] !== 0) return undefined;
  const fields = { type: ECHO_REPLY, code: 0, rest: read32(frame, at + 4) };
  const reply = buildIcmp(fields, frame.subarray(at + 8, end));
  return icmpFrame(reply, read32(frame, ip + 16), read32(frame, ip + 12), frame[ip + 1] as number);
}

function icmpFrame(
  message: Uint8Array,
  source: number,
  destination: number,
  trafficClass: number,
): Uint8Array {
  const packet = buildIpv4(
    {
      source: ipv4Text(source),
      destination: ipv4Text(destination),
      protocol: PROTOCOL_ICMP,
      trafficClass,
    },
    message,
  );
  return frameIp({ destination: nobody, source: nobody }, packet);
}
