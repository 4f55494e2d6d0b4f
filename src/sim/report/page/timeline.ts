/** Everything that lasts, over virtual time: faults, connections, losses and the failure. */
import type { RunReport } from "../run-report";
import { element, section, svg } from "./dom";
import { axisTexts, durationText, timeUnits } from "./format";

const width = 1160;
const left = 230;
const right = 16;
const rowHeight = 20;
const barHeight = 12;
const axisHeight = 26;
const rowsMax = 40;

interface Row {
  readonly label: string;
  readonly kind: "fault" | "connection" | "drops";
  readonly bars: readonly { readonly fromMs: number; readonly untilMs: number; title: string }[];
}

/** Shows the run until `activeMs`. */
export function timelineSection(report: RunReport, activeMs: number): HTMLElement {
  const rows = rowsOf(report);
  const shown = rows.slice(0, rowsMax);
  const height = shown.length * rowHeight + axisHeight;
  const xOf = (timeMs: number) =>
    left + ((width - left - right) * Math.min(timeMs, activeMs)) / activeMs;
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    class: "timeline",
    role: "img",
    "aria-label": "Faults, connections and losses over virtual time",
  });
  picture.append(...axis(activeMs, xOf, height - axisHeight));
  shown.forEach((row, index) => {
    picture.append(...drawRow(row, index * rowHeight, xOf));
  });
  const faultsMs = healedMs(report);
  if (faultsMs !== undefined) {
    picture.append(
      ...instant(xOf(faultsMs), height, "heal", `healed at ${durationText(faultsMs)}`),
    );
  }
  const { failure } = report.result;
  if (failure !== undefined) {
    const timeMs = failure.timeNs / 1e6;
    picture.append(...instant(xOf(timeMs), height, "failure", `failed at ${durationText(timeMs)}`));
  }
  const omitted = rows.length - shown.length;
  return section(
    "Timeline",
    key(report),
    picture,
    omitted > 0 && element("p", { class: "muted" }, `${omitted} more connections are not shown.`),
  );
}

/** Undefined when it did not come to that. */
function healedMs({ scenario, recording }: RunReport): number | undefined {
  if (scenario === undefined || scenario.faultsMs > recording.durationMs) return undefined;
  return scenario.faultsMs;
}

function key(report: RunReport): HTMLElement {
  const { bands, result } = report;
  const faultsMs = healedMs(report);
  const entry = (color: string, text: string) =>
    element("span", { style: `--mark: var(--${color})` }, text);
  return element(
    "div",
    { class: "key" },
    bands.length > 0 && entry("orange", "fault at work"),
    entry("vermilion", "frame lost"),
    entry("blue", "connection"),
    faultsMs !== undefined && entry("green", `healed at ${durationText(faultsMs)}`),
    result.failure !== undefined &&
      entry("vermilion", `failed at ${durationText(result.failure.timeNs / 1e6)}`),
  );
}

function rowsOf({ bands, recording }: RunReport): Row[] {
  const faults = new Map<
    string,
    Row & { bars: { fromMs: number; untilMs: number; title: string }[] }
  >();
  for (const { kind, where, fromMs, untilMs } of bands) {
    const label = `${kind} ${where}`;
    const row = faults.get(label) ?? { label, kind: "fault", bars: [] };
    const title = `${label}, ${durationText(fromMs)} to ${durationText(untilMs)}`;
    row.bars.push({ fromMs, untilMs, title });
    faults.set(label, row);
  }
  const losses = recording.directions
    .filter(({ drops }) => drops.length > 0)
    .map(({ name, drops }): Row => ({
      label: `lost ${name.startsWith(">") ? `at ${name.slice(1)}` : name.replace(">", " → ")}`,
      kind: "drops",
      bars: drops.map(({ timeMs, reason }) => ({
        fromMs: timeMs,
        untilMs: timeMs,
        title: `${reason} at ${durationText(timeMs)}`,
      })),
    }));
  const connections = recording.connections.map(({ ends, startedMs }, index): Row => {
    const [opener, other] = ends;
    const label = `${index + 1}: ${opener?.host} → ${other?.host ?? "?"}`;
    const closed = ends.map(({ states }) => states.at(-1));
    const isClosed = closed.every((last) => last?.state === "CLOSED");
    const lastMs = Math.max(...closed.map((last) => last?.timeMs ?? startedMs));
    const untilMs = isClosed ? lastMs : recording.durationMs;
    const title = `${label}, ${durationText(startedMs)} to ${durationText(untilMs)}`;
    return { label, kind: "connection", bars: [{ fromMs: startedMs, untilMs, title }] };
  });
  return [...faults.values(), ...losses, ...connections];
}

function drawRow(
  { label, kind, bars }: Row,
  top: number,
  xOf: (ms: number) => number,
): SVGElement[] {
  const marks = bars.map(({ fromMs, untilMs, title }) => {
    const x = xOf(fromMs);
    const size = Math.max(kind === "drops" ? 1.5 : 3, xOf(untilMs) - x);
    const place = { x, y: top + 4, width: size, height: barHeight };
    return svg("rect", { ...place, class: `bar ${kind}`, rx: 2 }, svg("title", {}, title));
  });
  const text = label.length > 32 ? `${label.slice(0, 31)}…` : label;
  const name = svg("text", { x: left - 10, y: top + 14, class: "label" }, text);
  name.append(svg("title", {}, label));
  return [name, ...marks];
}

function axis(durationMs: number, xOf: (ms: number) => number, bottom: number): SVGElement[] {
  const rough = durationMs / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const splits = Array.from(
    { length: Math.floor(durationMs / step) + 1 },
    (_, index) => index * step,
  );
  return axisTexts(splits, step, timeUnits).flatMap((text, index) => {
    const x = xOf(splits[index] as number);
    return [
      svg("line", { x1: x, x2: x, y1: 0, y2: bottom + 4, class: "grid" }),
      svg("text", { x, y: bottom + 18, class: "tick" }, text),
    ];
  });
}

function instant(x: number, height: number, kind: string, title: string): SVGElement[] {
  const line = { x1: x, x2: x, y1: 0, y2: height - axisHeight + 4 };
  return [svg("line", { ...line, class: kind }, svg("title", {}, title))];
}
