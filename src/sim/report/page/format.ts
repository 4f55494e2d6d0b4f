/** Numbers with their units, for people. */

/** 1234567 → `1.23 MB`. */
export function bytesText(bytes: number): string {
  return scaled(bytes, ["B", "kB", "MB", "GB"]);
}

/** 1234567 → `1.23 Mbit/s`. */
export function rateText(bitsPerSecond: number): string {
  return scaled(bitsPerSecond, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]);
}

function scaled(value: number, units: readonly string[]): string {
  let index = 0;
  let rest = value;
  while (Math.abs(rest) >= 1000 && index < units.length - 1) {
    rest /= 1000;
    index++;
  }
  return `${significant(rest)} ${units[index]}`;
}

/** 1234.5 ms → `1.23 s`. */
export function durationText(ms: number): string {
  if (ms !== 0 && Math.abs(ms) < 1) return `${significant(ms * 1000)} µs`;
  if (Math.abs(ms) < 1000) return `${significant(ms)} ms`;
  if (Math.abs(ms) < 120_000) return `${significant(ms / 1000)} s`;
  return `${significant(ms / 60_000)} min`;
}

/** An instant, to the microsecond: `1.234567 s`. */
export function instantText(ms: number): string {
  return `${(ms / 1000).toFixed(6)} s`;
}

/** Three significant digits, and no zeros behind them. */
export function significant(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1000) return String(value);
  return String(Number(value.toPrecision(3)));
}

/** Axis labels in one unit, that of the largest, with as many decimals as the steps need. */
export function axisTexts(
  splits: readonly number[],
  step: number,
  units: readonly (readonly [factor: number, name: string])[],
): string[] {
  const largest = Math.max(...splits.map(Math.abs));
  const [factor, name] = units.findLast(([size]) => largest >= size) ?? units[0] ?? [1, ""];
  const decimals = decimalsOf(step / factor);
  return splits.map((value) => `${(value / factor).toFixed(decimals)} ${name}`.trimEnd());
}

/** As many as it takes to write it exactly, 6 at most. */
function decimalsOf(step: number): number {
  let decimals = 0;
  while (decimals < 6 && Math.abs(Number(step.toFixed(decimals)) - step) > step * 1e-6) decimals++;
  return decimals;
}

/** Of milliseconds. */
export const timeUnits = [
  [1e-3, "µs"],
  [1, "ms"],
  [1000, "s"],
] as const;
export const byteUnits = [
  [1, "B"],
  [1e3, "kB"],
  [1e6, "MB"],
  [1e9, "GB"],
] as const;
export const rateUnits = [
  [1, "bit/s"],
  [1e3, "kbit/s"],
  [1e6, "Mbit/s"],
  [1e9, "Gbit/s"],
] as const;
export const countUnits = [[1, ""]] as const;
