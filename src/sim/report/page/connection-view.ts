/** The plots of one connection, one end at a time. */
import type { ConnectionData, EndData, LinkData } from "../recorder";
import { element, section, selector, table } from "./dom";
import { byteUnits, bytesText, countUnits, durationText, instantText, timeUnits } from "./format";
import { onThemeChange, palette } from "./palette";
import { bandsBetween } from "./path";
import { PlotGroup, type PlotOptions } from "./plot";
import type { Backdrop } from "./plot-layers";
import { sequencePlot } from "./sequence-plot";
import { largestWithin } from "./within";

/** A section that shows the connection chosen in it; the busiest end of `start` first. */
export function connectionSection(
  connections: readonly ConnectionData[],
  total: number,
  start: number,
  links: readonly LinkData[],
  backdrop: Backdrop,
): HTMLElement {
  const place = element("div", {});
  let group: PlotGroup | undefined;
  let again = (): void => {};
  const show = (connection: ConnectionData, end: EndData): void => {
    again = () => show(connection, end);
    group?.destroy();
    const hosts = connection.ends.map(({ host }) => host);
    const bands = bandsBetween(backdrop.bands, links, hosts);
    group = new PlotGroup("connection", { ...backdrop, bands });
    const peer = connection.ends.find((other) => other !== end);
    const endedMs = endOf(end, backdrop.activeMs);
    const lifetime = lifetimeOf(connection, backdrop.activeMs);
    place.replaceChildren(
      endTabs(connection, end, (chosen) => show(connection, chosen)),
      group.buttons([["This connection", ...lifetime]]),
      ...plotsOf(end, peer?.host ?? "nobody", endedMs).map((options) =>
        (group as PlotGroup).add(options),
      ),
      element(
        "details",
        {},
        element("summary", {}, "States of both ends"),
        statesTable(connection),
      ),
    );
    group.zoom(...lifetime);
  };
  const choose = (index: number): void => {
    const connection = connections[index];
    const end = busiest(connection);
    if (connection !== undefined && end !== undefined) show(connection, end);
  };
  const names = connections.map(
    (connection, index) => `${index + 1} of ${connections.length}: ${nameOf(connection)}`,
  );
  choose(start);
  onThemeChange(() => {
    const [fromMs, untilMs] = group?.window ?? [0, backdrop.activeMs];
    again();
    group?.zoom(fromMs, untilMs);
  });
  const omitted = total - connections.length;
  return section(
    "Connections",
    selector("Connection", names, start, choose),
    omitted > 0 && element("p", { class: "muted" }, `${omitted} more were not recorded.`),
    place,
  );
}

/**
 * Where it is most worth to look first: what was open at the host that failed, then losses and
 * retransmissions, then segments.
 */
export function mostTroubled(
  connections: readonly ConnectionData[],
  failedHost: string | undefined,
): number {
  const isSuspect = ({ host, states }: EndData) =>
    host === failedHost && endOfChange(states) === undefined;
  const trouble = connections.map(({ ends }) =>
    ends.reduce(
      (sum, end) =>
        sum + (isSuspect(end) ? 1e6 : 0) + end.lost.total + end.resent.total + end.segments / 1e6,
      0,
    ),
  );
  return Math.max(0, trouble.indexOf(Math.max(...trouble)));
}

function nameOf({ ends, startedMs }: ConnectionData): string {
  const [opener, other] = ends;
  const peer = other === undefined ? "no answer" : `${other.host} ${other.address}`;
  const resent = ends.reduce((sum, end) => sum + end.resent.total, 0);
  const trouble = resent === 0 ? "" : `, ${resent} retransmitted`;
  return `${opener?.host} ${opener?.address} → ${peer} (at ${durationText(startedMs)}${trouble})`;
}

/** Undefined while it is open. */
function endOfChange(states: EndData["states"]): number | undefined {
  const last = states.at(-1);
  if (last?.state === "TIME-WAIT") return last.timeMs;
  if (last?.state !== "CLOSED") return undefined;
  const before = states.at(-2);
  return before?.state === "TIME-WAIT" ? before.timeMs : last.timeMs;
}

/** When its record was freed. */
function endOf({ states }: EndData, activeMs: number): number {
  const last = states.at(-1);
  return last?.state === "CLOSED" ? last.timeMs : activeMs;
}

