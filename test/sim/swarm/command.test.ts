/** `demibun sim`, as a person calls it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPcapng } from "../../../src/pcapng";
import { readSimOptions } from "../../../src/cli/sim-options";
import type { Scenario } from "../../../src/sim/swarm/scenario";
import { type PlantedBug, plantedBugs } from "../planted/bugs";
import { plantedModule } from "../planted/build";
import { plainScenario } from "./plain-scenario";

const root = new URL("../../../", import.meta.url).pathname;
let folder: string;
let planted: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "demibun-sim-"));
  const bug = plantedBugs.find(({ invariant }) => invariant === "delivery") as PlantedBug;
  planted = await plantedModule(bug);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

function sim(...words: string[]) {
  const command = [process.execPath, "src/cli/demibun.ts", "sim", ...words];
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: root, timeout: 60_000 });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** The words of a command line that the program printed, after `bunx demibun sim`. */
function wordsOf(command: string): string[] {
  return command.replace(/^bunx demibun sim /, "").split(" ");
}

function row(text: string, name: string): string[] {
  const pattern = new RegExp(`^  ${name} +(.*)$`, "gm");
  return [...text.matchAll(pattern)].map((match) => match[1] as string);
}

test("a swarm passes, and comes to the same with one worker and with two", () => {
  const [one, two] = ["1", "2"].map((workers) =>
    sim("--runs", "12", "--seed", "300", "--twice", "--workers", workers),
  );
  expect(one).toMatchObject({ exitCode: 0 });
  expect(one?.stdout).toContain("12 of 12 runs, each executed twice: 0 failed");
  expect(row(one?.stdout ?? "", "fingerprint")).toEqual(row(two?.stdout ?? "", "fingerprint"));
  expect(one?.stderr).toContain("12 of 12 runs, 0 failed");
}, 60_000);

test("a failure comes with all it takes to meet it again, and its commands do that", () => {
  const out = join(folder, "failed");
  const words = ["--runs", "8", "--seed", "1", "--module", planted, "--out", out];
  const [one, two] = ["1", "2"].map((workers) => sim(...words, "--workers", workers));
  const { exitCode, stderr } = two as ReturnType<typeof sim>;
  expect(exitCode).toBe(1);
  expect(row(one?.stderr ?? "", "seed")).toEqual(row(stderr, "seed"));
  const [seed] = row(stderr, "seed");
  expect(row(stderr, "invariant")).toEqual(["delivery"]);
  expect(row(stderr, "host")[0]).toMatch(/^[a-h]$/);
  expect(row(stderr, "virtual time")[0]).toMatch(/^\d+\.\d{3} ms$/);
  const [scenarioFile = "", captureFile = ""] = [
    ...row(stderr, "scenario"),
    ...row(stderr, "capture"),
  ];
  expect((JSON.parse(readFileSync(scenarioFile, "utf8")) as Scenario).seed).toBe(Number(seed));
  const capture = readPcapng(readFileSync(captureFile));
  expect(capture.packets.length).toBeGreaterThan(3);

  const [again = "", small = ""] = row(stderr, "again");
  const repeated = sim(...wordsOf(again), "--no-shrink", "--out", out);
  expect(repeated.exitCode).toBe(1);
  expect(row(repeated.stderr, "failed")).toEqual(row(stderr, "failed"));
  const shrunk = sim(...wordsOf(small), "--no-shrink", "--out", out);
  expect(shrunk.exitCode).toBe(1);
  expect(row(shrunk.stderr, "invariant")).toEqual(["delivery"]);
  const file = join(out, `seed-${seed}-shrunk.json`);
  const before = readFileSync(scenarioFile, "utf8");
  expect(readFileSync(file, "utf8").length).toBeLessThan(before.length / 2);
}, 120_000);

test("--keep-going runs on; the runs it reports are those without it and more", () => {
  const out = join(folder, "going");
  const words = ["--runs", "6", "--module", planted, "--out", out, "--no-shrink"];
  const first = sim(...words);
  const all = sim(...words, "--keep-going");
  expect(all.stdout).toContain("6 of 6 runs: ");
  expect(first.stdout).not.toContain("6 of 6 runs");
  expect(row(all.stderr, "seed")[0]).toBe(row(first.stderr, "seed")[0] as string);
}, 60_000);

test("a scenario file runs; reports and a capture are written where they are wanted", () => {
  const file = join(folder, "plain.json");
  writeFileSync(file, JSON.stringify(plainScenario()));
  const [json, html, pcapng] = ["json", "html", "pcapng"].map((kind) =>
    join(folder, `run.${kind}`),
  );
  const words = ["--json", json, "--html", html, "--pcapng", pcapng] as string[];
  const { exitCode, stdout } = sim("--scenario", file, ...words);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("passed: seed 1");
  expect(JSON.parse(readFileSync(json as string, "utf8")).result.verdict).toBe("passed");
  expect(readFileSync(html as string, "utf8")).toStartWith("<!doctype html>");
  expect(readPcapng(readFileSync(pcapng as string)).packets.length).toBeGreaterThan(20);
}, 60_000);

test("a swarm's report lists its runs", () => {
  const json = join(folder, "swarm.json");
  expect(sim("--runs", "3", "--json", json).exitCode).toBe(0);
  const { swarm } = JSON.parse(readFileSync(json, "utf8"));
  expect(swarm.runs.map(({ seed }: { seed: number }) => seed)).toEqual([1, 2, 3]);
}, 60_000);

test("misuse is told with what is meant, and nothing runs", () => {
  const cases: [words: string[], told: string][] = [
    [["--rusn", "3"], "no option --rusn; did you mean --runs?"],
    [["--runs"], "--runs needs a value"],
    [["--runs", "0"], "--runs takes a whole number of at least 1, not 0"],
    [["--seed", "-1"], "--seed takes a whole number of at least 0, not -1"],
    [["--seed=x"], "--seed takes a whole number of at least 0, not x"],
    [["--twice=yes"], "--twice takes no value"],
    [["--pcapng", "x", "--runs", "2"], "--pcapng captures one run: add --runs 1"],
    [["--scenario", "x", "--seed", "1"], "--scenario is one run with a seed of its own"],
    [["more"], "no option more"],
  ];
  for (const [words, told] of cases) expect(() => readSimOptions(words)).toThrow(told);
  const { exitCode, stdout, stderr } = sim("--rusn", "3");
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toBe(
    "demibun sim: no option --rusn; did you mean --runs?\n  hint: demibun --help\n",
  );
  const absent = join(folder, "absent.json");
  expect(sim("--scenario", absent)).toMatchObject({ exitCode: 2 });
  writeFileSync(absent, "[1]");
  expect(sim("--scenario", absent).stderr).toContain("no scenario of version 1");
  expect(existsSync(join(folder, "build"))).toBe(false);
});
