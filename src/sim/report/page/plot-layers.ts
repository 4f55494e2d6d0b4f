/** What a plot shows beneath its lines and above them. */
import type uPlot from "uplot";
import type { FaultBand } from "../run-report";
import { palette } from "./palette";

/** What every plot of a page shows beneath its data. */
export interface Backdrop {
  readonly durationMs: number;
  readonly bands: readonly FaultBand[];
  readonly failureMs: number | undefined;
  /** Nothing happened after this: what a plot shows at first. */
  readonly activeMs: number;
}

/** Drawn by hand; the legend shows and hides it. */
export interface Marks {
  readonly label: string;
  readonly color: string;
  /** What the legend says beside the label. */
  readonly summary: string;
  /** `ratio`: canvas pixels a CSS pixel. */
  draw(plot: uPlot, context: CanvasRenderingContext2D, ratio: number): void;
}

/** Of names of bands. */
const rowsMax = 4;

/** Faults as shaded bands, the failure as a line. */
export function drawBackdrop(
  plot: uPlot,
  { bands, failureMs }: Backdrop,
  namesFaults: boolean,
): void {
  const { ctx: context, bbox } = plot;
  const { grey, vermilion } = palette();
  context.save();
  for (const { fromMs, untilMs } of bands) {
    const from = Math.max(bbox.left, plot.valToPos(fromMs, "x", true));
    const until = Math.min(bbox.left + bbox.width, plot.valToPos(untilMs, "x", true));
    context.fillStyle = `${grey}33`;
    if (until > from) context.fillRect(from, bbox.top, until - from, bbox.height);
  }
  if (namesFaults) nameBands(plot, bands);
  if (failureMs !== undefined) {
    const x = plot.valToPos(failureMs, "x", true);
    context.strokeStyle = vermilion;
    context.lineWidth = 2 * devicePixelRatio;
    context.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    context.beginPath();
    context.moveTo(x, bbox.top);
    context.lineTo(x, bbox.top + bbox.height);
    if (x >= bbox.left && x <= bbox.left + bbox.width) context.stroke();
  }
  context.restore();
}

/** One below the other where they would overlap; of those that are out of sight, none. */
function nameBands(plot: uPlot, bands: readonly FaultBand[]): void {
  const { ctx: context, bbox } = plot;
  const ends: number[] = [];
  context.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  context.fillStyle = palette().muted;
  context.textBaseline = "top";
  for (const { kind, where, fromMs, untilMs } of bands) {
    const from = Math.max(bbox.left, plot.valToPos(fromMs, "x", true)) + 4 * devicePixelRatio;
    if (from > bbox.left + bbox.width || plot.valToPos(untilMs, "x", true) < bbox.left) continue;
    const text = `${kind} ${where}`;
    const free = ends.findIndex((end) => end < from);
    const row = free === -1 ? ends.length : free;
    if (row >= rowsMax) continue;
    ends[row] = from + context.measureText(text).width + 8 * devicePixelRatio;
    context.fillText(text, from, bbox.top + (4 + row * 14) * devicePixelRatio);
  }
}

/** `first`: the index of the first mark's series, which the legend shows and hides. */
export function drawMarks(plot: uPlot, marks: readonly Marks[], first: number): void {
  const { ctx: context, bbox } = plot;
  context.save();
  context.beginPath();
  context.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  context.clip();
  // The lines drawn before may have left theirs.
  context.setLineDash([]);
  marks.forEach((mark, index) => {
    if (plot.series[first + index]?.show !== true) return;
    context.strokeStyle = mark.color;
    context.fillStyle = mark.color;
    mark.draw(plot, context, devicePixelRatio);
  });
  context.restore();
}
