/**
 * A packetdrill script as values. Both dialects, packetdrill's own and Demikernel's, read into
 * these types, and the printer writes them back in packetdrill's own words.
 *
 * Times are integers of microseconds. Sequence numbers, windows and ports are the script's own:
 * nothing here knows what the live connection chose.
 */
import type { TcpOption } from "../../packet/types";

export type Dialect = "packetdrill" | "demikernel";

/** Where something stands in its file, for a message that shows the line. */
export interface Position {
  /** As given to the parser. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** The whole source line without its end. */
  readonly text: string;
}

export interface Script {
  readonly file: string;
  readonly dialect: Dialect;
  readonly options: readonly ScriptOption[];
  /** Runs once before time zero; its failure aborts the script. */
  readonly initCommand?: CommandAction;
  /** At least one. */
  readonly events: readonly Event[];
  /** Runs last, passed or failed, if the init command ran. */
  readonly cleanupCommand?: CommandAction;
}

/** `--name` or `--name=value`; `--define=SYMBOL=value` has been applied already and stays listed. */
export interface ScriptOption {
  readonly name: string;
  /** Quotes removed. */
  readonly value?: string;
  readonly position: Position;
}

export interface Event {
  readonly time: TimeSpec;
  readonly position: Position;
  readonly action: Action;
}

/** When an event happens, or must be seen to happen. */
export type TimeSpec =
  | { readonly kind: "absolute"; readonly us: number }
  /** After the event before it. */
  | { readonly kind: "relative"; readonly us: number }
  /** `*`: whenever it comes. */
  | { readonly kind: "any" }
  | { readonly kind: "absoluteRange"; readonly startUs: number; readonly endUs: number }
  | { readonly kind: "relativeRange"; readonly startUs: number; readonly endUs: number };

export type Action = PacketAction | SystemCallAction | CommandAction | CodeAction;

/** A shell command from between backquotes. */
export interface CommandAction {
  readonly kind: "command";
  readonly command: string;
  readonly position: Position;
}

/** `%{ … }%`: statements for the evaluator, lines kept as they stand. */
export interface CodeAction {
  readonly kind: "code";
  readonly code: string;
  /** Of the first character after `%{`. */
  readonly position: Position;
}

/** A packet to inject (inbound, `<`) or to expect from the stack (outbound, `>`). */
export interface PacketAction {
  readonly kind: "packet";
  readonly direction: "inbound" | "outbound";
  /** Outer headers, outermost first; mostly empty. */
  readonly outerHeaders: readonly OuterHeader[];
  readonly ip: IpFields;
  /** Security parameters index of a `encap psp spi N`. */
  readonly pspSpi?: number;
  /** Written only where they are not those of the socket under test. */
  readonly ports?: Ports;
  readonly body: TcpBody | UdpBody | IcmpBody;
}

export type PacketBody = PacketAction["body"];

export interface Ports {
  readonly source: number;
  readonly destination: number;
}

/** RFC 3168 section 5; `ect01` accepts either ECT(0) or ECT(1). */
export type EcnCodepoint = "noecn" | "ect0" | "ect1" | "ce" | "ect01";

/** Fields of the IP header that the script names: set on inbound packets, checked on outbound. */
export interface IpFields {
  readonly ecn?: EcnCodepoint;
  /** The whole byte: DSCP and ECN. */
  readonly tos?: number;
  readonly flowLabel?: number;
  readonly ttl?: number;
}

export interface MplsLabel {
  readonly label: number;
  readonly trafficClass: number;
  readonly bottomOfStack: boolean;
  readonly ttl: number;
}

/** RFC 2784 and RFC 2890. */
export interface GreHeader {
  /** The first sixteen bits: presence of checksum, key and sequence number, version. */
  readonly flags: number;
  readonly checksum: number;
  readonly offset: number;
  readonly key: number;
  readonly sequence: number;
}

/** A header in front of the packet's own IP header. */
export type OuterHeader =
  | {
      readonly kind: "ipv4" | "ipv6";
      readonly ip: IpFields;
      readonly source: string;
      readonly destination: string;
    }
  /** Without a header of its own it is what the inner headers make it. */
  | { readonly kind: "gre"; readonly header?: GreHeader }
  | { readonly kind: "mpls"; readonly labels: readonly MplsLabel[] };

