/** The page of a swarm of runs. */
import type { RunResult } from "../../swarm/result";
import { faultKinds, topologies } from "../../swarm/scenario";
import type { SwarmReport } from "../swarm-report";
import { copyable, element, section, table } from "./dom";
import { bytesText, durationText, instantText } from "./format";
import { histogram } from "./histogram";
import { transitionsSection } from "./transition-matrix";
import { facts, verdictHeader } from "./verdict";

const slowestCount = 12;
/** Failures of which only a row is shown. */
const othersMax = 100;

export function swarmPage(report: SwarmReport): readonly (HTMLElement | undefined)[] {
  const { runs } = report.swarm;
  return [
    header(report),
    failuresSection(report),
    histogramsSection(runs),
    coverageSection(runs),
    transitionsSection(runs),
    sumsSection(runs),
    slowestSection(runs),
  ];
}

function header({ swarm, commit, command }: SwarmReport): HTMLElement {
  const { runs, seed, runsAsked } = swarm;
  const failed = runs.filter(({ verdict }) => verdict === "failed").length;
  const passed = failed === 0 && runs.length >= runsAsked;
  const skipped = runsAsked - runs.length;
  const title =
    `${runs.length - failed} of ${runs.length} runs passed` +
    (skipped > 0 ? `, ${skipped} were not reached` : "");
  const virtualMs = runs.reduce((sum, run) => sum + run.virtualMs, 0);
  const frames = runs.reduce((sum, run) => sum + (run.frames.sent ?? 0), 0);
  const delivered = runs.reduce((sum, run) => sum + run.deliveredBytes, 0);
  return verdictHeader(passed, title, [
    facts([
      ["seeds", `${seed} to ${seed + Math.max(0, runs.length - 1)}`],
      ["commit", commit?.slice(0, 12)],
      ["fingerprint", swarm.fingerprint],
      ["each run", swarm.isTwice ? "twice, equal" : "once"],
      ["real time", `${durationText(swarm.wallMs)}, ${swarm.workers} workers`],
      ["virtual time", durationText(virtualMs)],
      ["frames", frames.toLocaleString("en")],
      ["delivered", bytesText(delivered)],
    ]),
    command === undefined ? undefined : copyable(command),
  ]);
}

function failuresSection({ failures, swarm }: SwarmReport): HTMLElement | undefined {
  const told = new Set(failures.map(({ result }) => result.seed));
  const rest = swarm.runs.filter(({ seed, verdict }) => verdict === "failed" && !told.has(seed));
  if (failures.length + rest.length === 0) return undefined;
  const made = section(
    "Failures",
    ...failures.map(({ result, command, shrunk, reportFile }) =>
      element(
        "article",
        {},
        element("h3", {}, failureTitle(result)),
        element("pre", {}, result.failure?.detail ?? ""),
        copyable(command),
        shrunk === undefined ? undefined : element("p", { class: "muted" }, "Shrunk:"),
        shrunk === undefined ? undefined : copyable(shrunk.command),
        reportFile === undefined
          ? undefined
          : element("p", {}, element("a", { href: safeLink(reportFile) }, "Report of this run")),
      ),
    ),
    rest.length > 0 && element("h3", {}, "Others"),
    rest.length > 0 &&
      table(
        ["seed", "invariant", "host", "detail"],
        rest
          .slice(0, othersMax)
          .map(({ seed, failure }) => [
            String(seed),
            failure?.kind ?? "",
            failure?.host ?? "",
            failure?.detail ?? "",
          ]),
      ),
    rest.length > othersMax && element("p", {}, `And ${rest.length - othersMax} more.`),
  );
  made.classList.add("failed");
  return made;
}

/** A file beside this one, whatever its name looks like. */
function safeLink(file: string): string {
  return `./${file.split("/").map(encodeURIComponent).join("/")}`;
}

function failureTitle({ seed, failure }: RunResult): string {
  const { kind = "failed", host = "", timeNs = 0 } = failure ?? {};
  const where = host === "" ? "" : ` on ${host}`;
  return `Seed ${seed}: ${kind}${where} at ${instantText(timeNs / 1e6)}`;
}

