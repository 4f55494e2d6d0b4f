/** Random packets' fields for fast-check. */
import fc from "fast-check";
import type { TcpOption } from "../../src/packet/types";

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);

export const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
export const payload = fc.uint8Array({ maxLength: 1600 });

const ends4 = fc.record({ source: fc.ipV4(), destination: fc.ipV4() });
/** 16 bytes with many zeros, so that all shapes of text come up. */
const words = fc.array(fc.oneof(fc.constant(0), u16), { minLength: 8, maxLength: 8 });
/** As WHATWG's URL writes them, which is RFC 5952's text but for IPv4-mapped ones. */
export const ipv6 = words
  .filter((list) => !(list.slice(0, 5).every((word) => word === 0) && list[5] === 0xffff))
  .map((list) => new URL(`http://[${list.map((word) => word.toString(16)).join(":")}]`).hostname)
  .map((host) => host.slice(1, -1));
const ends6 = fc.record({ source: ipv6, destination: ipv6 });

export const ipv4Fields = fc.record({
  protocol: fc.constant(253),
  ttl: fc.nat(255),
  trafficClass: fc.nat(255),
  identification: u16,
  dontFragment: fc.boolean(),
});

export const ipv6Fields = fc.record({
  protocol: fc.constant(253),
  ttl: fc.nat(255),
  trafficClass: fc.nat(255),
  flowLabel: fc.nat(0xfffff),
});

export const addresses = fc.oneof(ends4, ends6);
export const addresses4 = ends4;
export const addresses6 = ends6;

const ports = { sourcePort: u16, destinationPort: u16 };
export const udpFields = fc.record(ports);
export const icmpFields = fc.record({ type: fc.nat(255), code: fc.nat(255), rest: u32 });

const block = fc.record({ left: u32, right: u32 });
const u24 = fc.nat(0xffffff);
const anyOption: fc.Arbitrary<TcpOption> = fc.oneof(
  fc.constant({ kind: "nop" } as const),
  fc.constant({ kind: "sackOK" } as const),
  u16.map((mss) => ({ kind: "mss", mss }) as const),
  fc.nat(255).map((shift) => ({ kind: "wscale", shift }) as const),
  fc
    .array(block, { minLength: 1, maxLength: 4 })
    .map((blocks) => ({ kind: "sack", blocks }) as const),
  fc.tuple(u32, u32).map(([value, echo]) => ({ kind: "timestamp", value, echo }) as const),
  fc
    .tuple(fc.constantFrom(0, 4, 6, 8, 16), fc.boolean())
    .chain(([length, experimental]) =>
      fc
        .uint8Array({ minLength: length, maxLength: length })
        .map((cookie) => ({ kind: "fastopen", cookie, experimental }) as const),
    ),
  fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((digest) => ({ kind: "md5", digest }) as const),
  fc
    .tuple(fc.constantFrom(0 as const, 1 as const), fc.array(u24, { maxLength: 3 }))
    .map(([order, counters]) => ({ kind: "accecn", order, counters }) as const),
  fc
    .tuple(fc.integer({ min: 200, max: 250 }), fc.uint8Array({ maxLength: 8 }))
    .map(([number, bytes]) => ({ kind: "unknown", number, bytes }) as const),
);

/** Bytes of each kind of option above. */
function lengthOf(option: TcpOption): number {
  switch (option.kind) {
    case "eol":
    case "nop":
      return 1;
    case "sackOK":
      return 2;
    case "mss":
      return 4;
    case "wscale":
      return 3;
    case "sack":
      return 2 + 8 * option.blocks.length;
    case "timestamp":
      return 10;
    case "fastopen":
      return 2 + option.cookie.length + (option.experimental ? 2 : 0);
    case "md5":
      return 18;
    case "accecn":
      return 2 + 3 * option.counters.length;
    case "unknown":
      return 2 + option.bytes.length;
  }
}

/** As many as fit the 40 bytes of a header, ended by what fills its last word. */
const options = fc.array(anyOption, { maxLength: 6 }).map((list) => {
  const kept: TcpOption[] = [];
  let length = 0;
  for (const option of list) {
    if (length + lengthOf(option) > 40) break;
    kept.push(option);
    length += lengthOf(option);
  }
  return length % 4 === 0 ? kept : [...kept, { kind: "eol" } as const];
});

export const tcpFields = fc.record({
  ...ports,
  sequence: u32,
  acknowledgment: u32,
  flags: fc.nat(0x1ff),
  reserved: fc.nat(7),
  window: u16,
  urgentPointer: u16,
  options,
});
