/** Packets in the language's own words, so that expected and actual read alike. */
import {
  TCP_ACK,
  TCP_AE,
  TCP_CWR,
  TCP_ECE,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
} from "../../packet/types";
import { printMplsLabels } from "./print-expression";
import { printTcpOptions } from "./print-tcp-options";
import type {
  EchoedHeader,
  GreHeader,
  IcmpBody,
  IpFields,
  OuterHeader,
  PacketAction,
  PacketBody,
  Ports,
  TcpBody,
} from "./script";

/** In the order in which scripts write them. */
const letters: readonly (readonly [number, string])[] = [
  [TCP_SYN, "S"],
  [TCP_FIN, "F"],
  [TCP_RST, "R"],
  [TCP_PSH, "P"],
  [TCP_AE, "A"],
  [TCP_ECE, "E"],
  [TCP_CWR, "W"],
  [TCP_URG, "U"],
  [TCP_ACK, "."],
];

/** `S.`, `PW.`, `.5`; `-` for none. */
export function printFlags(flags: number, ace?: number): string {
  const text = letters.filter(([bit]) => (flags & bit) !== 0).map(([, letter]) => letter);
  const all = `${text.join("")}${ace ?? ""}`;
  return all === "" ? "-" : all;
}

function printSequence({ sequence, length }: { sequence: number; length: number }): string {
  return `${sequence}:${(sequence + length) >>> 0}(${length})`;
}

function printTcp(body: TcpBody): string {
  const acknowledgment = body.acknowledgment === undefined ? "" : ` ack ${body.acknowledgment}`;
  const window = body.window === undefined ? "" : ` win ${body.window}`;
  const urgent = body.urgentPointer === undefined ? "" : ` urg ${body.urgentPointer}`;
  const head = `${printFlags(body.flags, body.ace)} ${printSequence(body)}`;
  return `${head}${acknowledgment}${window}${urgent}${printTcpOptions(body.options)}`;
}

function printPorts(ports: Ports | undefined): string {
  return ports === undefined ? "" : `${ports.source} > ${ports.destination} `;
}

function printEchoed(echoed: EchoedHeader): string {
  switch (echoed.kind) {
    case "tcp":
      return ` [${printSequence(echoed)}]`;
    case "udp":
      return ` [udp ${printPorts(echoed.ports)}(${echoed.length})]`;
    case "raw":
      return ` [raw (${echoed.length})]`;
  }
}

function printIcmp(body: IcmpBody): string {
  const code = body.code === undefined ? "" : ` ${body.code}`;
  const mtu = body.mtu === undefined ? "" : ` mtu ${body.mtu}`;
  const identifier = body.identifier === undefined ? "" : ` id ${body.identifier}`;
  const echoed = body.echoed === undefined ? "" : printEchoed(body.echoed);
  return `icmp ${body.type}${code}${mtu}${identifier}${echoed}`;
}

function printBody(body: PacketBody, ports: Ports | undefined): string {
  switch (body.kind) {
    case "tcp":
      return `${printPorts(ports)}${printTcp(body)}`;
    case "udp":
      return `udp ${printPorts(ports)}(${body.length})`;
    case "icmp":
      return printIcmp(body);
  }
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

function printIpFields({ ecn, tos, flowLabel, ttl }: IpFields): string {
  const fields = [
    ...(ecn === undefined ? [] : [ecn]),
    ...(tos === undefined ? [] : [`tos ${hex(tos, 2)}`]),
    ...(flowLabel === undefined ? [] : [`flowlabel ${hex(flowLabel, 5)}`]),
    ...(ttl === undefined ? [] : [`ttl ${ttl}`]),
  ];
  return fields.length === 0 ? "" : `[${fields.join(", ")}] `;
}

function printGre({ flags, checksum, offset, key, sequence }: GreHeader): string {
  const words = `sum ${hex(checksum, 4)}, off ${hex(offset, 4)}, key=${hex(key, 1)}`;
  return `flags ${hex(flags, 4)}, ${words}, seq ${hex(sequence, 1)} `;
}

function printOuterHeader(header: OuterHeader): string {
  switch (header.kind) {
    case "gre":
      return `gre ${header.header === undefined ? "" : printGre(header.header)}: `;
    case "mpls":
      return `mpls ${printMplsLabels(header.labels)} : `;
    default:
      return `${header.kind} ${printIpFields(header.ip)}${header.source} > ${header.destination} : `;
  }
}

/** Behind the direction; `<` and `>` stand in front where `direction` is asked for. */
export function printPacket(
  packet: PacketAction,
  { direction = true }: { readonly direction?: boolean } = {},
): string {
  const way = !direction ? "" : packet.direction === "inbound" ? "< " : "> ";
  const outer = packet.outerHeaders.map(printOuterHeader).join("");
  const psp = packet.pspSpi === undefined ? "" : `encap psp spi ${packet.pspSpi} `;
  return `${way}${outer}${printIpFields(packet.ip)}${psp}${printBody(packet.body, packet.ports)}`;
}