/** Until the last change of a state or number, waiting in TIME-WAIT left out; some air around it. */
function lifetimeOf(
  { ends, startedMs }: ConnectionData,
  activeMs: number,
): [fromMs: number, untilMs: number] {
  const untilMs = Math.max(
    startedMs + 1e-3,
    ...ends.flatMap(({ states, sent, resent, acknowledged }) => [
      endOfChange(states) ?? activeMs,
      sent.timesMs.at(-1) ?? 0,
      resent.timesMs.at(-1) ?? 0,
      acknowledged.timesMs.at(-1) ?? 0,
    ]),
  );
  const air = (untilMs - startedMs) * 0.03;
  return [startedMs - air, untilMs + air];
}

function busiest(connection: ConnectionData | undefined): EndData | undefined {
  return connection?.ends.toSorted((left, right) => right.bytes - left.bytes)[0];
}

function endTabs(
  connection: ConnectionData,
  shown: EndData,
  chosen: (end: EndData) => void,
): HTMLElement {
  const tabs = connection.ends.map((end) => {
    const words = `${end.host} sends ${bytesText(end.bytes)}`;
    const tab = element("button", { type: "button", "aria-pressed": String(end === shown) }, words);
    tab.addEventListener("click", () => chosen(end));
    return tab;
  });
  return element("div", { class: "tabs", role: "group", "aria-label": "Sending end" }, ...tabs);
}

function plotsOf(end: EndData, peer: string, untilMs: number): PlotOptions[] {
  const { blue, green, orange, vermilion, purple, grey } = palette();
  const bytes = { label: "bytes", height: 170, units: byteUnits, valueText: bytesText };
  const reassembles = end.reassembly.values.some((value) => value > 0);
  return [
    sequencePlot(end, peer, untilMs),
    {
      ...bytes,
      title: `Congestion control of ${end.host}`,
      lines: [
        { label: "in flight", data: end.inFlight, untilMs, color: grey, isFilled: true },
        { label: "cwnd", data: end.cwnd, untilMs, color: blue, width: 2 },
        { label: "ssthresh", data: end.ssthresh, untilMs, color: vermilion, dash: [6, 4] },
      ],
      range: (fromMs, toMs) => [0, congestionMax(end, fromMs, toMs)],
    },
    {
      title: `Round trips as ${end.host} measures them`,
      label: "time",
      height: 130,
      units: timeUnits,
      valueText: durationText,
      lines: [
        { label: "smoothed RTT", data: end.srttMs, untilMs, color: green, width: 2 },
        { label: "RTO with back-off", data: end.rtoMs, untilMs, color: purple, dash: [6, 4] },
      ],
    },
    {
      ...bytes,
      height: 110,
      title: `Receiving at ${end.host}`,
      lines: [
        {
          label: "announced window",
          data: end.receiveWindow,
          untilMs,
          color: orange,
          dash: [6, 4],
        },
        {
          label: "not yet taken by the application",
          data: end.receiveQueued,
          untilMs,
          color: blue,
          isFilled: true,
        },
      ],
    },
    ...(reassembles
      ? [
          {
            title: `Frames out of order at ${end.host}`,
            label: "frames",
            height: 80,
            units: countUnits,
            valueText: String,
            lines: [
              {
                label: "held for reassembly",
                data: end.reassembly,
                untilMs,
                color: purple,
                isFilled: true,
              },
            ],
          },
        ]
      : []),
  ];
}

/** Slow start's first ssthresh may be far above anything that happened. */
function congestionMax(end: EndData, fromMs: number, untilMs: number): number {
  const most = Math.max(1, largestWithin([end.cwnd, end.inFlight], fromMs, untilMs));
  const threshold = largestWithin([end.ssthresh], fromMs, untilMs);
  return threshold > most * 2 ? most * 1.1 : Math.max(most, threshold);
}

function statesTable({ ends }: ConnectionData): HTMLElement {
  const rows = ends.flatMap(({ host, states }) =>
    states.map(({ timeMs, state }) => ({ timeMs, host, state })),
  );
  rows.sort((left, right) => left.timeMs - right.timeMs);
  return table(
    ["time", "host", "state"],
    rows.map(({ timeMs, host, state }) => [instantText(timeMs), host, state]),
  );
}
