/** A packet that was sent beside the one expected, both in the script's numbers. */
import { TCP_ACK, TCP_CWR, TCP_FIN, TCP_PSH, TCP_SYN, type TcpHeader } from "../../packet/types";
import { printFlags } from "../language/print-packet";
import { printTcpOptions } from "../language/print-tcp-options";
import type {
  IcmpBody,
  IpFields,
  PacketAction,
  PacketBody,
  ScriptTcpOption,
  TcpBody,
} from "../language/script";
import type { Sighting } from "./actual";

/** Flags that stand on the last piece of data that went out in several. */
const LAST_PIECE_FLAGS = TCP_PSH | TCP_FIN | TCP_CWR;

function sentInstead(body: PacketBody): string {
  return body.kind === "icmp" ? `an ICMP message (${body.type})` : body.kind.toUpperCase();
}

function differs(what: string, actual: number, expected: number): string | undefined {
  return actual === expected ? undefined : `${what} is ${actual}, should be ${expected}`;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}

function compareIp(expected: IpFields, actual: IpFields): string | undefined {
  const { ecn } = expected;
  const isEither = ecn === "ect01" && (actual.ecn === "ect0" || actual.ecn === "ect1");
  if (ecn !== undefined && actual.ecn !== ecn && !isEither) {
    return `the ECN codepoint is ${actual.ecn}, should be ${ecn}`;
  }
  if (expected.tos !== undefined && actual.tos !== expected.tos) {
    return `TOS is ${hex(actual.tos ?? 0)}, should be ${hex(expected.tos)}`;
  }
  if (expected.ttl !== undefined && actual.ttl !== expected.ttl) {
    return `TTL is ${actual.ttl}, should be ${expected.ttl}`;
  }
  if (expected.flowLabel !== undefined && actual.flowLabel !== expected.flowLabel) {
    return `the flow label is ${actual.flowLabel}, should be ${expected.flowLabel}`;
  }
  return undefined;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function sameOption(expected: ScriptTcpOption, actual: ScriptTcpOption): boolean {
  switch (expected.kind) {
    case "mss":
      return actual.kind === "mss" && actual.mss === expected.mss;
    case "wscale":
      return actual.kind === "wscale" && actual.shift === expected.shift;
    case "sack":
      return (
        actual.kind === "sack" &&
        actual.blocks.length === expected.blocks.length &&
        actual.blocks.every(
          ({ left, right }, index) =>
            left === expected.blocks[index]?.left && right === expected.blocks[index]?.right,
        )
      );
    case "timestamp":
      // The value is a matter of time, looked at by its own rule.
      return (
        actual.kind === "timestamp" && (expected.echo === "any" || actual.echo === expected.echo)
      );
    case "fastopen":
      return (
        actual.kind === "fastopen" &&
        actual.experimental === expected.experimental &&
        sameBytes(actual.cookie, expected.cookie)
      );
    case "md5":
      return actual.kind === "md5" && sameBytes(actual.digest, expected.digest);
    case "accecn":
      return (
        actual.kind === "accecn" &&
        actual.order === expected.order &&
        actual.counters.join() === expected.counters.join()
      );
    case "unknown":
      return (
        actual.kind === "unknown" &&
        actual.number === expected.number &&
        sameBytes(actual.bytes, expected.bytes)
      );
    default:
      return actual.kind === expected.kind;
  }
}

function optionText(options: readonly ScriptTcpOption[]): string {
  return options.length === 0 ? "none" : printTcpOptions(options).trim();
}

function compareOptions(expected: TcpBody["options"], actual: TcpBody["options"]) {
  if (expected === "any" || actual === "any") return undefined;
  const same =
    expected.length === actual.length &&
    expected.every((option, index) => sameOption(option, actual[index] as ScriptTcpOption));
  return same
    ? undefined
    : `TCP options are ${optionText(actual)}, should be ${optionText(expected)}`;
}

/** How a packet is one piece of what was expected. */
export interface PieceOf {
  /** More pieces follow. */
  readonly isPartial: boolean;
  /** PSH may be missing: the system that the script was written for sets it for its offload's sake. */
  readonly forgivesPush: boolean;
}

function compareTcp(
  expected: TcpBody,
  actual: TcpBody,
  { isPartial, forgivesPush }: PieceOf,
): string | undefined {
  const mask = ~(isPartial ? LAST_PIECE_FLAGS : 0) & ~(forgivesPush ? TCP_PSH : 0);
  if ((expected.flags & mask) !== (actual.flags & mask)) {
    const [is, should] = [actual, expected].map(({ flags }) => printFlags(flags & mask));
    return `TCP flags are ${is}, should be ${should}`;
  }
  if (expected.ace !== undefined && expected.ace !== actual.ace) {
    return `the ACE counter is ${actual.ace}, should be ${expected.ace}`;
  }
  const hasAcknowledgment =
    (expected.flags & TCP_ACK) !== 0 && expected.acknowledgment !== undefined;
  return (
    differs("the sequence number", actual.sequence, expected.sequence) ??
    (isPartial ? undefined : differs("the length", actual.length, expected.length)) ??
    (hasAcknowledgment
      ? differs(
          "the acknowledgment",
          actual.acknowledgment ?? 0,
          (expected.acknowledgment ?? 0) >>> 0,
        )
      : undefined) ??
    (expected.window === undefined
      ? undefined
      : differs("the window", actual.window ?? 0, expected.window)) ??
    differs("the urgent pointer", actual.urgentPointer ?? 0, expected.urgentPointer ?? 0) ??
    compareOptions(expected.options, actual.options)
  );
}

function compareIcmp(expected: IcmpBody, actual: IcmpBody): string | undefined {
  const name = ({ type, code }: IcmpBody) => (code === undefined ? type : `${type} ${code}`);
  if (name(expected) !== name(actual)) {
    return `the ICMP message is ${name(actual)}, should be ${name(expected)}`;
  }
  if (expected.mtu !== undefined && expected.mtu !== actual.mtu) {
    return `the MTU is ${actual.mtu}, should be ${expected.mtu}`;
  }
  if (expected.identifier !== undefined && expected.identifier !== actual.identifier) {
    return `the identifier is ${actual.identifier}, should be ${expected.identifier}`;
  }
  const wanted = expected.echoed;
  const echoed = actual.echoed;
  if (wanted === undefined || echoed === undefined) return undefined;
  if (wanted.kind !== echoed.kind) return `the quoted packet is ${echoed.kind}, not ${wanted.kind}`;
  if (wanted.kind === "tcp" && echoed.kind === "tcp" && wanted.sequence !== echoed.sequence) {
    return `the quoted sequence number is ${echoed.sequence}, should be ${wanted.sequence}`;
  }
  return differs("the quoted length", echoed.length, wanted.length);
}

/** The first difference in words; undefined when the packet is the expected one. */
export function comparePacket(
  expected: PacketAction,
  actual: PacketAction,
  piece: PieceOf,
): string | undefined {
  const want = expected.body;
  const got = actual.body;
  if (want.kind !== got.kind) {
    return `${sentInstead(got)} was sent, ${want.kind.toUpperCase()} was expected`;
  }
  if (expected.ports !== undefined && actual.ports !== undefined) {
    const difference =
      differs("the source port", actual.ports.source, expected.ports.source) ??
      differs("the destination port", actual.ports.destination, expected.ports.destination);
    if (difference !== undefined) return difference;
  }
  const difference = compareIp(expected.ip, actual.ip);
  if (difference !== undefined) return difference;
  if (want.kind === "tcp" && got.kind === "tcp") return compareTcp(want, got, piece);
  if (want.kind === "udp" && got.kind === "udp") {
    return differs("the length", got.length, want.length);
  }
  return want.kind === "icmp" && got.kind === "icmp" ? compareIcmp(want, got) : undefined;
}

/** What is wrong with a packet whatever was expected: checksums, malformed headers, reserved bits. */
export function packetProblem({ packet }: Sighting): string | undefined {
  const { tcp, problems } = packet;
  if (problems.length > 0) return problems.join("; ");
  if (tcp !== undefined && tcp.reserved !== 0) {
    return `reserved TCP bits are ${tcp.reserved}, should be 0`;
  }
  return undefined;
}

/** Says whether a packet carries a part of the expected data, after which more has to follow. */
export function isPart(expected: TcpBody, tcp: TcpHeader, sequence: number, length: number) {
  if ((tcp.flags & TCP_SYN) !== 0 || length === 0) return false;
  return sequence === expected.sequence && length < expected.length;
}
