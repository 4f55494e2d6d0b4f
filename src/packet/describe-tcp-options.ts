/** TCP options as packetdrill and tcpdump write them. */
import { hexText } from "./address";
import type { TcpOption } from "./types";

/** `<mss 1460,nop,wscale 7>`. */
export function describeTcpOptions(options: readonly TcpOption[]): string {
  return `<${options.map(describeOption).join(",")}>`;
}

function describeOption(option: TcpOption): string {
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
      return `sack ${option.blocks.map(({ left, right }) => `${left}:${right}`).join(" ")}`;
    case "timestamp":
      return `TS val ${option.value} ecr ${option.echo}`;
    case "fastopen":
      return spaced(option.experimental ? "FOEXP" : "FO", hexText(option.cookie));
    case "md5":
      return `md5 ${hexText(option.digest)}`;
    case "accecn":
      return spaced(`AccECN${option.order}`, option.counters.join(" "));
    case "unknown":
      return spaced(`option ${option.number}`, hexText(option.bytes));
  }
}

function spaced(name: string, value: string): string {
  return value === "" ? name : `${name} ${value}`;
}
