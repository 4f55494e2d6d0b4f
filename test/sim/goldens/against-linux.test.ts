/**
 * CUBIC of ours beside Linux's on the same lines: 16 MiB over 20 Mb/s with a round trip of 100 ms, ours
 * in virtual time, Linux's as record.ts has measured it through the same simulated links. Lines of the
 * same name lose the same packets of both. Throughput is the mean of the transfers'.
 */
import { expect, test } from "bun:test";
import { expectGolden, table } from "./golden";
import { kilobytesPerSecond, linesWith, mean, TRANSFER_BYTES } from "../linux/line";
import { readLinuxRecord } from "../linux/linux-record";
import { transferInVirtualTime } from "../linux/our-transfer";

/** What ours may lack. */
const RATIO_LEAST = 0.9;

test("CUBIC is as fast as Linux's at every loss", async () => {
  const record = readLinuxRecord();
  const rows = [["loss", `${record.congestionControl} of ${record.kernel}`, "ours", "ratio"]];
  const short: string[] = [];
  for (const { loss, seconds } of record.transfers) {
    const ours: number[] = [];
    for (const line of linesWith(loss, seconds.length)) {
      ours.push(kilobytesPerSecond(await transferInVirtualTime(line, TRANSFER_BYTES)));
    }
    const [theirs, own] = [mean(seconds.map(kilobytesPerSecond)), mean(ours)];
    const cells = [
      `${theirs.toFixed(1)} kB/s`,
      `${own.toFixed(1)} kB/s`,
      (own / theirs).toFixed(2),
    ];
    rows.push([`${loss * 100} %, ${seconds.length} transfers`, ...cells]);
    if (own < theirs * RATIO_LEAST) short.push(`${loss}`);
  }
  expect(short).toEqual([]);
  expectGolden("against-linux", table(rows));
}, 240_000);
