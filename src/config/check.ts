/** A parsed configuration against the schema and the rules between keys. */
import ipaddr from "ipaddr.js";
import * as v from "valibot";
import { nearest } from "../nearest";
import type { LibosName } from "./config";
import type { FieldTexts } from "./field";
import { type FileConfig, fileSchema } from "./schema";

/** A mistake before it has a position. `mark` says which part of the line is wrong. */
export interface Finding {
  readonly path: readonly string[];
  readonly mark: "key" | "value";
  readonly message: string;
  readonly expected?: string;
  readonly write?: string;
}

export type Checked =
  { readonly file: FileConfig } | { readonly findings: readonly [Finding, ...Finding[]] };

/** LibOSes that bring this package's own TCP/IP stack and so need an address of their own. */
const withStack: ReadonlySet<LibosName> = new Set(["catpowder", "catnip", "simulated"]);

/** The parts of a valibot schema that a walk by keys needs. */
interface SchemaNode {
  readonly wrapped?: SchemaNode;
  readonly entries?: Readonly<Record<string, SchemaNode>>;
  readonly key?: SchemaNode;
  readonly value?: SchemaNode;
  readonly item?: SchemaNode;
}

function schemaAt(path: readonly string[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = fileSchema as unknown as SchemaNode;
  for (const part of path) {
    node = node?.entries?.[part] ?? node?.value ?? node?.item;
    while (node?.wrapped !== undefined) node = node.wrapped;
  }
  return node;
}

function textsOf(node: SchemaNode | undefined): FieldTexts | undefined {
  if (node === undefined) return undefined;
  return v.getMetadata(node as never) as unknown as FieldTexts;
}

/** `key: example`, or the bare example for an item of a list. */
function line(path: readonly string[], example: string): string {
  const key = path.at(-1) as string;
  return /^\d+$/.test(key) ? `- ${example}` : `${key}: ${example}`;
}

function unknownKey(path: readonly string[]): Finding {
  const key = path.at(-1) as string;
  const parent = path.slice(0, -1);
  const known = Object.keys(schemaAt(parent)?.entries ?? {});
  const meant = nearest(key, known);
  const where = parent.length === 0 ? "the configuration" : parent.join(".");
  const guess = meant === undefined ? "" : `; did you mean "${meant}"?`;
  return {
    path,
    mark: "key",
    message: `unknown key in ${where}${guess}`,
    expected: known.join(", "),
    ...(meant === undefined ? {} : { write: `${meant}:` }),
  };
}

function fromIssue(issue: v.BaseIssue<unknown>): Finding {
  const path = (issue.path ?? []).map((item) => String(item.key));
  if (issue.type === "strict_object" && issue.expected === "never") return unknownKey(path);
  const last = issue.path?.at(-1);
  const isKey = last?.origin === "key";
  const node = schemaAt(path);
  const parent = schemaAt(path.slice(0, -1));
  const texts = textsOf(isKey ? parent?.key : node);
  const options: unknown = (node as { options?: unknown } | undefined)?.options;
  const meant =
    Array.isArray(options) && typeof issue.input === "string"
      ? nearest(issue.input, options)
      : undefined;
  const given = JSON.stringify(isKey ? last?.key : issue.input) ?? "nothing";
  if (path.length === 0) {
    return {
      path,
      mark: "value",
      message: `the file holds ${given}, not sections of keys`,
      expected: Object.keys(fileSchema.entries).join(", "),
      write: "demikernel:",
    };
  }
  return {
    path,
    mark: isKey ? "key" : "value",
    message: `${given} is not accepted`,
    ...(texts === undefined
      ? {}
      : {
          expected: texts.expected,
          write: isKey ? `${texts.example}:` : line(path, meant ?? texts.example),
        }),
  };
}

/** Rules between keys, which a schema of single values cannot say. */
function relations(file: FileConfig, libos: LibosName): Finding[] {
  const findings: Finding[] = [];
  const {
    local_ipv4_addr: local,
    gateway_ipv4_addr: gateway,
    local_ipv4_prefix: prefix,
    local_link_addr: link,
  } = file.demikernel;
  if (local === undefined && withStack.has(libos)) {
    findings.push({
      path: ["demikernel", "local_ipv4_addr"],
      mark: "key",
      message: `${libos} needs an address of its own`,
      expected: "an IPv4 address of four decimal numbers",
      write: "local_ipv4_addr: 10.0.0.2",
    });
  }
  if (local !== undefined) findings.push(...localAddress(local, prefix));
  if (local !== undefined && gateway !== undefined) {
    const network = ipaddr.IPv4.parse(local);
    if (!ipaddr.IPv4.parse(gateway).match(network, prefix)) {
      findings.push({
        path: ["demikernel", "gateway_ipv4_addr"],
        mark: "value",
        message: `${gateway} is not in the own network ${local}/${prefix}`,
        expected: "a router on the own network",
        write: `gateway_ipv4_addr: ${ipaddr.IPv4.networkAddressFromCIDR(`${local}/${prefix}`)
          .toString()
          .replace(/\d+$/, (host) => `${Number(host) + 1}`)}`,
      });
    }
  }
  const firstByte = Number.parseInt(link?.slice(0, 2) ?? "0", 16);
  if (link !== undefined && (firstByte & 1) === 1 && !/^(ff.?)+$/i.test(link)) {
    findings.push({
      path: ["demikernel", "local_link_addr"],
      mark: "value",
      message: `${link} is a group address`,
      expected: "the address of one station: an even first byte",
      write: 'local_link_addr: "02:00:00:00:00:01"',
    });
  }
  const entries = file.inetstack_config.ring_entries;
  if ((entries & (entries - 1)) !== 0) {
    findings.push({
      path: ["inetstack_config", "ring_entries"],
      mark: "value",
      message: `${entries} is not a power of two`,
      expected: "a power of two from 64 to 65536",
      write: `ring_entries: ${2 ** Math.round(Math.log2(entries))}`,
    });
  }
  return findings;
}

function localAddress(local: string, prefix: number): Finding[] {
  const range = ipaddr.IPv4.parse(local).range();
  const isNetwork =
    prefix < 31 && ipaddr.IPv4.networkAddressFromCIDR(`${local}/${prefix}`).toString() === local;
  const isBroadcast =
    prefix < 31 && ipaddr.IPv4.broadcastAddressFromCIDR(`${local}/${prefix}`).toString() === local;
  const wrong =
    range === "unspecified" || range === "broadcast" || range === "multicast"
      ? `${local} is the ${range} address`
      : isNetwork || isBroadcast
        ? `${local} is the ${isNetwork ? "network" : "broadcast"} address of its /${prefix}`
        : undefined;
  if (wrong === undefined) return [];
  return [
    {
      path: ["demikernel", "local_ipv4_addr"],
      mark: "value",
      message: wrong,
      expected: "the address of one host",
      write: "local_ipv4_addr: 10.0.0.2",
    },
  ];
}

/** Checks a parsed file completely; every mistake is reported, not only the first. */
export function check(raw: unknown, libos: LibosName): Checked {
  const result = v.safeParse(fileSchema, raw);
  const findings = result.success
    ? relations(result.output, libos)
    : result.issues.map((issue) => fromIssue(issue));
  const [first, ...rest] = findings;
  if (first !== undefined) return { findings: [first, ...rest] };
  return { file: result.output as FileConfig };
}
