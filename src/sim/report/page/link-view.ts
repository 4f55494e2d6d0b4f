/** The plots of one link: both directions' queues, losses and throughput. */
import type { DirectionData } from "../direction-recorder";
import type { LinkData } from "../recorder";
import type { SeriesData } from "../series";
import { element, section, selector } from "./dom";
import { byteUnits, bytesText, rateText, rateUnits } from "./format";
import { onThemeChange, palette } from "./palette";
import { PlotGroup, type PlotOptions } from "./plot";
import type { Backdrop, Marks } from "./plot-layers";
import { stationName } from "./station-name";

interface LinkPlots extends LinkData {
  readonly directions: readonly DirectionData[];
}

export function linkSection(
  links: readonly LinkData[],
  directions: readonly DirectionData[],
  backdrop: Backdrop,
): HTMLElement | undefined {
  const plotted = plottedLinks(links, directions);
  if (plotted.length === 0) return undefined;
  const place = element("div", {});
  let group: PlotGroup | undefined;
  let chosen = 0;
  const choose = (index: number): void => {
    chosen = index;
    group?.destroy();
    const link = plotted[index];
    const ends = [link?.a ?? "", link?.b ?? ""].map(stationName);
    const bands = backdrop.bands.filter(({ stations }) =>
      stations.every((station) => ends.includes(station)),
    );
    group = new PlotGroup("link", { ...backdrop, bands });
    const plots = (link?.directions ?? []).flatMap(plotsOf);
    place.replaceChildren(
      group.buttons(),
      ...plots.map((options) => (group as PlotGroup).add(options)),
    );
    group.reset();
  };
  const dropsOf = ({ directions }: LinkPlots) =>
    directions.reduce((sum, { counts }) => sum + (counts.dropped ?? 0), 0);
  const drops = plotted.map(dropsOf);
  const start = Math.max(0, drops.indexOf(Math.max(...drops)));
  choose(start);
  onThemeChange(() => {
    const [fromMs, untilMs] = group?.window ?? [0, backdrop.activeMs];
    choose(chosen);
    group?.zoom(fromMs, untilMs);
  });
  const names = plotted.map((link) => `${link.name} (${dropsOf(link)} dropped)`);
  return section("Links", selector("Link", names, start, choose), place);
}

/** Directions by their link; `client: a>b` belongs to the link `client`. */
function plottedLinks(
  links: readonly LinkData[],
  directions: readonly DirectionData[],
): LinkPlots[] {
  return links
    .map((link) => {
      const { name, a, b } = link;
      const own = [`${a}>${b}`, `${b}>${a}`].flatMap((way) => [way, `${name}: ${way}`]);
      return {
        ...link,
        directions: directions.filter((direction) => own.includes(direction.name)),
      };
    })
    .filter((link) => link.directions.length > 0);
}

function plotsOf(direction: DirectionData): PlotOptions[] {
  const { blue, vermilion, green } = palette();
  const { name, queueBytes, throughput, drops } = direction;
  const reasons = Object.entries(direction.dropsByReason);
  const summary = reasons.map(([reason, count]) => `${reason} ${count}`).join(", ");
  return [
    {
      title: `Queue of ${name.replace(">", " → ")}`,
      label: "bytes",
      height: 120,
      units: byteUnits,
      valueText: bytesText,
      lines: [{ label: "queued", data: queueBytes, color: blue, isFilled: true }],
      marks: [dropMarks(drops, queueBytes, vermilion, summary === "" ? "0" : summary)],
    },
    {
      title: `Throughput of ${name.replace(">", " → ")}, every ${throughput.intervalMs} ms`,
      label: "rate",
      height: 90,
      units: rateUnits,
      valueText: rateText,
      lines: [
        { label: "delivered", data: throughputSeries(throughput), color: green, isFilled: true },
      ],
    },
  ];
}

function throughputSeries({ intervalMs, bitsPerSecond }: DirectionData["throughput"]): SeriesData {
  return {
    timesMs: [...bitsPerSecond, 0].map((_, index) => index * intervalMs),
    values: [...bitsPerSecond, 0],
  };
}

/** Crosses at the height of the queue at that time. */
function dropMarks(
  drops: DirectionData["drops"],
  queue: SeriesData,
  color: string,
  summary: string,
): Marks {
  return {
    label: "dropped",
    color,
    summary,
    draw(plot, context, ratio) {
      const { min = 0, max = 0 } = plot.scales.x ?? {};
      const arm = 4 * ratio;
      context.lineWidth = 1.5 * ratio;
      let next = 0;
      let bytes = 0;
      for (const { timeMs } of drops) {
        while (next < queue.timesMs.length && (queue.timesMs[next] as number) <= timeMs) {
          bytes = queue.values[next++] as number;
        }
        if (timeMs < min || timeMs > max) continue;
        const x = plot.valToPos(timeMs, "x", true);
        const y = plot.valToPos(bytes, "y", true) - arm;
        context.beginPath();
        context.moveTo(x - arm, y - arm);
        context.lineTo(x + arm, y + arm);
        context.moveTo(x - arm, y + arm);
        context.lineTo(x + arm, y - arm);
        context.stroke();
      }
    },
  };
}
