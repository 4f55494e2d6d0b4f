/** The page of a report in a browser: everything is drawn, and the controls do what they say. */
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pageScript, writeReport } from "../../../src/cli/reports";
import { runReport } from "../../../src/sim/report/run-report";
import { swarmReport } from "../../../src/sim/report/swarm-report";
import { drawScenario } from "../../../src/sim/swarm/draw";
import { obstacle, runInChromium } from "../../package/chromium";
import { resultOf } from "./result";
import { recordTransfer } from "./transfer";

/** Runs in the browser: opens both reports in frames and uses them. */
const program = `
async function open(name) {
  const frame = document.createElement("iframe");
  frame.style.width = "1200px";
  frame.srcdoc = await (await fetch(name)).text();
  const loaded = new Promise((resolve) => { frame.onload = resolve; });
  document.body.append(frame);
  await loaded;
  await new Promise((resolve) => setTimeout(resolve, 300));
  return frame.contentDocument;
}
const texts = (root, selector) => [...root.querySelectorAll(selector)].map((found) => found.textContent);
const buttons = (root, text) => [...root.querySelectorAll("button")].filter((found) => found.textContent.startsWith(text));
export async function run() {
  const page = await open("/run.html");
  const captions = texts(page, "figcaption");
  const legends = texts(page, ".u-legend .u-series");
  const canvases = [...page.querySelectorAll("canvas")];
  const drawn = canvases.filter((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value !== 0);
  }).length;
  const hops = texts(page, ".hop.lost .description");
  buttons(page, "server sends")[0].click();
  const other = texts(page, "figcaption")[0];
  buttons(page, "Whole run")[0].click();
  const swarm = await open("/swarm.html");
  return {
    headings: texts(page, "h1, h2"), captions, legends, canvases: canvases.length, drawn, hops, other,
    swarmHeadings: texts(swarm, "h1, h2, h3"), commands: texts(swarm, ".copyable code"),
  };
}
`;

interface Seen {
  readonly headings: readonly string[];
  readonly captions: readonly string[];
  readonly legends: readonly string[];
  readonly canvases: number;
  readonly drawn: number;
  readonly hops: readonly string[];
  readonly other: string;
  readonly swarmHeadings: readonly string[];
  readonly commands: readonly string[];
}

async function writeReports(folder: string): Promise<void> {
  const link = { ab: { delayMs: 10, loss: { packets: [10] } }, ba: { delayMs: 10 } };
  const { recorder } = await recordTransfer(20_000, link);
  const report = runReport(recorder.data(), { result: resultOf(7) });
  await writeReport(report, { html: `${folder}/run.html` });
  const swarm = { seed: 7, runsAsked: 1, isTwice: true, workers: 1, fingerprint: "00", wallMs: 1 };
  const command = "demibun sim --seed 7 --runs 1";
  const failures = [{ result: resultOf(7), scenario: drawScenario(7), command }];
  await writeReport(swarmReport({ ...swarm, runs: [resultOf(7)] }, { failures }), {
    html: `${folder}/swarm.html`,
    json: `${folder}/swarm.json`,
  });
}

test.skipIf(obstacle !== undefined)(
  "a browser draws every plot of a run, and a swarm's failures",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "demibun-report-"));
    try {
      await writeReports(folder);
      expect(await pageScript()).toContain("Whole run");
      mkdirSync(`${folder}/node_modules/demibun`, { recursive: true });
      await Bun.write(`${folder}/node_modules/demibun/package.json`, `{ "exports": {} }`);
      await Bun.write(`${folder}/page.js`, program);
      const seen = (await runInChromium(folder, "page")) as Seen;
      expect(seen.headings).toContain("Run 7 failed");
      expect(seen.headings).toContain("Failure: delivery");
      for (const title of ["Topology", "Timeline", "Connections", "Links", "Drops", "Packets"]) {
        expect(seen.headings).toContain(title);
      }
      expect(seen.captions).toContain("Sequence numbers from client to server");
      expect(seen.captions).toContain("Queue of client → server");
      expect(seen.legends.some((text) => /^retransmitted\W*1$/.test(text))).toBe(true);
      expect(seen.legends.some((text) => /^dropped\W*loss 1$/.test(text))).toBe(true);
      expect(seen.canvases).toBeGreaterThanOrEqual(6);
      expect(seen.drawn).toBe(seen.canvases);
      expect(seen.hops).toHaveLength(1);
      expect(seen.hops[0]).toEndWith("dropped: loss");
      expect(seen.other).toBe("Sequence numbers from server to client");
      expect(seen.swarmHeadings).toContain("Seed 7: delivery on server at 0.050000 s");
      expect(seen.commands).toEqual(["demibun sim --seed 7 --runs 1"]);
      expect(JSON.parse(await Bun.file(`${folder}/swarm.json`).text())).toMatchObject({
        schema: "demibun/swarm-report",
        failures: [{ command: "demibun sim --seed 7 --runs 1" }],
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  60_000,
);
