/** How values are spread, over a logarithmic axis: runs differ by orders of magnitude. */
import { element, svg } from "./dom";

interface Value {
  readonly value: number;
  readonly isFailed: boolean;
}

const width = 360;
const height = 150;
const left = 36;
const bottom = 22;
const top = 10;
const binsPerDecade = 5;
const binsMax = 48;
const ticksMax = 4;

interface Bin {
  readonly from: number;
  readonly until: number;
  all: number;
  failed: number;
}

export function histogram(
  title: string,
  values: readonly Value[],
  text: (value: number) => string,
): HTMLElement {
  const bins = binsOf(values);
  const most = Math.max(1, ...bins.map(({ all }) => all));
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    class: "histogram",
    role: "img",
    "aria-label": title,
  });
  const base = height - bottom;
  const binWidth = (width - left - 8) / Math.max(1, bins.length);
  const heightOf = (count: number) => ((base - top) * count) / most;
  bins.forEach(({ from, until, all, failed }, index) => {
    const x = left + index * binWidth + 0.5;
    const words = from === 0 && until === 0 ? text(0) : `${text(from)} to ${text(until)}`;
    const bar = (name: string, count: number) =>
      svg(
        "rect",
        {
          x,
          y: base - heightOf(count),
          width: Math.max(1, binWidth - 1),
          height: heightOf(count),
          class: name,
        },
        svg("title", {}, `${words}: ${all} runs, ${failed} failed`),
      );
    picture.append(bar("bin", all));
    if (failed > 0) picture.append(bar("bin failed", failed));
  });
  picture.append(
    svg("line", { x1: left, x2: width - 8, y1: base, y2: base, class: "axis" }),
    svg("text", { x: left - 6, y: top + 8, class: "count" }, most),
    svg("text", { x: left - 6, y: base, class: "count" }, 0),
  );
  const step = Math.max(1, Math.ceil(bins.length / ticksMax));
  for (let index = 0; index < bins.length; index += step) {
    const at = { x: left + (index + 0.5) * binWidth, y: height - 6, class: "tick" };
    picture.append(svg("text", at, text(Number((bins[index]?.from ?? 0).toPrecision(2)))));
  }
  const middle = median(values.map(({ value }) => value));
  return element(
    "figure",
    {},
    element("figcaption", {}, title),
    element("span", { class: "muted hint" }, `median ${text(middle)}, runs per bin`),
    picture,
  );
}

/** Zero has a bin of its own at the left. */
function binsOf(values: readonly Value[]): Bin[] {
  const positive = values.map(({ value }) => value).filter((value) => value > 0);
  const zeros = values.filter(({ value }) => value <= 0);
  const failedOf = (some: readonly Value[]) => some.filter(({ isFailed }) => isFailed).length;
  const zero = { from: 0, until: 0, all: zeros.length, failed: failedOf(zeros) };
  if (positive.length === 0) return [zero];
  const decades = (value: number) => Math.log10(value);
  const first = decades(positive.reduce((least, value) => Math.min(least, value)));
  const last = decades(positive.reduce((most, value) => Math.max(most, value)));
  const count = Math.min(binsMax, Math.max(1, Math.ceil((last - first) * binsPerDecade + 1e-9)));
  const size = Math.max(1e-9, (last - first) / count);
  const bins = Array.from({ length: count }, (_, index): Bin => {
    const from = 10 ** (first + index * size);
    return { from, until: 10 ** (first + (index + 1) * size), all: 0, failed: 0 };
  });
  for (const { value, isFailed } of values) {
    if (value <= 0) continue;
    const index = Math.min(count - 1, Math.floor((decades(value) - first) / size));
    const bin = bins[index] as Bin;
    bin.all++;
    if (isFailed) bin.failed++;
  }
  return zeros.length === 0 ? bins : [zero, ...bins];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
