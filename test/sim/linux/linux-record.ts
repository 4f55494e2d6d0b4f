/** What record.ts has measured of Linux. */
import { readFileSync } from "node:fs";

export const recordPath = new URL("linux-cubic.json", import.meta.url).pathname;

export interface LinuxRecord {
  readonly kernel: string;
  readonly date: string;
  readonly congestionControl: "cubic";
  /** How far the simulation was behind the clock; the share of its turns later than a millisecond. */
  readonly meanLatenessMs: number;
  readonly lateShare: number;
  readonly maximumLatenessMs: number;
  /** By line, in the order of `linesWith`. */
  readonly transfers: readonly { readonly loss: number; readonly seconds: readonly number[] }[];
}

export function readLinuxRecord(): LinuxRecord {
  return JSON.parse(readFileSync(recordPath, "utf8"));
}
