/** A packet of the system under test in the script's terms, to compare and to print. */
import { parseIp } from "../../packet/parse";
import {
  type Packet,
  TCP_ACK,
  TCP_AE,
  TCP_CWR,
  TCP_ECE,
  type TcpHeader,
  type TcpOption,
} from "../../packet/types";
import { icmpNames } from "../language/icmp-names";
import type {
  EchoedHeader,
  IcmpBody,
  IpFields,
  PacketAction,
  PacketBody,
  Ports,
  ScriptTcpOption,
  TcpBody,
} from "../language/script";
import type { SentPacket } from "../targets/target";
import type { Flow, Flows } from "./flow";

/** A packet that the system sent, read. */
export interface Sighting {
  readonly timeUs: number;
  readonly bytes: Uint8Array;
  readonly packet: Packet;
  /** Undefined for ICMP about nothing known, and for what is neither TCP, UDP nor ICMP. */
  readonly flow: Flow | undefined;
}

const ECN_NAMES = ["noecn", "ect1", "ect0", "ce"] as const;
const ICMP_UNREACHABLE = 3;
const ICMP_FRAGMENTATION_NEEDED = 4;
const ICMPV6_PACKET_TOO_BIG = 2;
/** Neighbour discovery and multicast listeners (RFC 4861, RFC 3810) are no part of a script. */
const ICMPV6_HOUSEKEEPING = new Set([130, 131, 132, 133, 134, 135, 136, 137, 143]);
const PROTOCOL_IGMP = 2;

/** Reads a packet and finds its conversation; undefined for the system's own housekeeping. */
export function sight(sent: SentPacket, flows: Flows): Sighting | undefined {
  const packet = parseIp(sent.bytes);
  const { ip, icmp } = packet;
  if (ip?.protocol === PROTOCOL_IGMP) return undefined;
  if (ip?.version === 6 && icmp !== undefined && ICMPV6_HOUSEKEEPING.has(icmp.type)) {
    return undefined;
  }
  return { ...sent, packet, flow: flowOf(packet, flows) };
}

function flowOf({ tcp, udp, icmp, payload }: Packet, flows: Flows): Flow | undefined {
  if (tcp !== undefined) return flows.ofWire("tcp", tcp.sourcePort, tcp.destinationPort);
  if (udp !== undefined) return flows.ofWire("udp", udp.sourcePort, udp.destinationPort);
  if (icmp === undefined) return undefined;
  // An error quotes a packet of the script's, so the local side is its destination.
  const quoted = parseIp(payload, { quoted: true });
  if (quoted.tcp !== undefined) {
    return flows.ofWire("tcp", quoted.tcp.destinationPort, quoted.tcp.sourcePort);
  }
  if (quoted.udp === undefined) return flows.current;
  return flows.ofWire("udp", quoted.udp.destinationPort, quoted.udp.sourcePort);
}

function scriptOption(option: TcpOption, flags: number, flow: Flow | undefined): ScriptTcpOption {
  if (option.kind === "sack" && flow !== undefined) {
    const blocks = option.blocks.map(({ left, right }) => ({
      left: flow.remoteToScript(left, flags),
      right: flow.remoteToScript(right, flags),
    }));
    return { kind: "sack", blocks };
  }
  if (option.kind !== "timestamp" || flow === undefined) return option;
  return { ...option, value: flow.timestampToScript(option.value) };
}