function histogramsSection(runs: readonly RunResult[]): HTMLElement {
  const values = (of: (run: RunResult) => number) =>
    runs.map((run) => ({ value: of(run), isFailed: run.verdict === "failed" }));
  const goodput = ({ deliveredBytes, virtualMs }: RunResult) =>
    (deliveredBytes * 1000) / Math.max(1e-3, virtualMs);
  const count = (value: number) => value.toLocaleString("en", { notation: "compact" });
  return section(
    "Distributions",
    element(
      "div",
      { class: "histograms" },
      histogram(
        "Virtual time of a run",
        values((run) => run.virtualMs),
        durationText,
      ),
      histogram(
        "Real time of a run",
        values((run) => run.wallMs),
        durationText,
      ),
      histogram(
        "Frames sent",
        values((run) => run.frames.sent ?? 0),
        count,
      ),
      histogram(
        "Frames dropped",
        values((run) => run.frames.dropped ?? 0),
        count,
      ),
      histogram(
        "Bytes delivered",
        values((run) => run.deliveredBytes),
        bytesText,
      ),
      histogram("Goodput", values(goodput), (value) => `${bytesText(value)}/s`),
    ),
  );
}

/** What the swarm tried: a draw that never happens is a hole in the test. */
function coverageSection(runs: readonly RunResult[]): HTMLElement {
  const groups = new Map<string, Map<string, { all: number; failed: number }>>([
    ["topology", new Map(topologies.map((name) => [name, { all: 0, failed: 0 }]))],
    ["fault", new Map(faultKinds.map((name) => [name, { all: 0, failed: 0 }]))],
  ]);
  for (const { features, verdict } of runs) {
    for (const feature of features) {
      const [group = "", name = ""] = feature.split(": ");
      const names = groups.get(group) ?? new Map<string, { all: number; failed: number }>();
      const counts = names.get(name) ?? { all: 0, failed: 0 };
      counts.all++;
      if (verdict === "failed") counts.failed++;
      groups.set(group, names.set(name, counts));
    }
  }
  const tables = [...groups].map(([group, names]) =>
    element(
      "div",
      {},
      element("h3", {}, group),
      table(
        ["", "runs", "share", "failed"],
        [...names]
          .sort(([, left], [, right]) => right.all - left.all)
          .map(([name, { all, failed }]) => [name, all, shareBar(all, runs.length), failed]),
      ),
    ),
  );
  return section("Coverage", element("div", { class: "coverage" }, ...tables));
}

function shareBar(part: number, whole: number): HTMLElement {
  const percent = (100 * part) / Math.max(1, whole);
  const bar = element("span", {});
  bar.style.width = `${percent}%`;
  return element(
    "span",
    {},
    element("span", { class: "share" }, bar),
    part === 0 ? "never" : `${percent.toFixed(0)} %`,
  );
}

function sumsSection(runs: readonly RunResult[]): HTMLElement {
  const summed = (of: (run: RunResult) => Readonly<Record<string, number>>) => {
    const sums = new Map<string, number>();
    for (const run of runs) {
      for (const [name, value] of Object.entries(of(run))) {
        sums.set(name, (sums.get(name) ?? 0) + value);
      }
    }
    return [...sums].sort(([, left], [, right]) => right - left);
  };
  return section(
    "Sums of all runs",
    element(
      "div",
      { class: "histograms" },
      ...(
        [
          ["frames", summed(({ frames }) => frames)],
          ["drops by reason", summed(({ drops }) => drops)],
        ] as const
      ).map(([title, rows]) =>
        element("div", {}, element("h3", {}, title), table(["", "frames"], rows)),
      ),
    ),
    element(
      "details",
      {},
      element("summary", {}, "Counters of all stacks"),
      table(
        ["counter", "sum"],
        summed(({ counters }) => counters),
      ),
    ),
  );
}

function slowestSection(runs: readonly RunResult[]): HTMLElement {
  const slowest = runs.toSorted((left, right) => right.wallMs - left.wallMs);
  return section(
    "Slowest runs",
    table(
      ["seed", "real time", "virtual time", "events", "frames", "delivered", "faults and topology"],
      slowest
        .slice(0, slowestCount)
        .map(({ seed, wallMs, virtualMs, events, frames, deliveredBytes, features }) => [
          String(seed),
          durationText(wallMs),
          durationText(virtualMs),
          events,
          frames.sent ?? 0,
          bytesText(deliveredBytes),
          features
            .filter((feature) => /^(fault|topology): /.test(feature))
            .map((feature) => feature.replace(/^.*: /, ""))
            .join(", "),
        ]),
    ),
  );
}
