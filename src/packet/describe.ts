/** Packets as lines for humans, in tcpdump's manner: for reports, failures and captures. */
import { macText } from "./address";
import { describeTcpOptions } from "./describe-tcp-options";
import { parseIp } from "./parse";
import { PROTOCOL_ICMPV6 } from "./protocols";
import {
  type ArpPacket,
  type IcmpHeader,
  type IpHeader,
  type Packet,
  type TcpHeader,
  type UdpHeader,
  TCP_FIN,
  TCP_SYN,
  TCP_RST,
  TCP_PSH,
  TCP_ACK,
  TCP_URG,
  TCP_ECE,
  TCP_CWR,
  TCP_AE,
} from "./types";

const flagLetters = [
  [TCP_FIN, "F"],
  [TCP_SYN, "S"],
  [TCP_RST, "R"],
  [TCP_PSH, "P"],
  [TCP_ACK, "."],
  [TCP_URG, "U"],
  [TCP_ECE, "E"],
  [TCP_CWR, "W"],
  [TCP_AE, "A"],
] as const;
const ecnNames = ["", " ECT(1)", " ECT(0)", " CE"];

/** One line: addresses, what the innermost header says, the payload's length, and what is wrong. */
export function describePacket(packet: Packet): string {
  const problems = packet.problems.length === 0 ? "" : ` [${packet.problems.join("; ")}]`;
  return describeContents(packet) + problems;
}

function describeContents(packet: Packet): string {
  const { ethernet, arp, ip, payload } = packet;
  if (arp !== undefined) return describeArp(arp);
  if (ip !== undefined) return describeIp(packet, ip);
  if (ethernet === undefined) return `${payload.length} bytes`;
  const type = ethernet.type.toString(16).padStart(4, "0");
  const ends = `${macText(ethernet.source)} > ${macText(ethernet.destination)}`;
  return `${ends} type 0x${type} length ${payload.length}`;
}

function describeArp(arp: ArpPacket): string {
  const { operation, senderAddress, targetAddress } = arp;
  if (operation === 1) return `ARP who-has ${targetAddress} tell ${senderAddress}`;
  if (operation === 2) return `ARP ${senderAddress} is-at ${macText(arp.senderMac)}`;
  return `ARP operation ${operation} from ${senderAddress} to ${targetAddress}`;
}

function describeIp(packet: Packet, ip: IpHeader): string {
  const { tcp, udp, icmp, payload } = packet;
  const ports = tcp ?? udp;
  const ends = describeEnds(ip, ports);
  const marks = `${ecnNames[ip.trafficClass & 3]}${describeFragment(ip)}`;
  if (tcp !== undefined) return `${ends} ${describeTcp(tcp, payload.length)}${marks}`;
  if (udp !== undefined) return `${ends} UDP length ${payload.length}${marks}`;
  if (icmp !== undefined) return `${ends} ${describeIcmp(ip, icmp, payload)}${marks}`;
  return `${ends} protocol ${ip.protocol} length ${payload.length}${marks}`;
}

/** Of an ICMP error's quotation only the beginning is sure to be there. */
function describeQuoted({ ip, tcp, udp }: Packet): string {
  if (ip === undefined) return "";
  const ends = describeEnds(ip, tcp ?? udp);
  if (tcp !== undefined) return ` about ${ends} TCP seq ${tcp.sequence}`;
  return ` about ${ends} ${udp === undefined ? `protocol ${ip.protocol}` : "UDP"}`;
}

function describeEnds(ip: IpHeader, ports: TcpHeader | UdpHeader | undefined): string {
  const source = endpoint(ip.source, ports?.sourcePort);
  return `${source} > ${endpoint(ip.destination, ports?.destinationPort)}`;
}

function endpoint(address: string, port: number | undefined): string {
  if (port === undefined) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function describeFragment(ip: IpHeader): string {
  const offset = ip.version === 4 ? ip.fragmentOffset : (ip.fragment?.offset ?? 0);
  const more = ip.version === 4 ? ip.moreFragments : ip.fragment?.moreFragments === true;
  if (offset === 0 && !more) return "";
  const identification = ip.version === 4 ? ip.identification : ip.fragment?.identification;
  return ` fragment ${identification} at ${offset}${more ? "+" : ""}`;
}

function describeTcp(tcp: TcpHeader, length: number): string {
  let flags = "";
  for (const [bit, letter] of flagLetters) if ((tcp.flags & bit) !== 0) flags += letter;
  const end = (tcp.sequence + length) >>> 0;
  const words = [flags === "" ? "none" : flags, "seq"];
  words.push(length === 0 ? `${tcp.sequence}` : `${tcp.sequence}:${end}(${length})`);
  if ((tcp.flags & TCP_ACK) !== 0) words.push("ack", `${tcp.acknowledgment}`);
  words.push("win", `${tcp.window}`);
  if ((tcp.flags & TCP_URG) !== 0) words.push("urg", `${tcp.urgentPointer}`);
  if (tcp.options.length > 0) words.push(describeTcpOptions(tcp.options));
  return words.join(" ");
}

const unreachable4 = ["net", "host", "protocol", "port", "fragmentation needed", "source route"];
const unreachable6 = ["no route", "prohibited", "beyond scope", "address", "port"];

function describeIcmp(ip: IpHeader, icmp: IcmpHeader, payload: Uint8Array): string {
  const isVersion6 = ip.protocol === PROTOCOL_ICMPV6;
  const name = isVersion6 ? "ICMPv6" : "ICMP";
  const { type, code, rest } = icmp;
  if (type === (isVersion6 ? 128 : 8) || type === (isVersion6 ? 129 : 0)) {
    const kind = type === 8 || type === 128 ? "request" : "reply";
    return `${name} echo ${kind} id ${rest >>> 16} seq ${rest & 0xffff} length ${payload.length}`;
  }
  const text = isVersion6 ? errorText6(type, code, rest) : errorText4(type, code, rest);
  if (text === undefined) return `${name} type ${type} code ${code} length ${payload.length}`;
  return `${name} ${text}${describeQuoted(parseIp(payload, { quoted: true }))}`;
}

/** RFC 792, RFC 1191. */
function errorText4(type: number, code: number, rest: number): string | undefined {
  if (type === 3) {
    const reason = unreachable4[code] ?? `code ${code}`;
    return `unreachable: ${reason}${code === 4 ? `, mtu ${rest & 0xffff}` : ""}`;
  }
  if (type === 4) return "source quench";
  if (type === 5) return "redirect";
  if (type === 11) return code === 0 ? "time exceeded in transit" : "reassembly time exceeded";
  return type === 12 ? `parameter problem at ${rest >>> 24}` : undefined;
}

/** RFC 4443. */
function errorText6(type: number, code: number, rest: number): string | undefined {
  if (type === 1) return `unreachable: ${unreachable6[code] ?? `code ${code}`}`;
  if (type === 2) return `packet too big, mtu ${rest}`;
  if (type === 3) return code === 0 ? "hop limit exceeded" : "reassembly time exceeded";
  return type === 4 ? `parameter problem at ${rest}` : undefined;
}
