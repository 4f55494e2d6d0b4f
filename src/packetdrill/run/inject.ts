/** A packet of the script as bytes for the system under test. */
import { buildIpv4, buildIpv6 } from "../../packet/build";
import { buildIcmp, buildTcp, buildUdp } from "../../packet/build-transport";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from "../../packet/protocols";
import { TCP_ACK, TCP_AE, TCP_CWR, TCP_ECE, type TcpOption } from "../../packet/types";
import { icmpNumbers } from "../language/icmp-names";
import type { IcmpBody, IpFields, PacketAction, TcpBody } from "../language/script";
import { UnsupportedError } from "../targets/target";
import type { Flow } from "./flow";
import type { RunOptions } from "./options";

const ecnBits = { noecn: 0, ect1: 1, ect0: 2, ect01: 2, ce: 3 } as const;
const DEFAULT_WINDOW = 65_535;
const ICMP_UNREACHABLE = 3;
const ICMP_FRAGMENTATION_NEEDED = 4;
const TCP_HEADER = 20;
const UDP_HEADER = 8;

interface Ends {
  readonly source: string;
  readonly destination: string;
}

/** Flags of a TCP body with the counter of AccECN in its three bits. */
export function flagsOf(body: TcpBody): number {
  if (body.ace === undefined) return body.flags;
  const counter = body.ace;
  return (
    body.flags |
    ((counter & 4) === 0 ? 0 : TCP_AE) |
    ((counter & 2) === 0 ? 0 : TCP_CWR) |
    ((counter & 1) === 0 ? 0 : TCP_ECE)
  );
}

function ip(
  fields: IpFields,
  ends: Ends,
  protocol: number,
  payload: Uint8Array,
  options: RunOptions,
): Uint8Array {
  const trafficClass = fields.tos ?? (fields.ecn === undefined ? 0 : ecnBits[fields.ecn]);
  const ttl = fields.ttl ?? 255;
  if (options.ipVersion === 4) {
    return buildIpv4({ ...ends, protocol, trafficClass, ttl }, payload);
  }
  const flowLabel = fields.flowLabel ?? 0;
  return buildIpv6({ ...ends, protocol, trafficClass, ttl, flowLabel }, payload);
}

/** Options with the numbers of the wire. */
function wireOptions(body: TcpBody, flow: Flow): TcpOption[] {
  if (body.options === "any") throw new Error("<...> stands only in packets to expect");
  return body.options.map((option): TcpOption => {
    if (option.kind === "sack") {
      const blocks = option.blocks.map(({ left, right }) => ({
        left: flow.toWire(left, body.flags),
        right: flow.toWire(right, body.flags),
      }));
      return { kind: "sack", blocks };
    }
    if (option.kind !== "timestamp") return option;
    const value = option.value === "any" ? 0 : option.value;
    return { kind: "timestamp", value, echo: wireEcho(option.echo, flow) };
  });
}

function wireEcho(echo: number | "any", flow: Flow): number {
  if (echo === "any" || echo === 0) return 0;
  const wire = flow.timestampToWire(echo);
  if (wire !== undefined) return wire;
  if (!flow.knowsTimestamps) return echo;
  throw new Error(`ecr ${echo} echoes a timestamp that no expected packet has had`);
}

function tcp(body: TcpBody, flow: Flow, ends: Ends): Uint8Array {
  const flags = flagsOf(body);
  flow.noticeInbound(flags, body.sequence);
  const acknowledgment =
    (flags & TCP_ACK) === 0
      ? (body.acknowledgment ?? 0)
      : flow.toWire(body.acknowledgment ?? 0, flags);
  return buildTcp(
    {
      sourcePort: flow.remotePort,
      destinationPort: flow.localPort,
      sequence: flow.remoteToWire(body.sequence, flags),
      acknowledgment,
      flags,
      window: body.window ?? DEFAULT_WINDOW,
      urgentPointer: body.urgentPointer ?? 0,
      options: wireOptions(body, flow),
    },
    new Uint8Array(body.length),
    ends,
  );
}

/** The start of the packet that an ICMP error is about: one that the system sent. */
function quoted(body: IcmpBody, flow: Flow, options: RunOptions): Uint8Array {
  const ends = { source: options.localAddress, destination: options.remoteAddress };
  const { echoed } = body;
  if (echoed?.kind === "raw") {
    return ip({}, ends, PROTOCOL_TCP, new Uint8Array(echoed.length), options);
  }
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  const ports = echoed?.kind === "udp" ? echoed.ports : undefined;
  view.setUint16(0, ports?.source ?? flow.localPort);
  view.setUint16(2, ports?.destination ?? flow.remotePort);
  const isTcp = echoed === undefined ? flow.protocol === "tcp" : echoed.kind === "tcp";
  if (isTcp) view.setUint32(4, flow.toWire(echoed?.kind === "tcp" ? echoed.sequence : 0));
  else view.setUint16(4, UDP_HEADER + (echoed?.length ?? 0));
  const protocol = isTcp ? PROTOCOL_TCP : PROTOCOL_UDP;
  const length = (isTcp ? TCP_HEADER : UDP_HEADER) + (echoed?.length ?? 0);
  const fields = { ...ends, protocol, ttl: 64 };
  return options.ipVersion === 4
    ? buildIpv4({ ...fields, totalLength: 20 + length }, header)
    : buildIpv6({ ...fields, payloadLength: length }, header);
}

function icmp(body: IcmpBody, flow: Flow, ends: Ends, options: RunOptions): Uint8Array {
  const numbers = icmpNumbers(options.ipVersion, body.type, body.code);
  if (numbers === undefined) {
    throw new Error(
      `ICMP ${body.type} ${body.code ?? ""} does not belong to IPv${options.ipVersion}`,
    );
  }
  const isEcho = body.identifier !== undefined || body.type.startsWith("echo");
  const mtu = body.mtu ?? 0;
  const isFragmentation =
    options.ipVersion === 4 &&
    numbers.type === ICMP_UNREACHABLE &&
    numbers.code === ICMP_FRAGMENTATION_NEEDED;
  const rest = isEcho ? ((body.identifier ?? 0) << 16) >>> 0 : mtu;
  if (mtu > 0xffff && isFragmentation) throw new Error(`mtu ${mtu} does not fit 16 bits`);
  const payload = isEcho ? new Uint8Array(0) : quoted(body, flow, options);
  return buildIcmp({ ...numbers, rest }, payload, ends);
}

/** The bytes of an inbound packet, IP header first. */
export function packetBytes(action: PacketAction, flow: Flow, options: RunOptions): Uint8Array {
  if (action.outerHeaders.length > 0 || action.pspSpi !== undefined) {
    throw new UnsupportedError("encapsulated packets cannot be run, only read");
  }
  const { body } = action;
  const ends = { source: options.remoteAddress, destination: options.localAddress };
  switch (body.kind) {
    case "tcp":
      return ip(action.ip, ends, PROTOCOL_TCP, tcp(body, flow, ends), options);
    case "udp": {
      const ports = { sourcePort: flow.remotePort, destinationPort: flow.localPort };
      const datagram = buildUdp(ports, new Uint8Array(body.length), ends);
      return ip(action.ip, ends, PROTOCOL_UDP, datagram, options);
    }
    case "icmp": {
      const protocol = options.ipVersion === 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
      return ip(action.ip, ends, protocol, icmp(body, flow, ends, options), options);
    }
  }
}