/** One option in its place; `any` accepts whatever value the live packet carries there. */
export type ScriptTcpOption =
  | Exclude<TcpOption, { readonly kind: "timestamp" }>
  | {
      readonly kind: "timestamp";
      readonly value: number | "any";
      readonly echo: number | "any";
    };

export interface TcpBody {
  readonly kind: "tcp";
  /** TCP_… bits of src/packet/types.ts; without E, W and A where `ace` is given. */
  readonly flags: number;
  /** The counter 0–7 that AccECN (RFC 9768) keeps in AE, CWR and ECE. */
  readonly ace?: number;
  readonly sequence: number;
  /** Payload bytes; the payload itself is zeros. */
  readonly length: number;
  readonly acknowledgment?: number;
  /** As on the wire, not scaled. */
  readonly window?: number;
  readonly urgentPointer?: number;
  /** `any` for `<...>`: not compared. */
  readonly options: readonly ScriptTcpOption[] | "any";
}

export interface UdpBody {
  readonly kind: "udp";
  /** Payload bytes. */
  readonly length: number;
}

/** Type and code are names of language/icmp-names.ts or decimal numbers. */
export interface IcmpBody {
  readonly kind: "icmp";
  readonly type: string;
  readonly code?: string;
  /** Next-hop MTU (RFC 1191, RFC 4443 section 3.2). */
  readonly mtu?: number;
  /** Identifier of an echo. */
  readonly identifier?: number;
  /** The start of the packet that the error is about. */
  readonly echoed?: EchoedHeader;
}

export type EchoedHeader =
  | { readonly kind: "tcp"; readonly sequence: number; readonly length: number }
  | { readonly kind: "udp"; readonly ports?: Ports; readonly length: number }
  | { readonly kind: "raw"; readonly length: number };

/**
 * A call and what it must return. Demikernel's `push`, `pop` and `wait` stand under their own
 * names.
 */
export interface SystemCallAction {
  readonly kind: "systemCall";
  readonly name: string;
  readonly arguments: readonly Expression[];
  /** A blocking call returns then: counted from where the event's own time is counted from. */
  readonly endTimeUs?: number;
  /** Undefined where the script does not look at the result. */
  readonly result?: Expression;
  /** Name of the errno of a call that fails. */
  readonly errno?: string;
  /** What the script says in parentheses behind the errno. */
  readonly note?: string;
}

/** An argument or a result; names in it are known constants, symbols have been replaced. */
export type Expression =
  /** `...`: not looked at on output, the default on input. */
  | { readonly kind: "ellipsis" }
  /** A bigint where the value does not fit 53 bits. */
  | { readonly kind: "integer"; readonly value: number | bigint }
  /** A constant of language/constants.ts. */
  | { readonly kind: "name"; readonly name: string }
  /** Bytes as characters 0–255. `open` for `"…"...`: what follows it is not looked at. */
  | { readonly kind: "string"; readonly value: string; readonly open: boolean }
  /** `a | b | …`, at least two. */
  | { readonly kind: "or"; readonly operands: readonly Expression[] }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  /** `htons(8080)`, `inet_addr("192.0.2.1")`, `inet_pton(AF_INET6, "…")`. */
  | {
      readonly kind: "call";
      readonly name: string;
      readonly arguments: readonly Expression[];
    }
  /** `name=value` outside a structure. */
  | { readonly kind: "named"; readonly name: string; readonly value: Expression }
  /** `{(label 5, tc 0, [S], ttl 64)}`: labels of a control message. */
  | { readonly kind: "mpls"; readonly labels: readonly MplsLabel[] }
  /** `{ … }`: a structure; which one follows from its fields' names. */
  | {
      readonly kind: "structure";
      readonly type: StructureType;
      readonly fields: readonly Field[];
    };

/** One member of a structure. `size` is the number behind the name, as in `msg_iov(2)=[…]`. */
export interface Field {
  /** Undefined for a member told by its place, as in an iovec's `{..., 1000}`. */
  readonly name?: string;
  readonly size?: Expression;
  readonly value: Expression;
}

/** `unknown` for braces whose members carry no known name. */
export type StructureType =
  | "sockaddr"
  | "pollfd"
  | "linger"
  | "iovec"
  | "msghdr"
  | "cmsghdr"
  | "scm_timestamping"
  | "sock_extended_err"
  | "epoll_event"
  | "unknown";
