/** The page of one run. */
import type { RunReport } from "../run-report";
import { connectionSection, mostTroubled } from "./connection-view";
import { copyable, element, section, table } from "./dom";
import { bytesText, durationText, instantText } from "./format";
import { ladderSection } from "./ladder";
import { linkSection } from "./link-view";
import type { Backdrop } from "./plot-layers";
import { timelineSection } from "./timeline";
import { stationName } from "./station-name";
import { topologySection } from "./topology";
import { facts, verdictHeader } from "./verdict";

export function runPage(report: RunReport): readonly (HTMLElement | undefined)[] {
  const { recording, bands, result } = report;
  const { failure } = result;
  const failureMs = failure === undefined ? undefined : failure.timeNs / 1e6;
  const backdrop: Backdrop = {
    durationMs: recording.durationMs,
    bands,
    failureMs,
    activeMs: activeUntil(report),
  };
  const addresses = new Map(recording.hosts.map(({ name, address }) => [name, address]));
  const stations = new Set(recording.links.flatMap(({ a, b }) => [a, b].map(stationName)));
  const { connections, connectionsTotal } = recording;
  return [
    header(report),
    failure === undefined ? undefined : failureSection(report),
    element(
      "div",
      { class: "columns" },
      topologySection(recording.links, addresses),
      summarySection(report),
    ),
    timelineSection(report, backdrop.activeMs),
    connections.length === 0
      ? undefined
      : connectionSection(
          connections,
          connectionsTotal,
          mostTroubled(connections, failure?.host),
          recording.links,
          backdrop,
        ),
    linkSection(recording.links, recording.directions, backdrop),
    dropsSection(report),
    ladderSection(recording.packets, [...stations], failure !== undefined),
    hostsSection(report),
    scenarioSection(report),
  ];
}

/** A run that waits in vain goes on long after the last frame: that is not worth the width. */
function activeUntil({ recording, bands, scenario }: RunReport): number {
  const { directions, connections, durationMs } = recording;
  const lastMs = Math.max(
    1e-3,
    scenario?.faultsMs ?? 0,
    ...bands.map(({ untilMs }) => untilMs),
    ...directions.map(({ throughput }) => throughput.intervalMs * throughput.bitsPerSecond.length),
    ...directions.map(({ drops }) => drops.at(-1)?.timeMs ?? 0),
    ...connections.flatMap(({ ends }) => ends.map(({ states }) => states.at(-1)?.timeMs ?? 0)),
  );
  return lastMs * 1.2 > durationMs ? Math.max(durationMs, 1e-3) : lastMs * 1.02;
}

function header({ result, command, commit, scenarioFile, captureFile }: RunReport): HTMLElement {
  const passed = result.verdict === "passed";
  return verdictHeader(passed, `Run ${result.seed} ${result.verdict}`, [
    facts([
      ["seed", String(result.seed)],
      ["commit", commit?.slice(0, 12)],
      ["fingerprint", result.fingerprint],
      ["scenario", scenarioFile],
      ["capture", captureFile],
    ]),
    command === undefined ? undefined : copyable(command),
  ]);
}

function failureSection({ result, shrunk }: RunReport): HTMLElement {
  const { kind = "", host = "", detail = "", timeNs = 0 } = result.failure ?? {};
  const made = section(
    `Failure: ${kind}`,
    facts([
      ["host", host === "" ? undefined : host],
      ["virtual time", instantText(timeNs / 1e6)],
    ]),
    element("pre", {}, detail),
    shrunk !== undefined &&
      element(
        "div",
        {},
        element("p", {}, `A smaller scenario fails as well (${shrunk.executions} executions):`),
        copyable(shrunk.command),
        element("pre", {}, shrunk.failure.detail),
      ),
  );
  made.classList.add("failed");
  return made;
}

function summarySection({ result, recording, scenario }: RunReport): HTMLElement {
  const { frames, connections, counters } = result;
  const goodput = (result.deliveredBytes * 1000) / Math.max(1e-3, result.virtualMs);
  return section(
    "Summary",
    facts([
      ["virtual time", durationText(result.virtualMs)],
      [
        "converged after",
        result.convergedMs === undefined ? "–" : durationText(result.convergedMs),
      ],
      ["real time", durationText(result.wallMs)],
      ["events", result.events.toLocaleString("en")],
      ["frames sent", (frames.sent ?? 0).toLocaleString("en")],
      ["frames dropped", (frames.dropped ?? 0).toLocaleString("en")],
      ["delivered", `${bytesText(result.deliveredBytes)}, ${bytesText(goodput)}/s`],
      [
        "connections",
        `${connections.completed} completed, ${connections.aborted} aborted, ` +
          `${connections.retried} retried, ${recording.connectionsTotal} recorded`,
      ],
      ["retransmissions", (counters.tcpRetransmissions ?? 0).toLocaleString("en")],
      ["time-outs", (counters.tcpTimeouts ?? 0).toLocaleString("en")],
      ["faults until", scenario === undefined ? undefined : durationText(scenario.faultsMs)],
    ]),
    element(
      "div",
      { class: "chips" },
      ...result.features.map((feature) => element("span", { class: "chip" }, feature)),
    ),
  );
}

function dropsSection({ recording }: RunReport): HTMLElement {
  const directions = recording.directions.filter(({ counts }) => (counts.dropped ?? 0) > 0);
  const reasons = [
    ...new Set(directions.flatMap(({ dropsByReason }) => Object.keys(dropsByReason))),
  ].sort();
  if (directions.length === 0) return section("Drops", element("p", {}, "No frame was dropped."));
  const rows = directions.map(({ name, dropsByReason, counts }) => {
    const byReason: Readonly<Record<string, number>> = dropsByReason;
    const way = name.startsWith(">") ? `at ${name.slice(1)}` : name.replace(">", " → ");
    return [way, ...reasons.map((reason) => byReason[reason] ?? 0), counts.dropped ?? 0];
  });
  const share = directions.map(({ counts }) => (100 * (counts.dropped ?? 0)) / (counts.sent ?? 1));
  return section(
    "Drops",
    table(
      ["direction", ...reasons, "all", "of sent"],
      rows.map((row, index) => [
        ...row,
        String(row[0]).startsWith("at ") ? "–" : `${share[index]?.toFixed(1)} %`,
      ]),
    ),
  );
}

function hostsSection({ recording }: RunReport): HTMLElement {
  const { hosts } = recording;
  const names = [...new Set(hosts.flatMap(({ counters }) => Object.keys(counters)))].sort();
  const rows = names.map((name) => [name, ...hosts.map(({ counters }) => counters[name] ?? 0)]);
  return section(
    "Hosts",
    table(
      ["host", "address", "boots", "packets sent", "received", "ring overflows", "pool exhausted"],
      hosts.map(({ name, address, boots, device, counters }) => [
        name,
        address,
        boots,
        device.sent,
        device.received,
        device.overflowed,
        counters.poolExhausted ?? 0,
      ]),
    ),
    element(
      "details",
      {},
      element("summary", {}, "Counters of the stacks since their last boot"),
      table(["counter", ...hosts.map(({ name }) => name)], rows),
    ),
  );
}

function scenarioSection({ scenario }: RunReport): HTMLElement | undefined {
  if (scenario === undefined) return undefined;
  return section(
    "Scenario",
    element(
      "details",
      {},
      element("summary", {}, "As JSON"),
      element("pre", { tabindex: 0 }, JSON.stringify(scenario, undefined, 2)),
    ),
  );
}
