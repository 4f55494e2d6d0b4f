/** A segment's options in the language's own words. */
import type { ScriptTcpOption } from "./script";

function printHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function printTimestampPart(value: number | "any"): string {
  return value === "any" ? "..." : `${value}`;
}

function printAccurateEcn(order: 0 | 1, counters: readonly number[]): string {
  const names = order === 0 ? ["e0b", "ceb", "e1b"] : ["e1b", "ceb", "e0b"];
  if (counters.length === 0) return `ECN ${names[0]}`;
  return `ECN ${counters.map((counter, index) => `${names[index]} ${counter}`).join(" ")}`;
}

function printTcpOption(option: ScriptTcpOption): string {
  switch (option.kind) {
    case "eol":
    case "nop":
    case "sackOK":
      return option.kind;
    case "mss":
      return `mss ${option.mss}`;
    case "wscale":
      return `wscale ${option.shift}`;
    case "sack":
      return `sack ${option.blocks.map(({ left, right }) => `${left}:${right}`).join(" ")}`.trim();
    case "timestamp":
      return `TS val ${printTimestampPart(option.value)} ecr ${printTimestampPart(option.echo)}`;
    case "fastopen":
      return `${option.experimental ? "FOEXP" : "FO"} ${printHex(option.cookie)}`.trim();
    case "md5":
      return `md5 ${printHex(option.digest)}`.trim();
    case "accecn":
      return printAccurateEcn(option.order, option.counters);
    case "unknown":
      return `option ${option.number} ${printHex(option.bytes)}`.trim();
  }
}

/** In angle brackets with a blank in front; nothing when there are no options. */
export function printTcpOptions(options: readonly ScriptTcpOption[] | "any"): string {
  if (options === "any") return " <...>";
  return options.length === 0 ? "" : ` <${options.map(printTcpOption).join(",")}>`;
}
