/** A report's file is whole, harmless and shows what was recorded. */
import { expect, test } from "bun:test";
import { pageScript } from "../../../src/cli/reports";
import { htmlReport } from "../../../src/sim/report/html";
import { parseRunReport, type RunFacts, runReport } from "../../../src/sim/report/run-report";
import { swarmReport } from "../../../src/sim/report/swarm-report";
import { drawScenario } from "../../../src/sim/swarm/draw";
import { resultOf } from "./result";
import { recordTransfer } from "./transfer";

const lossy = { ab: { delayMs: 10, loss: { packets: [10] } }, ba: { delayMs: 10 } };

async function reportOf(facts: Partial<RunFacts> = {}, names?: readonly [string, string]) {
  const { recorder } = await recordTransfer(50_000, lossy, {}, names);
  return runReport(recorder.data(), { result: resultOf(7), ...facts });
}

/** What the page's program reads. */
function embedded(html: string): unknown {
  const [, data = ""] =
    /<script type="application\/json" id="report">(.*)<\/script>/.exec(html) ?? [];
  return JSON.parse(data);
}

test("a report survives JSON; another version or another file is refused in words", async () => {
  const report = await reportOf();
  const text = JSON.stringify(report);
  expect(parseRunReport(text)).toEqual(JSON.parse(text));
  expect(() => parseRunReport(text.replace('"version":1', '"version":2'))).toThrow("version 2");
  expect(() => parseRunReport("{}")).toThrow("no report");
  expect(() => parseRunReport("not JSON")).toThrow("no report");
});

test("the page holds every series of every connection", async () => {
  const report = await reportOf();
  const html = htmlReport(report, "");
  expect(embedded(html)).toEqual(JSON.parse(JSON.stringify(report)));
  for (const name of ["sent", "resent", "lost", "acknowledged", "windowEdge", "cwnd", "ssthresh"]) {
    expect(html).toContain(`"${name}":{`);
  }
  for (const name of ["inFlight", "srttMs", "rtoMs", "receiveQueued", "queueBytes", "throughput"]) {
    expect(html).toContain(`"${name}":{`);
  }
});

test("names from a scenario stay text", async () => {
  const hostile = "</script><script>alert(1)</script>";
  const command = `demibun sim --scenario '${hostile}<!--'`;
  const html = htmlReport(await reportOf({ command }, [hostile, "client"]), "");
  // The data's element, the program's element, and nothing of the names.
  expect(html.match(/<script/g)).toHaveLength(2);
  expect(html.match(/<\/script/g)).toHaveLength(2);
  expect(html).not.toContain("<!--");
  expect(JSON.stringify(embedded(html))).toContain("alert(1)");
});

test("the page loads nothing, and its policy says so", async () => {
  const html = htmlReport(await reportOf(), await pageScript());
  expect(html).toContain("default-src 'none'");
  expect(html).not.toMatch(/https?:\/\//);
  expect(html).not.toMatch(/<link|<img|@import|\burl\(|\bimport\(|\bfetch\(|XMLHttpRequest/);
  expect(html.match(/<\/script/g)).toHaveLength(2);
  expect(html.length).toBeLessThan(500_000);
});

test("the data stays bounded with many points and few", async () => {
  const options = { pointsMax: 64, packetsFirst: 5, packetsLast: 10 };
  const { recorder } = await recordTransfer(400_000, lossy, options);
  const report = runReport(recorder.data(), { result: resultOf(1) });
  expect(report.recording.packets.hops.length).toBe(15);
  expect(report.recording.packets.total).toBeGreaterThan(300);
  expect(JSON.stringify(report).length).toBeLessThan(60_000);
});

test("timed faults become bands that end at the latest when everything heals", () => {
  const seeds = Array.from({ length: 40 }, (_, index) => index + 1);
  const scenarios = seeds.map(drawScenario).filter(({ faults }) => faults.length > 0);
  expect(scenarios.length).toBeGreaterThan(3);
  const nothing = { connections: [], connectionsTotal: 0, directions: [], hosts: [], links: [] };
  const recording = { ...nothing, durationMs: 1, packets: { total: 0, hops: [] } };
  for (const scenario of scenarios) {
    const { bands } = runReport(recording, { result: resultOf(1), scenario });
    expect(bands.map(({ kind }) => kind)).toEqual(scenario.faults.map(({ kind }) => kind));
    expect(Math.max(...bands.map(({ untilMs }) => untilMs))).toBeLessThanOrEqual(scenario.faultsMs);
    expect(bands.every(({ where }) => !where.includes("undefined"))).toBe(true);
  }
});

test("a swarm's page holds its runs and how to repeat the failed ones", () => {
  const command = "demibun sim --seed 7 --runs 1";
  const runs = [resultOf(7)];
  const swarm = { seed: 7, runsAsked: 1, isTwice: true, runs, wallMs: 20, workers: 1 };
  const report = swarmReport(
    { ...swarm, fingerprint: "00" },
    { failures: [{ result: resultOf(7), scenario: drawScenario(7), command }] },
  );
  const html = htmlReport(report, "");
  expect(html).toContain(command);
  expect(embedded(html)).toEqual(JSON.parse(JSON.stringify(report)));
});
