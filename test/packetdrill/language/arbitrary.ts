/** Random events, for every form that the language has. */
import fc from "fast-check";
import { constants } from "../../../src/packetdrill/language/constants";
import { errnoConstants } from "../../../src/packetdrill/language/constants-errno";
import { icmpCodeNames, icmpTypeNames } from "../../../src/packetdrill/language/icmp-names";
import type {
  Action,
  EchoedHeader,
  Event,
  Expression,
  IcmpBody,
  IpFields,
  OuterHeader,
  PacketAction,
  ScriptTcpOption,
  TcpBody,
  TimeSpec,
} from "../../../src/packetdrill/language/script";
import { structureType } from "../../../src/packetdrill/language/structures";
import { TCP_AE, TCP_CWR, TCP_ECE } from "../../../src/packet/types";

const byte = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const bytes = fc.uint8Array({ maxLength: 18 });
const us = fc.integer({ min: 0, max: 1e12 });

function optional<Value>(model: { [Key in keyof Value]: fc.Arbitrary<Value[Key]> }): fc.Arbitrary<
  Partial<Value>
> {
  return fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Partial<Value>>;
}

function constant<Value>(value: Value): fc.Arbitrary<Value> {
  return fc.constant(value);
}

const ports = fc.record({ source: u16, destination: u16 });

const ipFields: fc.Arbitrary<IpFields> = fc
  .tuple(
    fc.constantFrom("noecn", "ect0", "ect1", "ce", "ect01", undefined),
    optional<{ tos: number }>({ tos: byte }),
    optional<{ flowLabel: number; ttl: number }>({
      flowLabel: fc.integer({ min: 0, max: 0xfffff }),
      ttl: byte,
    }),
  )
  .map(([ecn, tos, rest]) => ({ ...(ecn === undefined ? tos : { ecn }), ...rest }) as IpFields);

const mplsLabel = fc.record({
  label: fc.integer({ min: 0, max: 0xfffff }),
  trafficClass: fc.integer({ min: 0, max: 7 }),
  bottomOfStack: fc.boolean(),
  ttl: byte,
});

const outerHeader: fc.Arbitrary<OuterHeader> = fc.oneof(
  fc.record({
    kind: constant("ipv4" as const),
    ip: ipFields,
    source: fc.ipV4(),
    destination: fc.ipV4(),
  }),
  fc.record({
    kind: constant("ipv6" as const),
    ip: ipFields,
    source: fc.ipV6(),
    destination: fc.ipV6(),
  }),
  constant({ kind: "gre" as const }),
  fc.record({
    kind: constant("gre" as const),
    header: fc.record({ flags: u16, checksum: u16, offset: u16, key: u32, sequence: u32 }),
  }),
  fc.record({
    kind: constant("mpls" as const),
    labels: fc.array(mplsLabel, { minLength: 1, maxLength: 3 }),
  }),
);

const timestampPart = fc.oneof(u32, constant("any" as const));

