/** The words for ICMP's types and codes. */

interface IcmpName {
  readonly type: number;
  /** Names of codes; a type without any has code 0. */
  readonly codes: Readonly<Record<string, number>>;
}

/** RFC 792, RFC 950, RFC 1812 section 5.2.7.1. */
const version4: Readonly<Record<string, IcmpName>> = {
  echo_reply: { type: 0, codes: {} },
  unreachable: {
    type: 3,
    codes: {
      net_unreachable: 0,
      host_unreachable: 1,
      protocol_unreachable: 2,
      port_unreachable: 3,
      frag_needed: 4,
      source_route_failed: 5,
      net_unknown: 6,
      host_unknown: 7,
      source_host_isolated: 8,
      net_prohibited: 9,
      host_prohibited: 10,
      net_unreachable_for_tos: 11,
      host_unreachable_for_tos: 12,
      packet_filtered: 13,
      precedence_violation: 14,
      precedence_cutoff: 15,
    },
  },
  source_quench: { type: 4, codes: {} },
  redirect: {
    type: 5,
    codes: { redirect_net: 0, redirect_host: 1, redirect_net_tos: 2, redirect_host_tos: 3 },
  },
  echo_request: { type: 8, codes: {} },
  time_exceeded: { type: 11, codes: { exceeded_ttl: 0, exceeded_frag_time: 1 } },
  parameter_problem: { type: 12, codes: { header_field: 0, missing_option: 1, bad_length: 2 } },
  timestamp_request: { type: 13, codes: {} },
  timestamp_reply: { type: 14, codes: {} },
  information_request: { type: 15, codes: {} },
  information_reply: { type: 16, codes: {} },
  address_mask_request: { type: 17, codes: {} },
  address_mask_reply: { type: 18, codes: {} },
};

/** RFC 4443. */
const version6: Readonly<Record<string, IcmpName>> = {
  unreachable: {
    type: 1,
    codes: {
      no_route: 0,
      net_unreachable: 0,
      admin_prohibited: 1,
      not_neighbour: 2,
      address_unreachable: 3,
      port_unreachable: 4,
    },
  },
  packet_too_big: { type: 2, codes: {} },
  time_exceeded: { type: 3, codes: { exceeded_hop_limit: 0, exceeded_frag_time: 1 } },
  parameter_problem: {
    type: 4,
    codes: { header_field: 0, unknown_next_header: 1, unknown_option: 2 },
  },
  echo_request: { type: 128, codes: {} },
  echo_reply: { type: 129, codes: {} },
};

const tables = { 4: version4, 6: version6 } as const;

/** Every type's name, of either version. */
export const icmpTypeNames: readonly string[] = [
  ...new Set([...Object.keys(version4), ...Object.keys(version6)]),
];

/** The codes' names that a type has in either version; empty for a number. */
export function icmpCodeNames(type: string): string[] {
  return [4, 6].flatMap((version) => Object.keys(tables[version as 4 | 6][type]?.codes ?? {}));
}

/** Type and code as numbers; undefined where a name does not belong to this IP version. */
export function icmpNumbers(
  version: 4 | 6,
  type: string,
  code?: string,
): { type: number; code: number } | undefined {
  const named = tables[version][type];
  const typeNumber = /^\d+$/.test(type) ? Number(type) : named?.type;
  const codeNumber = /^\d+$/.test(code ?? "0") ? Number(code ?? 0) : named?.codes[code as string];
  if (typeNumber === undefined || codeNumber === undefined) return undefined;
  return { type: typeNumber, code: codeNumber };
}

/** The words for type and code of a live message; numbers where there are no words. */
export function icmpNames(
  version: 4 | 6,
  type: number,
  code: number,
): { type: string; code?: string } {
  const found = Object.entries(tables[version]).find(([, name]) => name.type === type);
  const codes = Object.entries(found?.[1].codes ?? {});
  const codeName = codes.find(([, number]) => number === code)?.[0] ?? `${code}`;
  const typeName = found?.[0] ?? `${type}`;
  return codes.length === 0 && code === 0 ? { type: typeName } : { type: typeName, code: codeName };
}
