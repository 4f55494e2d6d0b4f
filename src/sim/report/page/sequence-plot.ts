/** The time-sequence plot of one end, in tcptrace's manner. */
import type uPlot from "uplot";
import type { EndData } from "../recorder";
import type { SpanData } from "../spans";
import { byteUnits, bytesText } from "./format";
import { palette } from "./palette";
import type { PlotOptions } from "./plot";
import type { Marks } from "./plot-layers";
import { valuesWithin } from "./within";

/** Its lines end at `untilMs`. */
export function sequencePlot(end: EndData, peer: string, untilMs: number): PlotOptions {
  const { blue, green, orange, vermilion, purple, sky, text } = palette();
  const marks = [
    spanMarks("sent", end.sent, blue, 1.5, 2),
    spanMarks("retransmitted", end.resent, vermilion, 3.5, 9),
    spanMarks("SACKed", end.sacked, purple, 1.5, 2),
    crossMarks("dropped", end.lost, counted(end.lostReasons), text),
    touchMarks("on its way", end.touched, counted(end.touchedHow), sky),
  ];
  const always = new Set(["sent", "retransmitted", "dropped"]);
  const shown = marks.filter(({ label, total }) => always.has(label) || total > 0);
  return {
    title: `Sequence numbers from ${end.host} to ${peer}`,
    label: "bytes from the start",
    height: 340,
    units: byteUnits,
    lines: [
      { label: "acknowledged", data: end.acknowledged, color: green, untilMs },
      { label: "window's edge", data: end.windowEdge, color: orange, dash: [5, 4], untilMs },
    ],
    marks: shown,
    namesFaults: true,
    range: (fromMs, toMs) => sequenceRange(end, fromMs, toMs),
    valueText: (value) => bytesText(value),
  };
}

type CountedMarks = Marks & { readonly total: number };

/** A stroke from first to last byte at the time it was sent, never shorter than `heightMin` pixels. */
function spanMarks(
  label: string,
  spans: SpanData,
  color: string,
  width: number,
  heightMin: number,
): CountedMarks {
  return marksOf(label, spans, color, String(spans.total), (context, x, low, high, ratio) => {
    const height = Math.max(heightMin * ratio, low - high);
    const top = (low + high - height) / 2;
    context.fillRect(x - (width * ratio) / 2, top, width * ratio, height);
  });
}

function crossMarks(label: string, spans: SpanData, summary: string, color: string): CountedMarks {
  return marksOf(label, spans, color, summary, (context, x, low, high, ratio) => {
    const y = (low + high) / 2;
    const arm = 4.5 * ratio;
    context.lineWidth = 2 * ratio;
    context.beginPath();
    context.moveTo(x - arm, y - arm);
    context.lineTo(x + arm, y + arm);
    context.moveTo(x - arm, y + arm);
    context.lineTo(x + arm, y - arm);
    context.stroke();
  });
}

function touchMarks(label: string, spans: SpanData, summary: string, color: string): CountedMarks {
  return marksOf(label, spans, color, summary, (context, x, low, high, ratio) => {
    context.lineWidth = 1.5 * ratio;
    context.beginPath();
    context.arc(x, (low + high) / 2, 4 * ratio, 0, 2 * Math.PI);
    context.stroke();
  });
}

function marksOf(
  label: string,
  spans: SpanData,
  color: string,
  summary: string,
  one: (
    context: CanvasRenderingContext2D,
    x: number,
    low: number,
    high: number,
    ratio: number,
  ) => void,
): CountedMarks {
  const draw = (plot: uPlot, context: CanvasRenderingContext2D, ratio: number): void => {
    const { min = 0, max = 0 } = plot.scales.x ?? {};
    spans.timesMs.forEach((timeMs, index) => {
      if (timeMs < min || timeMs > max) return;
      const x = plot.valToPos(timeMs, "x", true);
      const low = plot.valToPos(spans.starts[index] as number, "y", true);
      one(context, x, low, plot.valToPos(spans.ends[index] as number, "y", true), ratio);
    });
  };
  return { label, color, summary, draw, total: spans.total };
}

/** `3 (loss 2, queue full 1)`. */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const parts = [...counts].map(([name, count]) => `${name} ${count}`);
  return parts.length === 0 ? "0" : parts.join(", ");
}

/** What was sent and acknowledged in this time; of the window only as much as fits beside it. */
function sequenceRange(
  end: EndData,
  fromMs: number,
  untilMs: number,
): readonly [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const spans of [end.sent, end.resent]) {
    spans.timesMs.forEach((timeMs, index) => {
      if (timeMs < fromMs || timeMs > untilMs) return;
      low = Math.min(low, spans.starts[index] as number);
      high = Math.max(high, spans.ends[index] as number);
    });
  }
  const [ackLow, ackHigh] = valuesWithin(end.acknowledged, fromMs, untilMs);
  low = Math.min(low, ackLow);
  high = Math.max(high, ackHigh);
  if (high < low) return [0, 1];
  const [, edge] = valuesWithin(end.windowEdge, fromMs, untilMs);
  // Room for a cross on the SYN.
  const bottom = low === 0 ? (low - high) * 0.03 : low;
  return [bottom, Math.max(high, Math.min(edge, high + Math.max(2000, (high - low) * 0.5)))];
}
