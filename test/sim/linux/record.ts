/**
 * Measures what Linux reaches over the lines, kernel to kernel, and writes linux-cubic.json. Takes
 * about eight minutes and a machine with little else to do. As root, since others may not choose CUBIC
 * where the machine's administrator has not allowed it:
 *
 *     bun test/sim/linux/record.ts
 */
import { writeFileSync } from "node:fs";
import { release } from "node:os";
import { transferThroughKernel } from "./kernel-transfers";
import { type Line, linesWith, TRANSFER_BYTES } from "./line";
import { recordPath, type LinuxRecord } from "./linux-record";

const TIMEOUT_MS = 900_000;
/** Lines of each loss, of data and acknowledgments alike: where losses are few, single ones decide much. */
const counts = [
  [0, 2],
  [0.001, 24],
  [0.01, 8],
  [0.02, 8],
  [0.05, 8],
] as const;
/** At the same time, so that frames stay few enough to be carried at once. */
const BUSY_LINES = 8;

const all = counts.map(([loss, count]) => linesWith(loss, count));
const slow = all.filter(([line]) => line !== undefined && line.loss >= 0.01).flat();
const fast = all.flat().filter((line) => !slow.includes(line));

function batches(): Line[][] {
  const result = [slow];
  for (let at = 0; at < fast.length; at += BUSY_LINES) result.push(fast.slice(at, at + BUSY_LINES));
  return result;
}

const seconds = new Map<Line, number>();
const turns = { all: 0, late: 0, maximumMs: 0, sumMs: 0 };
for (const lines of batches()) {
  const measured = await transferThroughKernel(lines, TRANSFER_BYTES, TIMEOUT_MS);
  for (const [index, line] of lines.entries()) {
    seconds.set(line, measured.seconds[index] as number);
  }
  const { lateness } = measured;
  turns.all += lateness.turns;
  turns.late += lateness.lateTurns;
  turns.sumMs += lateness.turns * lateness.meanMs;
  turns.maximumMs = Math.max(turns.maximumMs, lateness.maximumMs);
  console.log(lines.map((line) => `${line.name}: ${seconds.get(line)?.toFixed(2)} s`).join("\n"));
  console.log(lateness);
}
const record: LinuxRecord = {
  kernel: `Linux ${release()}`,
  date: new Date().toISOString().slice(0, 10),
  congestionControl: "cubic",
  meanLatenessMs: Number((turns.sumMs / turns.all).toFixed(3)),
  lateShare: Number((turns.late / turns.all).toFixed(5)),
  maximumLatenessMs: Number(turns.maximumMs.toFixed(1)),
  transfers: all.map((lines) => ({
    loss: lines[0]?.loss ?? 0,
    seconds: lines.map((line) => Number(seconds.get(line)?.toFixed(3))),
  })),
};
writeFileSync(recordPath, `${JSON.stringify(record, undefined, 2)}\n`);
