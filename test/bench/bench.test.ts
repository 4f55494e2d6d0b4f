/** Runs every benchmark briefly, so that none rots; the figures themselves mean nothing here. */
import { expect, test } from "bun:test";
import { benchmarks } from "./benchmarks";
import { figure, table } from "./figure";

for (const { names, obstacle, run } of benchmarks) {
  test.skipIf(obstacle?.() !== undefined)(names.join(", "), async () => {
    const figures = await run({ brief: true });
    expect(figures.map(({ name }) => name)).toEqual([...names]);
    for (const { value, peer, peerValue, ratio, conditions } of figures) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeFinite();
      expect(conditions).not.toBe("");
      expect(peerValue === null).toBe(peer === null);
      if (peerValue !== null) expect(ratio).toBeCloseTo(value / peerValue);
    }
  });
}

test("no two benchmarks yield a figure of one name", () => {
  const names = benchmarks.flatMap((benchmark) => benchmark.names);
  expect(new Set(names).size).toBe(names.length);
});

test("the table gives each set of conditions one footnote", () => {
  const peer = { name: "other", value: 8 };
  const figures = [
    figure("one", 4, "ns", "quiet", peer),
    figure("two", 1234.5, "ns", "quiet"),
    figure("three", 56.78, "Gb/s", "loud"),
  ];
  expect(table(figures).split("\n")).toEqual([
    "| figure | value | peer | ratio | note |",
    "| - | -: | - | -: | - |",
    "| `one` | 4.00 ns | 8.00 ns (other) | 0.50 | 1 |",
    "| `two` | 1,235 ns |  |  | 1 |",
    "| `three` | 56.8 Gb/s |  |  | 2 |",
    "",
    "1. quiet",
    "2. loud",
  ]);
});
