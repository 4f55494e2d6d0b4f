/** Plots over virtual time that share their zoom and their cursor. */
import uPlot from "uplot";
import type { SeriesData } from "../series";
import { element } from "./dom";
import { axisTexts, instantText, timeUnits } from "./format";
import { palette } from "./palette";
import { type Backdrop, drawBackdrop, drawMarks, type Marks } from "./plot-layers";
import { largestWithin } from "./within";

export interface Line {
  readonly label: string;
  readonly data: SeriesData;
  readonly color: string;
  readonly dash?: readonly number[] | undefined;
  /** Fills down to zero. */
  readonly isFilled?: boolean | undefined;
  readonly width?: number | undefined;
  /** Where it ends; at the end of the run otherwise. */
  readonly untilMs?: number | undefined;
}

export interface PlotOptions {
  readonly title: string;
  /** Of the y axis. */
  readonly label: string;
  readonly height: number;
  readonly units: readonly (readonly [factor: number, name: string])[];
  readonly lines: readonly Line[];
  readonly marks?: readonly Marks[] | undefined;
  /** Writes into the bands what is at work there. */
  readonly namesFaults?: boolean | undefined;
  /** Lowest and highest y to show of `[fromMs, untilMs]`; from zero to the largest otherwise. */
  readonly range?: ((fromMs: number, untilMs: number) => readonly [number, number]) | undefined;
  valueText(value: number): string;
}

const heightOfAxes = 56;
const axisFont = "12px system-ui, sans-serif";

export class PlotGroup {
  readonly #backdrop: Backdrop;
  readonly #sync: string;
  #plots: uPlot[] = [];
  #isZooming = false;
  #observers: ResizeObserver[] = [];

  constructor(name: string, backdrop: Backdrop) {
    this.#backdrop = backdrop;
    this.#sync = name;
  }

  /** Makes a plot as wide as the place it will be put. */
  add(options: PlotOptions): HTMLElement {
    const place = element("div", {
      class: "plot",
      tabindex: 0,
      role: "img",
      "aria-label": `${options.title}: ${options.lines.map(({ label }) => label).join(", ")}`,
    });
    const plot = new uPlot(this.#options(options), alignedData(options, this.#backdrop), place);
    this.#plots.push(plot);
    const observer = new ResizeObserver(() => {
      const width = Math.floor(place.clientWidth);
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: plot.height });
    });
    observer.observe(place);
    this.#observers.push(observer);
    place.addEventListener("keydown", (event) => this.#key(event));
    return element("figure", {}, element("figcaption", {}, options.title), place);
  }