/** `ace`: the script counts AccECN's three bits. */
function tcpBody(tcp: TcpHeader, length: number, flow: Flow | undefined, ace: boolean): TcpBody {
  const counter =
    ((tcp.flags & TCP_AE) === 0 ? 0 : 4) |
    ((tcp.flags & TCP_CWR) === 0 ? 0 : 2) |
    ((tcp.flags & TCP_ECE) === 0 ? 0 : 1);
  return {
    kind: "tcp",
    flags: ace ? tcp.flags & ~(TCP_AE | TCP_CWR | TCP_ECE) : tcp.flags,
    ...(ace ? { ace: counter } : {}),
    sequence: flow?.toScript(tcp.sequence, tcp.flags) ?? tcp.sequence,
    length,
    ...((tcp.flags & TCP_ACK) === 0
      ? {}
      : {
          acknowledgment: flow?.remoteToScript(tcp.acknowledgment, tcp.flags) ?? tcp.acknowledgment,
        }),
    window: tcp.window,
    ...(tcp.urgentPointer === 0 ? {} : { urgentPointer: tcp.urgentPointer }),
    options: tcp.options.map((option) => scriptOption(option, tcp.flags, flow)),
  };
}

function echoedHeader(payload: Uint8Array): EchoedHeader {
  const { ip, tcp, udp } = parseIp(payload, { quoted: true });
  if (tcp !== undefined && ip !== undefined) {
    const length = Math.max(0, ip.totalLength - ip.headerLength - tcp.headerLength);
    return { kind: "tcp", sequence: tcp.sequence, length };
  }
  if (udp !== undefined) return { kind: "udp", length: Math.max(0, udp.length - 8) };
  return { kind: "raw", length: payload.length };
}

function icmpBody(packet: Packet, wanted: PacketBody): IcmpBody {
  const version = packet.ip?.version ?? 4;
  const { type = 0, code = 0, rest = 0 } = packet.icmp ?? {};
  const names = icmpNames(version, type, code);
  const isEcho = names.type.startsWith("echo");
  const hasMtu =
    version === 4
      ? type === ICMP_UNREACHABLE && code === ICMP_FRAGMENTATION_NEEDED
      : type === ICMPV6_PACKET_TOO_BIG;
  const showsEchoed = wanted.kind === "icmp" && wanted.echoed !== undefined;
  return {
    kind: "icmp",
    ...names,
    ...(hasMtu ? { mtu: version === 4 ? rest & 0xffff : rest } : {}),
    ...(isEcho ? { identifier: rest >>> 16 } : {}),
    ...(showsEchoed ? { echoed: echoedHeader(packet.payload) } : {}),
  };
}

function body(sighting: Sighting, wanted: PacketBody): PacketBody {
  const { packet, flow } = sighting;
  if (packet.tcp !== undefined) {
    const ace = wanted.kind === "tcp" && wanted.ace !== undefined;
    return tcpBody(packet.tcp, packet.payload.length, flow, ace);
  }
  if (packet.udp !== undefined) return { kind: "udp", length: packet.payload.length };
  return icmpBody(packet, wanted);
}

/** The IP fields that the script looks at. */
function ipFields({ ip }: Packet, wanted: IpFields): IpFields {
  if (ip === undefined) return {};
  const ecn = ECN_NAMES[ip.trafficClass & 3];
  return {
    ...(wanted.ecn === undefined || ecn === undefined ? {} : { ecn }),
    ...(wanted.tos === undefined ? {} : { tos: ip.trafficClass }),
    ...(wanted.ttl === undefined ? {} : { ttl: ip.ttl }),
    ...(wanted.flowLabel === undefined || ip.version === 4 ? {} : { flowLabel: ip.flowLabel }),
  };
}

function ports({ flow }: Sighting): Ports | undefined {
  if (flow === undefined) return undefined;
  return { source: flow.scriptLocalPort ?? flow.localPort, destination: flow.remotePort };
}

/** The packet in the script's numbers, with the fields shown that `wanted` looks at. */
export function actionOf(
  sighting: Sighting,
  wanted: PacketAction,
  showsPorts: boolean,
): PacketAction {
  const where = showsPorts ? ports(sighting) : undefined;
  return {
    kind: "packet",
    direction: "outbound",
    outerHeaders: [],
    ip: ipFields(sighting.packet, wanted.ip),
    ...(where === undefined ? {} : { ports: where }),
    body: body(sighting, wanted.body),
  };
}
