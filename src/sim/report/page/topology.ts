/** A sketch of stations and links, with what each direction is like. */
import type { DirectionOptions } from "../../network/options";
import type { LinkData } from "../recorder";
import { element, section, svg, table } from "./dom";
import { bytesText, durationText, rateText } from "./format";
import { stationName } from "./station-name";

interface Place {
  readonly x: number;
  readonly y: number;
}

/** More are shown when asked for. */
const rowsMax = 6;
const widthMin = 560;
const widthPerStation = 124;

export function topologySection(
  links: readonly LinkData[],
  addresses: ReadonlyMap<string, string>,
): HTMLElement {
  const rows = links.flatMap(({ a, b, options }) => {
    const { ab, ba } = waysOf(options);
    return [
      [`${a} → ${b}`, describeDirection(ab)],
      [`${b} → ${a}`, describeDirection(ba)],
    ];
  });
  const list = table(["link direction", "delay, bandwidth, queue, faults"], rows);
  return section(
    "Topology",
    sketch(links, addresses),
    rows.length <= rowsMax
      ? list
      : element("details", {}, element("summary", {}, `All ${rows.length} link directions`), list),
  );
}

function waysOf(options: LinkData["options"]): { ab: DirectionOptions; ba: DirectionOptions } {
  if ("ab" in options || "ba" in options) return { ab: options.ab ?? {}, ba: options.ba ?? {} };
  return { ab: options as DirectionOptions, ba: options as DirectionOptions };
}

function sketch(links: readonly LinkData[], addresses: ReadonlyMap<string, string>): SVGElement {
  const { places, width, height } = layout(links);
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    class: "topology",
    role: "img",
    "aria-label": links.map(({ a, b }) => `${a} to ${b}`).join(", "),
  });
  for (const { a, b } of links) {
    const from = places.get(stationName(a));
    const to = places.get(stationName(b));
    if (from === undefined || to === undefined) continue;
    picture.append(svg("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: "link" }));
  }
  for (const [name, { x, y }] of places) {
    const address = addresses.get(name);
    const isHost = address !== undefined;
    const half = isHost ? 52 : 36;
    picture.append(
      svg(
        "g",
        { class: isHost ? "host" : "node" },
        svg("rect", { x: x - half, y: y - 20, width: half * 2, height: 40, rx: isHost ? 6 : 20 }),
        svg("text", { x, y: isHost ? y - 3 : y + 4 }, name),
        isHost && svg("text", { x, y: y + 12, class: "address" }, address),
      ),
    );
  }
  return picture;
}

/**
 * Stations that forward stand in a row in the middle, each between the hosts of its own: half of
 * them above, half below. Without any, hosts stand in a row.
 */
function layout(links: readonly LinkData[]): {
  readonly places: ReadonlyMap<string, Place>;
  readonly width: number;
  readonly height: number;
} {
  const neighbours = new Map<string, Set<string>>();
  for (const link of links) {
    const a = stationName(link.a);
    const b = stationName(link.b);
    neighbours.set(a, (neighbours.get(a) ?? new Set()).add(b));
    neighbours.set(b, (neighbours.get(b) ?? new Set()).add(a));
  }
  const names = [...neighbours.keys()];
  const inner = alongChain(
    names.filter((name) => (neighbours.get(name)?.size ?? 0) > 1),
    neighbours,
  );
  const leavesOf = (name: string) =>
    [...(neighbours.get(name) ?? [])].filter((other) => !inner.includes(other));
  const columnsOf = (name: string) => Math.max(1, Math.ceil(leavesOf(name).length / 2));
  const innerColumns = inner.reduce((sum, name) => sum + columnsOf(name), 0);
  const columns = inner.length === 0 ? names.length : innerColumns;
  const width = Math.max(widthMin, columns * widthPerStation);
  const places = new Map<string, Place>();
  const spread = (row: readonly string[], y: number, left = 0, right = width): void =>
    row.forEach((name, index) => {
      places.set(name, { x: left + ((right - left) * (index + 0.5)) / row.length, y });
    });
  if (inner.length === 0) {
    spread(names, 30);
    return { places, width, height: 60 };
  }
  let left = 0;
  inner.forEach((name) => {
    const leaves = leavesOf(name);
    const right = left + (width * columnsOf(name)) / innerColumns;
    spread([name], 120, left, right);
    const above = Math.ceil(leaves.length / 2);
    spread(leaves.slice(0, above), 30, left, right);
    spread(leaves.slice(above), 210, left, right);
    left = right;
  });
  return { places, width, height: 240 };
}

/** In an order in which neighbours stand side by side, from an end of the chain on. */
function alongChain(
  inner: readonly string[],
  neighbours: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const innerOf = (name: string) => inner.filter((other) => neighbours.get(name)?.has(other));
  const ordered = new Set<string>();
  const visit = (name: string): void => {
    if (ordered.has(name)) return;
    ordered.add(name);
    innerOf(name).forEach(visit);
  };
  inner.filter((name) => innerOf(name).length <= 1).forEach(visit);
  inner.forEach(visit);
  return [...ordered];
}

/** `delay 10 ms, 10 Mbit/s, loss 1 %`. */
function describeDirection(options: DirectionOptions): string {
  const { delayMs, bandwidthBitsPerSecond, queue, mtu, ...faults } = options;
  const words: string[] = [];
  if (delayMs !== undefined) {
    words.push(`delay ${typeof delayMs === "number" ? durationText(delayMs) : plain(delayMs)}`);
  }
  if (bandwidthBitsPerSecond !== undefined) words.push(rateText(bandwidthBitsPerSecond));
  if (queue !== undefined) words.push(`queue ${plain(queue)}`);
  if (mtu !== undefined) words.push(`MTU ${bytesText(mtu)}`);
  for (const [name, value] of Object.entries(faults)) words.push(`${name} ${plain(value)}`);
  return words.length === 0 ? "perfect" : words.join(", ");
}

/** JSON without its punctuation: `uniform 1 20`. */
function plain(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replace(/[{}"[\]]/g, "").replace(/[:,]/g, " ");
}