  /** What is shown now. */
  get window(): readonly [fromMs: number, untilMs: number] {
    const { min, max } = this.#plots[0]?.scales.x ?? {};
    return [min ?? 0, max ?? this.#backdrop.activeMs];
  }

  zoom(fromMs: number, untilMs: number): void {
    for (const plot of this.#plots) plot.setScale("x", { min: fromMs, max: untilMs });
  }

  reset(): void {
    this.zoom(0, this.#backdrop.activeMs);
  }

  /** To the surroundings of the failure, to what `zooms` names, and to the whole run. */
  buttons(
    zooms: readonly (readonly [name: string, fromMs: number, untilMs: number])[] = [],
  ): HTMLElement {
    const button = (text: string, act: () => void) => {
      const made = element("button", { type: "button" }, text);
      made.addEventListener("click", act);
      return made;
    };
    const { failureMs, durationMs } = this.#backdrop;
    const around = Math.max(1, durationMs / 50);
    return element(
      "div",
      { class: "buttons" },
      failureMs !== undefined &&
        button("Zoom to failure", () => this.zoom(failureMs - around, failureMs + around / 4)),
      ...zooms.map(([name, fromMs, untilMs]) => button(name, () => this.zoom(fromMs, untilMs))),
      button("Whole run", () => this.reset()),
      element(
        "span",
        { class: "muted hint" },
        "drag: zoom · double click or 0: whole run · ← → + −: move",
      ),
    );
  }

  destroy(): void {
    for (const observer of this.#observers) observer.disconnect();
    for (const plot of this.#plots) plot.destroy();
    this.#plots = [];
    this.#observers = [];
  }

  #options(options: PlotOptions): uPlot.Options {
    const { grid, muted } = palette();
    const axis = { stroke: muted, font: axisFont, labelFont: axisFont };
    const lines = { grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
    // uPlot asks for the range of x first, and y's depends on it.
    let shown: uPlot.Range.MinMax = [0, 1];
    const xRange = (_: uPlot, min: number, max: number): uPlot.Range.MinMax => {
      shown = [min, Math.max(max, min + 1e-6)];
      return shown;
    };
    const yRange = (plot: uPlot): uPlot.Range.MinMax => rangeOf(options, plot, shown);
    return {
      width: 800,
      height: options.height + heightOfAxes,
      padding: [8, 16, 0, 0],
      cursor: { sync: { key: this.#sync, setSeries: false }, drag: { x: true, y: false, dist: 4 } },
      scales: {
        x: { time: false, range: xRange },
        y: { range: yRange },
      },
      axes: [
        {
          ...axis,
          ...lines,
          values: (_, splits, __, ___, step) => axisTexts(splits, step, timeUnits),
          space: 90,
          size: 36,
        },
        {
          ...axis,
          ...lines,
          label: options.label,
          labelSize: 20,
          size: 76,
          values: (_, splits, __, ___, step) => axisTexts(splits, step, options.units),
        },
      ],
      legend: { live: true },
      series: [
        { label: "time", value: (_, value) => (value === null ? "–" : instantText(value)) },
        ...options.lines.map((line) => lineSeries(line, options)),
        ...(options.marks ?? []).map(marksSeries),
      ],
      hooks: {
        drawClear: [(plot) => drawBackdrop(plot, this.#backdrop, options.namesFaults === true)],
        draw: [(plot) => drawMarks(plot, options.marks ?? [], options.lines.length + 1)],
        setScale: [(plot, key) => this.#follow(plot, key)],
        ready: [(plot) => plot.over.addEventListener("dblclick", () => this.reset())],
      },
    };
  }

  /** The others of the group show what this one was zoomed to. */
  #follow(source: uPlot, key: string): void {
    const { min, max } = source.scales.x ?? {};
    if (key !== "x" || this.#isZooming || min === undefined || max === undefined) return;
    this.#isZooming = true;
    for (const plot of this.#plots) {
      const { x } = plot.scales;
      if (plot !== source && (x?.min !== min || x?.max !== max)) plot.setScale("x", { min, max });
    }
    this.#isZooming = false;
  }

  #key(event: KeyboardEvent): void {
    const [min, max] = this.window;
    const width = max - min;
    if (event.key === "ArrowLeft") this.zoom(min - width / 4, max - width / 4);
    else if (event.key === "ArrowRight") this.zoom(min + width / 4, max + width / 4);
    else if (event.key === "+") this.zoom(min + width / 4, max - width / 4);
    else if (event.key === "-") this.zoom(min - width / 2, max + width / 2);
    else if (event.key === "0" || event.key === "Escape") this.reset();
    else return;
    event.preventDefault();
  }
}

/** From what the plot's own rule says, or from zero to the largest value, and some air. */
function rangeOf(
  { range, lines }: PlotOptions,
  plot: uPlot,
  [min, max]: uPlot.Range.MinMax,
): uPlot.Range.MinMax {
  const fromMs = min ?? 0;
  const untilMs = max ?? 0;
  const visible = lines.filter((_, index) => plot.series[1 + index]?.show !== false);
  const largest = () =>
    largestWithin(
      visible.map(({ data }) => data),
      fromMs,
      untilMs,
    );
  const [low, high] = range?.(fromMs, untilMs) ?? [0, largest()];
  if (high <= low) return [low, low + 1];
  const margin = (high - low) * 0.06;
  return [low === 0 ? 0 : low - margin, high + margin];
}

function fullWidth({ durationMs }: Backdrop): number {
  return Math.max(durationMs, 1e-3);
}

function lineSeries(line: Line, options: Pick<PlotOptions, "valueText">): uPlot.Series {
  return {
    label: line.label,
    stroke: line.color,
    width: line.width ?? 1.5,
    ...(line.dash === undefined ? {} : { dash: [...line.dash] }),
    ...(line.isFilled === true ? { fill: `${line.color}33` } : {}),
    paths: uPlot.paths.stepped?.({ align: 1 }) ?? (() => null),
    points: { show: false },
    value: (_, value) => (value === null ? "–" : options.valueText(value)),
  };
}

function marksSeries({ label, color, summary }: Marks): uPlot.Series {
  return {
    label,
    stroke: color,
    width: 2,
    paths: () => null,
    points: { show: false },
    value: () => summary,
  };
}

/** One column of times for all lines: each holds its value until its next change. */
function alignedData({ lines, marks = [] }: PlotOptions, backdrop: Backdrop): uPlot.AlignedData {
  const union = new Set([0, fullWidth(backdrop)]);
  for (const { data, untilMs } of lines) {
    for (const timeMs of data.timesMs) union.add(timeMs);
    if (untilMs !== undefined) union.add(untilMs);
  }
  const times = [...union].sort((left, right) => left - right);
  const held = lines.map(({ data }) => {
    let next = 0;
    let value: number | null = null;
    return times.map((timeMs) => {
      while (next < data.timesMs.length && (data.timesMs[next] as number) <= timeMs) {
        value = data.values[next++] as number;
      }
      return value;
    });
  });
  lines.forEach(({ untilMs = Number.POSITIVE_INFINITY }, index) => {
    held[index] = (held[index] ?? []).map((value, at) =>
      (times[at] as number) > untilMs ? null : value,
    );
  });
  return [times, ...held, ...marks.map(() => times.map(() => null))];
}
