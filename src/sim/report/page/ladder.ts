/** Packets as a sequence diagram: a column for each station, a row for each frame on a link. */
import type { PacketHop } from "../packet-log";
import { element, section, selector, svg } from "./dom";
import { durationText } from "./format";
import { stationName } from "./station-name";

const rowHeight = 22;
const headHeight = 28;
const timeWidth = 92;
const columnWidthMax = 190;
const characterWidth = 7.1;
/** Drawn at a time. */
const pageSize = 60;

export function ladderSection(
  { total, hops }: { readonly total: number; readonly hops: readonly PacketHop[] },
  stations: readonly string[],
  hasFailed: boolean,
): HTMLElement | undefined {
  if (hops.length === 0) return undefined;
  const pages = pagesOf(hops);
  const place = element("div", { class: "scroll", tabindex: 0 });
  const choose = (index: number): void =>
    place.replaceChildren(diagram(pages[index] ?? [], stations));
  const names = pages.map((page) => `${page[0]?.number}–${page.at(-1)?.number} of ${total}`);
  // What led to a failure stands at the end.
  const start = hasFailed ? pages.length - 1 : 0;
  choose(start);
  return section("Packets", selector("Packets", names, start, choose), place);
}

function diagram(hops: readonly PacketHop[], stations: readonly string[]): SVGElement {
  const used = stations.filter((name) =>
    hops.some(({ from, to }) => [from, to].map(stationName).includes(name)),
  );
  const columnWidth = Math.max(90, Math.min(columnWidthMax, 720 / Math.max(1, used.length)));
  const xOf = (name: string) => timeWidth + (used.indexOf(stationName(name)) + 0.5) * columnWidth;
  const textX = timeWidth + used.length * columnWidth + 8;
  const longest = Math.max(...hops.map((hop) => textOf(hop).length));
  const width = Math.ceil(textX + longest * characterWidth + 16);
  const height = headHeight + hops.length * rowHeight + 8;
  const picture = svg("svg", {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    class: "ladder",
    role: "img",
    "aria-label": "Sequence diagram of packets",
  });
  for (const name of used) {
    const x = xOf(name);
    picture.append(
      svg("line", { x1: x, x2: x, y1: headHeight - 4, y2: height, class: "lifeline" }),
      svg("text", { x, y: 16, class: "station" }, name),
    );
  }
  hops.forEach((hop, index) => {
    picture.append(row(hop, headHeight + index * rowHeight, xOf(hop.from), xOf(hop.to), textX));
  });
  return picture;
}

/** The arrow falls a little, as time does; of a lost frame only its first part is drawn. */
function row(hop: PacketHop, top: number, from: number, to: number, textX: number): SVGElement {
  const { dropped, arrivedMs, sentMs, notes, number } = hop;
  const kind = dropped !== undefined ? "lost" : notes.length > 0 ? "touched" : "whole";
  const y1 = top + 6;
  const y2 = top + 16;
  const reach = dropped === undefined && arrivedMs !== undefined ? 1 : 0.62;
  const endX = from + (to - from) * reach;
  const endY = y1 + (y2 - y1) * reach;
  const took = arrivedMs === undefined ? "" : `, took ${durationText(arrivedMs - sentMs)}`;
  return svg(
    "g",
    { class: `hop ${kind}` },
    svg("title", {}, `packet ${number}, sent at ${sentMs.toFixed(6)} ms${took}\n${textOf(hop)}`),
    svg("text", { x: timeWidth - 8, y: top + 14, class: "time" }, `${sentMs.toFixed(3)} ms`),
    svg("line", { x1: from, y1, x2: endX, y2: endY }),
    reach === 1 ? arrowHead(endX, endY, Math.sign(to - from)) : cross(endX, endY),
    svg("text", { x: textX, y: top + 14, class: "description" }, textOf(hop)),
  );
}

function textOf({ text, notes, dropped }: PacketHop): string {
  const fate = [...notes, ...(dropped === undefined ? [] : [`dropped: ${dropped}`])];
  return fate.length === 0 ? text : `${text} — ${fate.join(", ")}`;
}

/** Pages without a gap in them; the last ones are full, for there the run ended. */
function pagesOf(hops: readonly PacketHop[]): (readonly PacketHop[])[] {
  const gap = hops.findIndex(({ number }, index) => number !== (hops[0]?.number ?? 0) + index);
  const runs = gap === -1 ? [hops] : [hops.slice(0, gap), hops.slice(gap)];
  return runs.flatMap((run) => {
    const pages: (readonly PacketHop[])[] = [];
    for (let end = run.length; end > 0; end -= pageSize) {
      pages.unshift(run.slice(Math.max(0, end - pageSize), end));
    }
    return pages;
  });
}

function arrowHead(x: number, y: number, way: number): SVGElement {
  return svg("path", { d: `M${x} ${y}l${-8 * way} -5v9z`, class: "head" });
}

function cross(x: number, y: number): SVGElement {
  return svg("path", { d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10`, class: "cross" });
}