const tcpOption: fc.Arbitrary<ScriptTcpOption> = fc.oneof(
  fc.constantFrom({ kind: "eol" as const }, { kind: "nop" as const }, { kind: "sackOK" as const }),
  fc.record({ kind: constant("mss" as const), mss: u16 }),
  fc.record({ kind: constant("wscale" as const), shift: byte }),
  fc.record({
    kind: constant("sack" as const),
    blocks: fc.array(fc.record({ left: u32, right: u32 }), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ kind: constant("timestamp" as const), value: timestampPart, echo: timestampPart }),
  fc.record({ kind: constant("fastopen" as const), cookie: bytes, experimental: fc.boolean() }),
  fc.record({ kind: constant("md5" as const), digest: fc.uint8Array({ minLength: 1 }) }),
  fc.record({
    kind: constant("accecn" as const),
    order: fc.constantFrom(0 as const, 1 as const),
    counters: fc.array(fc.integer({ min: 0, max: 0xffffff }), { maxLength: 3 }),
  }),
  fc.record({ kind: constant("unknown" as const), number: byte, bytes }),
);

const tcpBody: fc.Arbitrary<TcpBody> = fc
  .tuple(
    fc.record({
      flags: fc.integer({ min: 0, max: 0x1ff }),
      sequence: u32,
      length: u16,
      options: fc.oneof(fc.array(tcpOption, { maxLength: 6 }), constant("any" as const)),
    }),
    optional<{ acknowledgment: number; window: number; urgentPointer: number; ace: number }>({
      acknowledgment: u32,
      window: u16,
      urgentPointer: u16,
      ace: fc.integer({ min: 0, max: 7 }),
    }),
  )
  .map(([body, rest]) => {
    const aceFlags = rest.ace === undefined ? 0 : TCP_AE | TCP_CWR | TCP_ECE;
    return { kind: "tcp", ...body, flags: body.flags & ~aceFlags, ...rest } as TcpBody;
  });

const echoed: fc.Arbitrary<EchoedHeader> = fc.oneof(
  fc.record({ kind: constant("tcp" as const), sequence: u32, length: u16 }),
  fc.record({ kind: constant("raw" as const), length: u16 }),
  fc.record({ kind: constant("udp" as const), length: u16 }),
  fc.record({ kind: constant("udp" as const), ports, length: u16 }),
);

const icmpType = fc.oneof(fc.constantFrom(...icmpTypeNames), byte.map(String)).chain((type) => {
  const codes = /^\d/.test(type) ? ["0", "1", "255"] : icmpCodeNames(type);
  const code = codes.length === 0 ? constant(undefined) : fc.constantFrom(undefined, ...codes);
  return code.map((chosen) => (chosen === undefined ? { type } : { type, code: chosen }));
});

const icmpBody: fc.Arbitrary<IcmpBody> = fc
  .tuple(
    icmpType,
    optional<{ mtu: number; identifier: number; echoed: EchoedHeader }>({
      mtu: u32,
      identifier: u16,
      echoed,
    }),
  )
  .map(([type, rest]) => ({ kind: "icmp", ...type, ...rest }) as IcmpBody);

const packet: fc.Arbitrary<PacketAction> = fc
  .tuple(
    fc.record({
      kind: constant("packet" as const),
      direction: fc.constantFrom("inbound" as const, "outbound" as const),
      outerHeaders: fc.array(outerHeader, { maxLength: 3 }),
      ip: ipFields,
    }),
    fc.oneof(
      fc.tuple(tcpBody, fc.oneof(constant({}), fc.record({ ports }), fc.record({ pspSpi: u32 }))),
      fc.tuple(
        fc.record({ kind: constant("udp" as const), length: u16 }),
        fc.oneof(constant({}), fc.record({ ports })),
      ),
      fc.tuple(icmpBody, constant({})),
    ),
  )
  .map(([common, [body, extra]]) => ({ ...common, ...extra, body }) as PacketAction);

const constantName = fc.constantFrom(...constants.keys());
const latin1 = fc.string({
  unit: byte.map((code) => String.fromCharCode(code)),
  maxLength: 20,
});

const member = fc.constantFrom("fd", "events", "revents", "onoff", "msg_iov", "ee_code", "u64");

const size: fc.Arbitrary<Expression> = fc.oneof(
  constant({ kind: "ellipsis" as const }),
  fc.record({ kind: constant("integer" as const), value: fc.nat() }),
);

const { expression } = fc.letrec<{ expression: Expression; plain: Expression }>((tie) => ({
  plain: fc.oneof(
    constant({ kind: "ellipsis" as const }),
    fc.record({
      kind: constant("integer" as const),
      value: fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n })),
    }),
    fc.record({ kind: constant("name" as const), name: constantName }),
    fc.record({ kind: constant("string" as const), value: latin1, open: fc.boolean() }),
    fc.record({
      kind: constant("mpls" as const),
      labels: fc.array(mplsLabel, { minLength: 1, maxLength: 2 }),
    }),
  ),
  expression: fc.oneof(
    { maxDepth: 3 },
    tie("plain"),
    fc.record({
      kind: constant("or" as const),
      operands: fc.array(tie("plain"), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({
      kind: constant("list" as const),
      items: fc.array(tie("expression"), { maxLength: 3 }),
    }),
    fc.record({
      kind: constant("call" as const),
      name: fc.constantFrom("htons", "htonl"),
      arguments: fc.tuple(tie("plain")),
    }),
    fc
      .array(
        fc.record({ name: member, size, value: tie("expression") }, { requiredKeys: ["value"] }),
        { maxLength: 4 },
      )
      .map((list) => {
        const fields = list.map(({ name, size, value }) =>
          name === undefined
            ? { value }
            : size === undefined
              ? { name, value }
              : { name, size, value },
        );
        const type = structureType(
          fields.map((field) => ("name" in field ? field.name : undefined)),
        );
        return { kind: "structure" as const, type, fields };
      }),
  ),
}));

const words = fc.stringMatching(/^[a-z]{1,8}( [a-z]{1,8}){0,3}$/);

const call: fc.Arbitrary<Action> = fc
  .tuple(
    fc.record({
      kind: constant("systemCall" as const),
      name: fc.constantFrom("socket", "poll", "recvmsg", "wait"),
      arguments: fc.array(expression, { maxLength: 5 }),
    }),
    optional<{ result: Expression; errno: string; note: string }>({
      result: fc.oneof(
        fc.record({ kind: constant("integer" as const), value: fc.integer() }),
        fc.record({
          kind: constant("or" as const),
          operands: fc.tuple(
            fc.record({ kind: constant("integer" as const), value: fc.nat() }),
            fc.record({ kind: constant("name" as const), name: constant("O_NONBLOCK") }),
          ),
        }),
      ),
      errno: fc.constantFrom(...Object.keys(errnoConstants)),
      note: words,
    }),
  )
  .map(([required, rest]) => ({ ...required, ...rest }) as Action);

const range = fc.tuple(us, us).map(([one, two]) => ({
  startUs: Math.min(one, two),
  endUs: Math.max(one, two),
}));

const expectedTime: fc.Arbitrary<TimeSpec> = fc.oneof(
  constant({ kind: "any" as const }),
  us.map((value) => ({ kind: "relative" as const, us: value })),
  range.map((ends) => ({ kind: "relativeRange" as const, ...ends })),
);

/** Relative or open times only, so that any order of them is a script. */
export const event: fc.Arbitrary<Pick<Event, "time" | "action">> = fc.oneof(
  fc
    .tuple(expectedTime, packet)
    .filter(([time, { direction }]) => time.kind === "relative" || direction === "outbound")
    .map(([time, action]) => ({ time, action })),
  fc
    .tuple(us, call, fc.option(fc.nat({ max: 1e9 }), { nil: undefined }))
    .map(([start, action, duration]) => ({
      time: { kind: "relative" as const, us: start },
      action: (duration === undefined
        ? action
        : { ...action, endTimeUs: start + duration }) as Action,
    })),
);
